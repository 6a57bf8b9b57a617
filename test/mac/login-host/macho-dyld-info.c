/* The opcode streams of LC_DYLD_INFO_ONLY. Source: REBASE_OPCODE_* and BIND_OPCODE_* in mach-o/loader.h. */
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

static uint8_t *segment_address(struct image *image, unsigned index, uint64_t offset) {
    if (index >= image->segment_count) image_refuse("a fixup names segment %u, which is none", index);
    return image->base + (image->segments[index].vm_address - image->link_base) + offset;
}

static void rebase_run(struct image *image, uint8_t **slot, uint64_t times, uint64_t skip) {
    for (; times > 0; times--, *slot += POINTER_SIZE + skip) {
        image_store(image, *slot, read_u64(*slot) + (uint64_t)(uintptr_t)image->base - image->link_base);
        image->rebases++;
    }
}

static void apply_rebases(struct image *image, const uint8_t *at, const uint8_t *end) {
    uint8_t *slot = image->base;
    while (at < end) {
        uint8_t operand = *at & 0x0f, opcode = *at++ & 0xf0;
        uint64_t count;
        switch (opcode) {
        case REBASE_DONE: return;
        case REBASE_SET_TYPE:
            if (operand != TYPE_POINTER) image_refuse("rebase type %u", operand);
            break;
        case REBASE_SET_SEGMENT_AND_OFFSET: slot = segment_address(image, operand, image_read_uleb(&at, end)); break;
        case REBASE_ADD_ADDRESS: slot += image_read_uleb(&at, end); break;
        case REBASE_ADD_ADDRESS_SCALED: slot += operand * POINTER_SIZE; break;
        case REBASE_DO_TIMES: rebase_run(image, &slot, operand, 0); break;
        case REBASE_DO_ULEB_TIMES: rebase_run(image, &slot, image_read_uleb(&at, end), 0); break;
        case REBASE_DO_ADD_ADDRESS: rebase_run(image, &slot, 1, image_read_uleb(&at, end)); break;
        case REBASE_DO_ULEB_TIMES_SKIPPING:
            count = image_read_uleb(&at, end);
            rebase_run(image, &slot, count, image_read_uleb(&at, end));
            break;
        default: image_refuse("rebase opcode 0x%02x", opcode);
        }
    }
}

struct binder {
    struct image *image;
    image_resolver resolve;
    const char *symbol;
    int64_t ordinal;
    int64_t addend;
    uint8_t *slot;
};

static void bind_run(struct binder *binder, uint64_t times, uint64_t skip) {
    for (; times > 0; times--, binder->slot += POINTER_SIZE + skip) {
        uint64_t address = (uint64_t)(uintptr_t)image_bind(binder->image, binder->resolve, binder->symbol, binder->ordinal);
        image_store(binder->image, binder->slot, address + (uint64_t)binder->addend);
    }
}

static const char *bind_symbol(const uint8_t **at, const uint8_t *end, unsigned flags) {
    const char *symbol = (const char *)*at;
    if (flags & SYMBOL_FLAG_WEAK_IMPORT) image_refuse("%s is imported weakly: dyld would bind NULL on some systems", symbol);
    while (*at < end && **at) (*at)++;
    (*at)++;
    return symbol;
}

/* `lazy`: each entry of the lazy table ends with DONE, and dyld would bind it at the first call; here all are bound at once. */
static void apply_binds(struct image *image, const uint8_t *at, const uint8_t *end, bool lazy, image_resolver resolve) {
    struct binder binder = {image, resolve, "", 0, 0, image->base};
    while (at < end) {
        uint8_t operand = *at & 0x0f, opcode = *at++ & 0xf0;
        uint64_t count;
        switch (opcode) {
        case BIND_DONE:
            if (!lazy) return;
            break;
        case BIND_SET_ORDINAL: binder.ordinal = operand; break;
        case BIND_SET_ORDINAL_ULEB: binder.ordinal = (int64_t)image_read_uleb(&at, end); break;
        case BIND_SET_ORDINAL_SPECIAL: binder.ordinal = operand ? (int64_t)operand - 16 : 0; break;
        case BIND_SET_SYMBOL: binder.symbol = bind_symbol(&at, end, operand); break;
        case BIND_SET_TYPE:
            if (operand != TYPE_POINTER) image_refuse("bind type %u", operand);
            break;
        case BIND_SET_ADDEND: binder.addend = image_read_sleb(&at, end); break;
        case BIND_SET_SEGMENT_AND_OFFSET: binder.slot = segment_address(image, operand, image_read_uleb(&at, end)); break;
        case BIND_ADD_ADDRESS: binder.slot += image_read_uleb(&at, end); break;
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
