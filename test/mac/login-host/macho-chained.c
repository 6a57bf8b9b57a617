/* LC_DYLD_CHAINED_FIXUPS. Source: mach-o/fixup-chains.h (dyld). */
#include "macho.h"

#include <string.h>

enum { IMPORTS_PLAIN = 1, IMPORTS_ADDEND = 2, IMPORTS_ADDEND64 = 3 };
enum { POINTER_64 = 2, POINTER_64_OFFSET = 6 };
enum { PAGE_START_NONE = 0xffff, PAGE_START_MULTI = 0x8000, STRIDE = 4 };

struct chain {
    struct image *image;
    image_resolver resolve;
    const uint8_t *data; /* the payload of the load command */
    size_t size;
    const uint8_t *imports;
    const char *symbols;
    uint32_t imports_format;
    uint32_t imports_count;
};

static uint16_t read_u16(const uint8_t *at) {
    uint16_t value;
    memcpy(&value, at, 2);
    return value;
}

/* Ordinals are 8 bits (16 in the 64-bit form); values above 0xf0 are negative and special, which image_bind refuses. */
static uint64_t import_address(struct chain *chain, uint32_t index) {
    static const size_t widths[] = {0, 4, 8, 16};
    if (index >= chain->imports_count) image_refuse("a chain binds import %u of %u", index, chain->imports_count);
    const uint8_t *entry = chain->imports + index * widths[chain->imports_format];
    bool wide = chain->imports_format == IMPORTS_ADDEND64;
    uint64_t word = wide ? read_u64(entry) : read_u32(entry);
    int64_t ordinal = wide ? (int16_t)(word & 0xffff) : (int8_t)(word & 0xff);
    bool weak = wide ? word >> 16 & 1 : word >> 8 & 1;
    const char *name = chain->symbols + (wide ? word >> 32 : word >> 9);
    int64_t addend = chain->imports_format == IMPORTS_PLAIN ? 0 : wide ? (int64_t)read_u64(entry + 8) : (int32_t)read_u32(entry + 4);
    if (weak) image_refuse("%s is imported weakly: dyld would bind NULL on some systems", name);
    return (uint64_t)(uintptr_t)image_bind(chain->image, chain->resolve, name, ordinal) + (uint64_t)addend;
}

/* dyld_chained_ptr_64_rebase: target 36, high8 8, reserved 7, next 12, bind 1. dyld_chained_ptr_64_bind: ordinal 24, addend 8, reserved 19, next 12, bind 1. */
static void walk_page(struct chain *chain, uint8_t *slot, uint16_t format) {
    struct image *image = chain->image;
    for (;;) {
        uint64_t word = read_u64(slot);
        uint64_t next = word >> 51 & 0xfff;
        if (word >> 63) {
            image_store(image, slot, import_address(chain, (uint32_t)(word & 0xffffff)) + (word >> 24 & 0xff));
        } else {
            uint64_t target = word & 0xfffffffffULL, high = word >> 36 & 0xff;
            uint64_t offset = format == POINTER_64_OFFSET ? target : target - image->link_base;
            image_store(image, slot, ((uint64_t)(uintptr_t)image->base + offset) | high << 56);
            image->rebases++;
        }
        if (next == 0) return;
        slot += next * STRIDE;
    }
}

/* struct dyld_chained_starts_in_segment: size, page_size, pointer_format, segment_offset, max_valid_pointer, page_count, page_start[]. */
static void walk_segment(struct chain *chain, const uint8_t *starts) {
    uint16_t page_size = read_u16(starts + 4), format = read_u16(starts + 6);
    if (starts < chain->data || starts + 22 > chain->imports || starts + read_u32(starts) > chain->imports) image_refuse("chain starts that overrun the imports");
    if (page_size != 0x1000 && page_size != 0x4000) image_refuse("chained fixups with pages of %u bytes", page_size);
    if (22 + 2 * read_u16(starts + 20) > (int)read_u32(starts)) image_refuse("page starts that overflow their structure");
    if (format != POINTER_64 && format != POINTER_64_OFFSET) image_refuse("chained pointer format %u", format);
    for (uint16_t page = 0, count = read_u16(starts + 20); page < count; page++) {
        uint16_t start = read_u16(starts + 22 + 2 * page);
        if (start == PAGE_START_NONE) continue;
        if (start > page_size && !(start & PAGE_START_MULTI)) image_refuse("a chain that starts beyond its page");
        if (start & PAGE_START_MULTI) image_refuse("several chains in one page, which only 32-bit code needs");
        walk_page(chain, chain->image->base + read_u64(starts + 8) + (uint64_t)page * page_size + start, format);
    }
}

/* struct dyld_chained_fixups_header: version, starts_offset, imports_offset, symbols_offset, imports_count, imports_format, symbols_format. */
void image_apply_chained_fixups(struct image *image, const uint8_t *data, size_t size, image_resolver resolve) {
    struct chain chain = {.image = image, .resolve = resolve, .data = data, .size = size};
    chain.imports = data + read_u32(data + 8);
    chain.symbols = (const char *)data + read_u32(data + 12);
    chain.imports_count = read_u32(data + 16);
    chain.imports_format = read_u32(data + 20);
    if (read_u32(data) != 0 || read_u32(data + 24) != 0) image_refuse("a newer version of chained fixups");
    if (chain.imports_format < IMPORTS_PLAIN || chain.imports_format > IMPORTS_ADDEND64) image_refuse("chained imports format %u", chain.imports_format);
    static const uint32_t widths[] = {0, 4, 8, 16};
    if (read_u32(data + 4) >= size || read_u32(data + 8) > size) image_refuse("chained fixups beyond their table");
    if (read_u32(data + 8) + widths[chain.imports_format] * chain.imports_count > read_u32(data + 12)) image_refuse("chained imports that overlap their symbols");
    const uint8_t *starts = data + read_u32(data + 4);
    if (read_u32(starts) != image->segment_count) image_refuse("chained fixups for another count of segments");
    for (uint32_t segment = 0, count = read_u32(starts); segment < count; segment++) {
        uint32_t offset = read_u32(starts + 4 + 4 * segment);
        if (offset) walk_segment(&chain, starts + offset);
    }
}
