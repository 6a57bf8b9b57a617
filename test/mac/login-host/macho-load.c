/* Segments, load commands and the export trie. Layouts: mach-o/loader.h, mach-o/fat.h (xnu EXTERNAL_HEADERS). */
#include "macho.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MH_MAGIC_64 = 0xfeedfacf,
    FAT_MAGIC = 0xcafebabe,
    CPU_TYPE_X86_64 = 0x01000007,
    CPU_TYPE_ARM64 = 0x0100000c,
    MH_BUNDLE = 8,
    MH_TWOLEVEL = 0x80,
    SEGMENT_READ_ONLY = 0x10, /* SG_READ_ONLY: read-only once fixed up */
    IMAGE_ALIGNMENT = 0x4000,
};
enum {
    LC_SEGMENT_64 = 0x19,
    LC_LOAD_DYLIB = 0xc,
    LC_DYLD_INFO_ONLY = 0x80000022,
    LC_DYLD_CHAINED_FIXUPS = 0x80000034,
    LC_DYLD_EXPORTS_TRIE = 0x80000033,
};
/* Section types (low byte of the flags) that would make dyld run code or set up threads; the plugin must have none. */
enum { S_MOD_INIT_FUNC_POINTERS = 9, S_MOD_TERM_FUNC_POINTERS = 10, S_THREAD_LOCAL_REGULAR = 0x11, S_INIT_FUNC_OFFSETS = 0x16 };

#if defined(__aarch64__)
#define OWN_CPU CPU_TYPE_ARM64
#else
#define OWN_CPU CPU_TYPE_X86_64
#endif

_Noreturn void image_refuse(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("login-host: refused: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(3);
}

uint64_t image_read_uleb(const uint8_t **at, const uint8_t *end) {
    uint64_t value = 0;
    for (unsigned shift = 0; *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        if (shift < 64) value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return value;
    }
    image_refuse("a ULEB128 number runs past the end of its table");
}

int64_t image_read_sleb(const uint8_t **at, const uint8_t *end) {
    int64_t value = 0;
    for (unsigned shift = 0; *at < end;) {
        uint8_t byte = *(*at)++;
        value |= (int64_t)(byte & 0x7f) << shift;
        shift += 7;
        if (byte & 0x80) continue;
        return shift < 64 && byte & 0x40 ? value | -((int64_t)1 << shift) : value;
    }
    image_refuse("an SLEB128 number runs past the end of its table");
}

static const uint8_t *read_slice(const char *path, size_t *size) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) image_refuse("cannot read %s", path);
    uint8_t *file = malloc((size_t)status.st_size);
    if (read(fd, file, (size_t)status.st_size) != status.st_size) image_refuse("cannot read %s", path);
    close(fd);
    *size = (size_t)status.st_size;
    if (status.st_size < 32 || __builtin_bswap32(read_u32(file)) != FAT_MAGIC) return file;
    uint32_t count = __builtin_bswap32(read_u32(file + 4));
    for (uint32_t i = 0; i < count && 8 + 20 * (i + 1) <= *size; i++) {
        const uint8_t *architecture = file + 8 + 20 * i; /* cputype, cpusubtype, offset, size, align; big-endian */
        if (__builtin_bswap32(read_u32(architecture)) != OWN_CPU) continue;
        uint32_t offset = __builtin_bswap32(read_u32(architecture + 8));
        *size = __builtin_bswap32(read_u32(architecture + 12));
        return file + offset;
    }
    image_refuse("%s has no slice for this architecture", path);
}

static void add_segment(struct image *image, const uint8_t *command) {
    if (image->segment_count == IMAGE_SEGMENTS) image_refuse("more than %d segments", IMAGE_SEGMENTS);
    struct image_segment *segment = &image->segments[image->segment_count++];
    memcpy(segment->name, command + 8, 16);
    segment->vm_address = read_u64(command + 24);
    segment->vm_size = read_u64(command + 32);
    segment->file_offset = read_u64(command + 40);
    segment->file_size = read_u64(command + 48);
    segment->protection = read_u32(command + 60); /* initprot */
    segment->flags = read_u32(command + 68);
    if ((segment->protection & 6) == 6) image_refuse("segment %s is both writable and executable", segment->name);
    if (segment->file_offset + segment->file_size > image->file_size) image_refuse("segment %s lies outside the file", segment->name);
    for (uint32_t i = 0; i < read_u32(command + 64); i++) {
        uint32_t type = read_u32(command + 72 + 80 * i + 64) & 0xff;
        if (type == S_MOD_INIT_FUNC_POINTERS || type == S_MOD_TERM_FUNC_POINTERS || type == S_INIT_FUNC_OFFSETS)
            image_refuse("section %.16s runs code when the image is loaded or unloaded", command + 72 + 80 * i);
        if (type >= S_THREAD_LOCAL_REGULAR && type <= 0x15) image_refuse("section %.16s needs thread-local storage", command + 72 + 80 * i);
    }
}

static void add_library(struct image *image, const uint8_t *command) {
    const char *name = (const char *)command + read_u32(command + 8);
    if (image->library_count == IMAGE_LIBRARIES) image_refuse("more than %d libraries", IMAGE_LIBRARIES);
    snprintf(image->libraries[image->library_count++], sizeof image->libraries[0], "%s", name);
}

