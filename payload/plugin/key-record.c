#include "key-record.h"

#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>

/* Written when a new key is escrowed under a profile's certificate.
 * Source: apple/device-management, com.apple.security.FDERecoveryKeyEscrow. */
static const char KEY_FILE[] = "/var/db/FileVaultPRK.dat";

enum { EPOCH_2001 = 978307200 }; /* CFDate.h, kCFAbsoluteTimeIntervalSince1970 */
static const double NANOSECOND = 1e-9;

/* FNV-1a, cut to 52 bits: a property list's number comes back as a double. Source: draft-eastlake-fnv. Without st_dev,
 * which may differ after a restart. */
static int64_t fingerprint(const struct stat *file) {
  const int64_t parts[] = {(int64_t)file->st_ino,
                           file->st_size,
                           file->st_mtimespec.tv_sec,
                           file->st_mtimespec.tv_nsec,
                           file->st_ctimespec.tv_sec,
                           file->st_ctimespec.tv_nsec,
                           file->st_birthtimespec.tv_sec,
                           file->st_birthtimespec.tv_nsec};
  uint64_t hash = 0xCBF29CE484222325;
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    for (unsigned shift = 0; shift < 64; shift += 8)
      hash = (hash ^ ((uint64_t)parts[i] >> shift & 0xFF)) * 0x100000001B3;
  return (int64_t)(hash >> 12) | 1;
}

static double since_2001(struct timespec at) {
  return (double)(at.tv_sec - EPOCH_2001) + (double)at.tv_nsec * NANOSECOND;
}

struct key_record read_key_record(void) {
  struct stat file;
  if (stat(KEY_FILE, &file) != 0) return (struct key_record){.state = errno == ENOENT ? RECORD_ABSENT : RECORD_UNREAD};
  const double modified = since_2001(file.st_mtimespec), changed = since_2001(file.st_ctimespec);
  return (struct key_record){RECORD_PRESENT, fingerprint(&file), modified > changed ? modified : changed};
}

bool key_recorded_since(struct key_record now, struct key_record before) {
  return now.state == RECORD_PRESENT && before.state != RECORD_UNREAD && now.fingerprint != before.fingerprint;
}
