/*
 * The opcode streams of LC_DYLD_INFO_ONLY. Source: REBASE_OPCODE_* and BIND_OPCODE_* in mach-o/loader.h. What is refused is what the dyld of macOS 27 refuses
 * (dyld-1378, mach_o/BindOpcodes.cpp and RebaseOpcodes.cpp), and what no plugin of ours needs.
 */
#include "macho.h"

enum {
    REBASE_DONE = 0x00,
    REBASE_SET_TYPE = 0x10,
    REBASE_SET_SEGMENT_AND_OFFSET = 0x20,
    REBASE_ADD_ADDRESS = 0x30,
    REBASE_ADD_ADDRESS_SCALED = 0x40,
    REBASE_DO_TIMES = 0x50,
    REBASE_DO_ULEB_TIMES = 0x60,
    REBASE_DO_ADD_ADDRESS = 0x70,
    REBASE_DO_ULEB_TIMES_SKIPPING = 0x80,
};
enum {
    BIND_DONE = 0x00,
    BIND_SET_ORDINAL = 0x10,
    BIND_SET_ORDINAL_ULEB = 0x20,
    BIND_SET_ORDINAL_SPECIAL = 0x30,
    BIND_SET_SYMBOL = 0x40,
    BIND_SET_TYPE = 0x50,
    BIND_SET_ADDEND = 0x60,
    BIND_SET_SEGMENT_AND_OFFSET = 0x70,
    BIND_ADD_ADDRESS = 0x80,
    BIND_DO = 0x90,
    BIND_DO_ADD_ADDRESS = 0xa0,
    BIND_DO_ADD_ADDRESS_SCALED = 0xb0,
    BIND_DO_ULEB_TIMES_SKIPPING = 0xc0,
};
enum { TYPE_POINTER = 1, POINTER_SIZE = 8, SYMBOL_FLAG_WEAK_IMPORT = 1 };
enum { MOST_PADDING = 15 }; /* bytes behind the rebases, for alignment to 16 */

/* Where the next fixup goes, and what kind it is; nothing holds before the stream has said it. */
struct place {
    struct image *image;
    unsigned type;
    const struct image_segment *segment;
    uint64_t offset;
};

static void set_segment(struct place *place, unsigned index, uint64_t offset) {
    if (index >= place->image->segment_count) image_refuse("a fixup names segment %u, which is none", index);
    place->segment = &place->image->segments[index];
    place->offset = offset;
}

/* Returns the slot of a fixup; `what` for the message. */
static uint8_t *slot_of(const struct place *place, const char *what) {
    const struct image_segment *segment = place->segment;
    if (!segment) image_refuse("a %s without a preceding segment and offset", what);
    if (place->type != TYPE_POINTER) image_refuse("a %s of unknown type %u: SET_TYPE_IMM is missing, or names another", what, place->type);
    if (segment->vm_size < POINTER_SIZE || place->offset > segment->vm_size - POINTER_SIZE) image_refuse("a %s beyond segment %s", what, segment->name);
    if (!(segment->protection & 2)) image_refuse("a %s in non-writable segment %s", what, segment->name);
    if (segment->protection & 4) image_refuse("a %s in executable segment %s", what, segment->name);
    return place->image->base + (segment->vm_address - place->image->link_base) + place->offset;
}

static void rebase_run(struct place *place, uint64_t times, uint64_t skip) {
    struct image *image = place->image;
    for (; times > 0; times--, place->offset += POINTER_SIZE + skip) {
        uint8_t *slot = slot_of(place, "rebase");
        image_store(image, slot, read_u64(slot) + (uint64_t)(uintptr_t)image->base - image->link_base);
        image->rebases++;
    }
}

static void apply_rebases(struct image *image, const uint8_t *at, const uint8_t *end) {
    struct place place = {image, 0, NULL, 0};
    while (at < end) {
        uint8_t operand = *at & 0x0f, opcode = *at++ & 0xf0;
        uint64_t count;
        switch (opcode) {
        case REBASE_DONE:
            if (end - at > MOST_PADDING) image_refuse("rebase opcodes that end early");
            break;
        case REBASE_SET_TYPE: place.type = operand; break;
        case REBASE_SET_SEGMENT_AND_OFFSET: set_segment(&place, operand, image_read_uleb(&at, end)); break;
        case REBASE_ADD_ADDRESS: place.offset += image_read_uleb(&at, end); break;
        case REBASE_ADD_ADDRESS_SCALED: place.offset += operand * POINTER_SIZE; break;
        case REBASE_DO_TIMES: rebase_run(&place, operand, 0); break;
        case REBASE_DO_ULEB_TIMES: rebase_run(&place, image_read_uleb(&at, end), 0); break;
        case REBASE_DO_ADD_ADDRESS: rebase_run(&place, 1, image_read_uleb(&at, end)); break;
        case REBASE_DO_ULEB_TIMES_SKIPPING:
            count = image_read_uleb(&at, end);
            rebase_run(&place, count, image_read_uleb(&at, end));
            break;
        default: image_refuse("rebase opcode 0x%02x", opcode);
        }
    }
}