static void map_segments(struct image *image) {
    uint64_t low = UINT64_MAX, high = 0;
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct image_segment *segment = &image->segments[i];
        if (segment->vm_address < low) low = segment->vm_address;
        if (segment->vm_address + segment->vm_size > high) high = segment->vm_address + segment->vm_size;
    }
    image->link_base = low;
    image->span = (high - low + IMAGE_ALIGNMENT - 1) & ~(uint64_t)(IMAGE_ALIGNMENT - 1);
    uint8_t *room = mmap(NULL, image->span + IMAGE_ALIGNMENT, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED) image_refuse("no room for the image");
    image->base = (uint8_t *)(((uintptr_t)room + IMAGE_ALIGNMENT - 1) & ~(uintptr_t)(IMAGE_ALIGNMENT - 1));
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct image_segment *segment = &image->segments[i];
        uint8_t *at = image->base + (segment->vm_address - low);
        if (mprotect(at, segment->vm_size, PROT_READ | PROT_WRITE) != 0) image_refuse("cannot map segment %s", segment->name);
        memcpy(at, image->file + segment->file_offset, segment->file_size);
    }
}

static void protect_segments(struct image *image) {
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct image_segment *segment = &image->segments[i];
        int protection = segment->protection & 1 ? PROT_READ : PROT_NONE;
        if (segment->protection & 2 && !(segment->flags & SEGMENT_READ_ONLY)) protection |= PROT_WRITE;
        if (segment->protection & 4) protection |= PROT_EXEC;
        uint8_t *at = image->base + (segment->vm_address - image->link_base);
        if (mprotect(at, segment->vm_size, protection) != 0) image_refuse("cannot protect segment %s", segment->name);
        if (protection & PROT_EXEC) __builtin___clear_cache((char *)at, (char *)at + segment->vm_size);
    }
}

void *image_bind(struct image *image, image_resolver resolve, const char *name, int64_t ordinal) {
    if (ordinal < 1 || (size_t)ordinal > image->library_count) image_refuse("%s is bound to library ordinal %ld, which is none", name, (long)ordinal);
    const char *library = image->libraries[ordinal - 1];
    void *address = resolve(name, library);
    if (!address) image_refuse("unknown import %s of %s", name, library);
    image->binds++;
    for (size_t i = 0; i < image->import_count; i++)
        if (strcmp(image->imports[i], name) == 0) return address;
    image->imports = realloc(image->imports, (image->import_count + 1) * sizeof *image->imports);
    snprintf(image->imports[image->import_count++], sizeof *image->imports, "%s", name);
    return address;
}

void image_store(struct image *image, uint8_t *slot, uint64_t value) {
    if (slot < image->base || slot + 8 > image->base + image->span) image_refuse("a fixup points outside the image");
    memcpy(slot, &value, 8);
}

void image_load(struct image *image, const char *path, image_resolver resolve) {
    memset(image, 0, sizeof *image);
    image->file = read_slice(path, &image->file_size);
    if (image->file_size < 32 || read_u32(image->file) != MH_MAGIC_64) image_refuse("%s is no 64-bit Mach-O", path);
    if (read_u32(image->file + 4) != OWN_CPU) image_refuse("%s is for another architecture", path);
    if (read_u32(image->file + 12) != MH_BUNDLE) image_refuse("%s is no MH_BUNDLE", path);
    if (!(read_u32(image->file + 24) & MH_TWOLEVEL)) image_refuse("%s has a flat namespace", path);
    const uint8_t *dyld_info = NULL, *chained = NULL;
    const uint8_t *command = image->file + 32;
    for (uint32_t i = 0, count = read_u32(image->file + 16); i < count; i++, command += read_u32(command + 4)) {
        uint32_t kind = read_u32(command);
        if (kind == LC_SEGMENT_64) add_segment(image, command);
        if (kind == LC_LOAD_DYLIB) add_library(image, command);
        if (kind == LC_DYLD_INFO_ONLY) dyld_info = command, image->exports = image->file + read_u32(command + 40), image->exports_size = read_u32(command + 44);
        if (kind == LC_DYLD_CHAINED_FIXUPS) chained = command;
        if (kind == LC_DYLD_EXPORTS_TRIE) image->exports = image->file + read_u32(command + 8), image->exports_size = read_u32(command + 12);
    }
    image_check_linkedit(image);
    map_segments(image);
    if (dyld_info) image_apply_dyld_info(image, dyld_info, resolve);
    if (chained) image_apply_chained_fixups(image, image->file + read_u32(chained + 8), read_u32(chained + 12), resolve);
    image->fixup_format = dyld_info ? "LC_DYLD_INFO_ONLY" : chained ? "LC_DYLD_CHAINED_FIXUPS" : "none";
    protect_segments(image);
}

void *image_symbol(const struct image *image, const char *name) {
    const uint8_t *at = image->exports, *end = image->exports + image->exports_size;
    while (at && at < end) {
        uint64_t terminal = image_read_uleb(&at, end);
        if (!*name && terminal) {
            uint64_t flags = image_read_uleb(&at, end);
            if (flags & 0x18) return NULL; /* re-export, stub and resolver */
            return image->base + image_read_uleb(&at, end);
        }
        const uint8_t *children = at + terminal, *next = NULL;
        for (unsigned left = children < end ? *children++ : 0; left > 0 && !next; left--) {
            const char *edge = (const char *)children;
            size_t length = strnlen(edge, (size_t)(end - children));
            children += length + 1;
            uint64_t offset = image_read_uleb(&children, end);
            if (strncmp(edge, name, length) == 0) next = image->exports + offset, name += length;
        }
        at = next;
    }
    return NULL;
}
