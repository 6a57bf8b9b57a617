#include "faults.h"

#include <string.h>

#include "world.h"

const struct import_entry import_table[IMPORT_COUNT] = {
#define FUNCTION(name, symbol, library, faults) [ID_##name] = {symbol, faults},
#define DATA(name, symbol, library)
#define CALLBACK(name, symbol, faults) [ID_##name] = {symbol, faults},
#include "imports.def"
#undef FUNCTION
#undef DATA
#undef CALLBACK
};

struct fault_plan fault_plan = {.import = -1};

static const char *const names[FAULT_KINDS] = {"error", "interrupted", "again", "short", "wrong-type"};

enum fault called(enum import_id id) {
    unsigned count = ++world->calls[id];
    bool hit = fault_plan.import == (int)id && (fault_plan.lasting ? count >= fault_plan.first : count == fault_plan.first);
    world_spend(hit ? 1000000 : 5000);
    if (!hit) return FAULT_NONE;
    world->fault_fired = true;
    return fault_plan.kind;
}

enum fault fault_by_name(const char *name) {
    for (int i = 0; i < FAULT_KINDS; i++)
        if (strcmp(names[i], name) == 0) return (enum fault)(1 << i);
    return FAULT_NONE;
}

const char *fault_name(enum fault kind) {
    for (int i = 0; i < FAULT_KINDS; i++)
        if (kind == 1 << i) return names[i];
    return "none";
}

int import_by_symbol(const char *symbol) {
    for (int i = 0; i < IMPORT_COUNT; i++)
        if (strcmp(import_table[i].symbol, symbol) == 0) return i;
    return -1;
}
