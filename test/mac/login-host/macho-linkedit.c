/* The pieces of __LINKEDIT: none overlaps another, leaves the segment or is out of alignment. Source: dyld-1378, mach_o/Image.cpp, validStructureLinkedit. */
#include "macho.h"

#include <stdlib.h>
#include <string.h>

enum { LC_SYMTAB = 0x2, LC_DYSYMTAB = 0xb, LC_CODE_SIGNATURE = 0x1d, LC_SEGMENT_SPLIT_INFO = 0x1e, LC_FUNCTION_STARTS = 0x26, LC_DATA_IN_CODE = 0x29 };
enum { LC_DYLD_INFO_ONLY = 0x80000022, LC_DYLD_EXPORTS_TRIE = 0x80000033, LC_DYLD_CHAINED_FIXUPS = 0x80000034 };
enum { PIECES = 32, NLIST_SIZE = 16, RELOCATION_SIZE = 8, POINTER_SIZE = 8 };

struct piece {
    const char *name;
    uint64_t offset, size, alignment; /* bytes */
};
struct pieces {
    size_t count;
    struct piece list[PIECES];
};

static void add(struct pieces *pieces, const char *name, uint64_t offset, uint64_t size, uint64_t alignment) {
    if (size == 0) return;
    if (pieces->count == PIECES) image_refuse("more than %d pieces of __LINKEDIT", PIECES);
    pieces->list[pieces->count++] = (struct piece){name, offset, size, alignment};
}

/* struct dysymtab_command: first and count of local, external and undefined symbols from byte 8 on, indirect symbols at 56, relocations at 64. */
static uint32_t add_dynamic_symbols(struct pieces *pieces, const uint8_t *command) {
    uint32_t locals = read_u32(command + 12), externals = read_u32(command + 20), undefined = read_u32(command + 24);
    if (read_u32(command + 8) != 0 || read_u32(command + 16) != locals || undefined != locals + externals) image_refuse("kinds of symbols out of order");
    add(pieces, "indirect symbol table", read_u32(command + 56), read_u32(command + 60) * 4ULL, 4);
    if (read_u32(command + 68) || read_u32(command + 76)) image_refuse("relocations beside another kind of fixups");
    return undefined + read_u32(command + 28);
}

static void add_dyld_info(struct pieces *pieces, const uint8_t *command) {
    static const char *const names[] = {"rebase opcodes", "bind opcodes", "weak bind opcodes", "lazy bind opcodes", "exports trie"};
    for (int i = 0; i < 5; i++) add(pieces, names[i], read_u32(command + 8 + 8 * i), read_u32(command + 12 + 8 * i), POINTER_SIZE);
}

static int by_offset(const void *a, const void *b) {
    const struct piece *x = a, *y = b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static void check_places(const struct image *image, struct pieces *pieces) {
    const struct image_segment *linkedit = NULL;
    for (size_t i = 0; i < image->segment_count; i++)
        if (strcmp(image->segments[i].name, "__LINKEDIT") == 0) linkedit = &image->segments[i];
    if (!linkedit || linkedit->file_offset == 0 || pieces->count == 0) image_refuse("no __LINKEDIT");
    qsort(pieces->list, pieces->count, sizeof *pieces->list, by_offset);
    uint64_t end = linkedit->file_offset;
    const char *before = "the start of __LINKEDIT";
    for (size_t i = 0; i < pieces->count; i++) {
        const struct piece *piece = &pieces->list[i];
        if (piece->offset < end) image_refuse("__LINKEDIT: %s and %s overlap", before, piece->name);
        if (piece->offset % piece->alignment) image_refuse("__LINKEDIT: %s is out of alignment", piece->name);
        end = piece->offset + piece->size;
        before = piece->name;
        if (end > linkedit->file_offset + linkedit->file_size) image_refuse("__LINKEDIT: %s extends beyond the segment", piece->name);
    }
}

void image_check_linkedit(const struct image *image) {
    struct pieces pieces = {0};
    uint32_t symbols = 0, dynamic = 0;
    bool has_dynamic = false, opcodes = false, chained = false;
    const uint8_t *command = image->file + 32;
    for (uint32_t i = 0, count = read_u32(image->file + 16); i < count; i++, command += read_u32(command + 4)) {
        switch (read_u32(command)) {
        case LC_SYMTAB:
            symbols = read_u32(command + 12);
            add(&pieces, "symbol table", read_u32(command + 8), symbols * (uint64_t)NLIST_SIZE, POINTER_SIZE);
            add(&pieces, "symbol table strings", read_u32(command + 16), read_u32(command + 20), 1);
            break;
        case LC_DYSYMTAB: has_dynamic = true, dynamic = add_dynamic_symbols(&pieces, command); break;
        case LC_DYLD_INFO_ONLY: opcodes = true, add_dyld_info(&pieces, command); break;
        case LC_DYLD_CHAINED_FIXUPS: chained = true; /* fallthrough */
        case LC_DYLD_EXPORTS_TRIE:
        case LC_CODE_SIGNATURE:
        case LC_SEGMENT_SPLIT_INFO:
        case LC_FUNCTION_STARTS:
        case LC_DATA_IN_CODE: add(&pieces, "a table of its own command", read_u32(command + 8), read_u32(command + 12), POINTER_SIZE); break;
        default: break;
        }
    }
    if (opcodes && chained) image_refuse("both kinds of fixups");
    if (has_dynamic && symbols != dynamic) image_refuse("counts of symbols differ");
    check_places(image, &pieces);
}