struct binder {
    struct place place;
    image_resolver resolve;
    const char *symbol;
    bool has_ordinal;
    int64_t ordinal;
    int64_t addend;
};

static void bind_run(struct binder *binder, uint64_t times, uint64_t skip) {
    struct image *image = binder->place.image;
    for (; times > 0; times--, binder->place.offset += POINTER_SIZE + skip) {
        uint8_t *slot = slot_of(&binder->place, "bind");
        if (!binder->symbol) image_refuse("a bind without a preceding symbol");
        if (!binder->has_ordinal) image_refuse("a bind of %s without a preceding library ordinal", binder->symbol);
        uint64_t address = (uint64_t)(uintptr_t)image_bind(image, binder->resolve, binder->symbol, binder->ordinal);
        image_store(image, slot, address + (uint64_t)binder->addend);
    }
}

static void set_ordinal(struct binder *binder, int64_t ordinal) {
    binder->ordinal = ordinal;
    binder->has_ordinal = true;
}

static const char *bind_symbol(const uint8_t **at, const uint8_t *end, unsigned flags) {
    const char *symbol = (const char *)*at;
    if (flags & SYMBOL_FLAG_WEAK_IMPORT) image_refuse("%s is imported weakly: dyld would bind NULL on some systems", symbol);
    while (*at < end && **at) (*at)++;
    if (*at == end) image_refuse("a symbol that runs past the end of its table");
    (*at)++;
    return symbol;
}

/* `lazy`: each entry of the lazy table is a pointer without saying so and ends with DONE, and dyld would bind it at the first call; here all are bound at once. */
static void apply_binds(struct image *image, const uint8_t *at, const uint8_t *end, bool lazy, image_resolver resolve) {
    struct binder binder = {.place = {image, lazy ? TYPE_POINTER : 0, NULL, 0}, .resolve = resolve};
    while (at < end) {
        uint8_t operand = *at & 0x0f, opcode = *at++ & 0xf0;
        uint64_t count;
        switch (opcode) {
        case BIND_DONE:
            if (!lazy) return;
            break;
        case BIND_SET_ORDINAL: set_ordinal(&binder, operand); break;
        case BIND_SET_ORDINAL_ULEB: set_ordinal(&binder, (int32_t)image_read_uleb(&at, end)); break;
        case BIND_SET_ORDINAL_SPECIAL: set_ordinal(&binder, operand ? (int64_t)operand - 16 : 0); break;
        case BIND_SET_SYMBOL: binder.symbol = bind_symbol(&at, end, operand); break;
        case BIND_SET_TYPE: binder.place.type = operand; break;
        case BIND_SET_ADDEND: binder.addend = image_read_sleb(&at, end); break;
        case BIND_SET_SEGMENT_AND_OFFSET: set_segment(&binder.place, operand, image_read_uleb(&at, end)); break;
        case BIND_ADD_ADDRESS: binder.place.offset += image_read_uleb(&at, end); break;
        case BIND_DO: bind_run(&binder, 1, 0); break;
        case BIND_DO_ADD_ADDRESS: bind_run(&binder, 1, image_read_uleb(&at, end)); break;
        case BIND_DO_ADD_ADDRESS_SCALED: bind_run(&binder, 1, operand * (uint64_t)POINTER_SIZE); break;
        case BIND_DO_ULEB_TIMES_SKIPPING:
            count = image_read_uleb(&at, end);
            bind_run(&binder, count, image_read_uleb(&at, end));
            break;
        default: image_refuse("bind opcode 0x%02x", opcode);
        }
    }
}

/* struct dyld_info_command: rebase, bind, weak bind, lazy bind and export, each as offset and size from byte 8 on. */
void image_apply_dyld_info(struct image *image, const uint8_t *command, image_resolver resolve) {
    const uint8_t *rebase = image->file + read_u32(command + 8), *bind = image->file + read_u32(command + 16);
    const uint8_t *lazy = image->file + read_u32(command + 32);
    if (read_u32(command + 28) != 0) image_refuse("weak binds, which only C++ needs");
    apply_rebases(image, rebase, rebase + read_u32(command + 12));
    apply_binds(image, bind, bind + read_u32(command + 20), false, resolve);
    apply_binds(image, lazy, lazy + read_u32(command + 36), true, resolve);
}
