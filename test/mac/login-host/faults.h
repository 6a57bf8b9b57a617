/* Counts the plugin's calls and makes a chosen one fail. */
#ifndef LOGIN_HOST_FAULTS_H
#define LOGIN_HOST_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

enum fault {
    FAULT_NONE = 0,
    FAULT_ERROR = 1, /* fails as its manual page says it can: NULL, -1 and errno, an error number, false */
    FAULT_INTERRUPTED = 2, /* EINTR */
    FAULT_AGAIN = 4, /* EAGAIN; poll: 0 at once; a callback: success with a NULL value */
    FAULT_SHORT = 8, /* one byte only; a callback: success with data NULL */
    FAULT_WRONG_TYPE = 16, /* an object of a type nobody expects */
};
#define FAULT_KINDS 5

/* One number for each stand-in and callback. */
enum import_id {
#define FUNCTION(name, symbol, library, faults) ID_##name,
#define DATA(name, symbol, library)
#define CALLBACK(name, symbol, faults) ID_##name,
#include "imports.def"
#undef FUNCTION
#undef DATA
#undef CALLBACK
    IMPORT_COUNT
};

struct import_entry {
    const char *symbol; /* as Mach-O spells it; a callback by its field's name */
    unsigned faults;
};
extern const struct import_entry import_table[IMPORT_COUNT];

struct fault_plan {
    int import; /* -1: none */
    enum fault kind;
    unsigned first; /* 1 = the first call */
    bool lasting; /* from that call on, else that call only */
};
extern struct fault_plan fault_plan;

/* Counts a call of `id` and returns how it must fail, FAULT_NONE mostly. Each call takes 5 us of virtual time; a failing one 1 ms. */
enum fault called(enum import_id id);
/* Returns the fault named by `name` ("error", "interrupted", "again", "short", "wrong-type"), FAULT_NONE for another. */
enum fault fault_by_name(const char *name);
const char *fault_name(enum fault kind);
/* Returns the number of the import with the Mach-O name `symbol`, or -1. */
int import_by_symbol(const char *symbol);

#endif
