/* Loads an MH_BUNDLE the way dyld does, far enough for a plugin that needs only libSystem and CoreFoundation. */
#ifndef LOGIN_HOST_MACHO_H
#define LOGIN_HOST_MACHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_SEGMENTS 16
#define IMAGE_LIBRARIES 8

struct image_segment {
    char name[17];
    uint64_t vm_address; /* as linked */
    uint64_t vm_size;
    uint64_t file_offset;
    uint64_t file_size;
    uint32_t protection; /* VM_PROT_READ 1, WRITE 2, EXECUTE 4 */
    uint32_t flags;
};

struct image {
    const uint8_t *file; /* the slice, whole */
    size_t file_size;
    uint8_t *base; /* where the lowest segment is mapped */
    uint64_t link_base; /* its address as linked */
    uint64_t span; /* bytes of address space */
    struct image_segment segments[IMAGE_SEGMENTS];
    size_t segment_count;
    char libraries[IMAGE_LIBRARIES][256]; /* install names, ordinal 1 first */
    size_t library_count;
    const uint8_t *exports; /* export trie */
    size_t exports_size;
    const char *fixup_format; /* "LC_DYLD_INFO_ONLY" or "LC_DYLD_CHAINED_FIXUPS" */
    size_t rebases, binds; /* fixups applied */
    char (*imports)[64]; /* names bound, each once */
    size_t import_count;
};

/* Returns the address for `name` of the library `install_name`, or NULL when this host does not provide it. */
typedef void *(*image_resolver)(const char *name, const char *install_name);

/* Loads the slice for this machine's architecture out of a thin or fat file; ends the program with a message that names what it refuses. */
void image_load(struct image *image, const char *path, image_resolver resolve);
/* Returns the address of the exported symbol, or NULL. */
void *image_symbol(const struct image *image, const char *name);

/* Between the parts of the loader. */
_Noreturn void image_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *image_bind(struct image *image, image_resolver resolve, const char *name, int64_t ordinal);
void image_check_linkedit(const struct image *image);
void image_store(struct image *image, uint8_t *slot, uint64_t value);
void image_apply_dyld_info(struct image *image, const uint8_t *command, image_resolver resolve);
void image_apply_chained_fixups(struct image *image, const uint8_t *data, size_t size, image_resolver resolve);
uint64_t image_read_uleb(const uint8_t **at, const uint8_t *end);
int64_t image_read_sleb(const uint8_t **at, const uint8_t *end);

static inline uint32_t read_u32(const uint8_t *at) {
    uint32_t value;
    __builtin_memcpy(&value, at, 4);
    return value;
}
static inline uint64_t read_u64(const uint8_t *at) {
    uint64_t value;
    __builtin_memcpy(&value, at, 8);
    return value;
}

#endif
