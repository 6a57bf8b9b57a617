/* The library of stand-ins: which Mach-O symbol of which library is which function here. */
#include <string.h>

#include "standin.h"

#define LIBRARY_SYSTEM "/usr/lib/libSystem.B.dylib"
#define LIBRARY_FOUNDATION "/System/Library/Frameworks/CoreFoundation.framework/Versions/A/CoreFoundation"

/* Only addresses are needed here, so every stand-in is declared alike. */
#define FUNCTION(name, symbol, library, faults) extern char standin_##name[];
#define DATA(name, symbol, library) extern char standin_##name[];
#define CALLBACK(name, symbol, faults)
#include "imports.def"
#undef FUNCTION
#undef DATA
#undef CALLBACK

static const struct {
    const char *symbol;
    const char *library;
    char *address;
} symbols[] = {
#define FUNCTION(name, symbol, library, faults) {symbol, LIBRARY_##library, standin_##name},
#define DATA(name, symbol, library) {symbol, LIBRARY_##library, standin_##name},
#define CALLBACK(name, symbol, faults)
#include "imports.def"
#undef FUNCTION
#undef DATA
#undef CALLBACK
};

void *standin_resolve(const char *symbol, const char *install_name) {
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
        if (strcmp(symbols[i].symbol, symbol) == 0 && strcmp(symbols[i].library, install_name) == 0) return symbols[i].address;
    return NULL;
}
