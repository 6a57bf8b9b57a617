/* struct stat with 64-bit inodes, 144 bytes. Source: xnu bsd/sys/stat.h, __DARWIN_STRUCT_STAT64. */
#ifndef SDK_SYS_STAT_H
#define SDK_SYS_STAT_H

#include <sys/types.h>
#include <time.h>

struct stat {
  int32_t st_dev;
  uint16_t st_mode;
  uint16_t st_nlink;
  uint64_t st_ino;
  uint32_t st_uid;
  uint32_t st_gid;
  int32_t st_rdev;
  struct timespec st_atimespec;
  struct timespec st_mtimespec;
  struct timespec st_ctimespec;
  struct timespec st_birthtimespec;
  int64_t st_size;
  int64_t st_blocks;
  int32_t st_blksize;
  uint32_t st_flags;
  uint32_t st_gen;
  int32_t st_lspare;
  int64_t st_qspare[2];
};
_Static_assert(sizeof(struct stat) == 144, "Darwin's struct stat");

/* On Intel the plain name still means 32-bit inodes. Source: xnu sys/cdefs.h, __DARWIN_INODE64. */
#if defined(__APPLE__) && defined(__x86_64__)
int stat(const char *path, struct stat *out) __asm("_stat$INODE64");
#else
int stat(const char *path, struct stat *out);
#endif

#endif
