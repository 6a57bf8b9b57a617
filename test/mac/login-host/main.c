/* login-host: see README.md in this folder. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench.h"
#include "faults.h"
#include "plugin.h"
#include "record.h"
#include "run.h"
#include "sweep.h"
#include "world.h"

static const char usage[] =
    "usage: login-host --plugin FILE --scenarios FILE --behaviours FILE COMMAND [...]\n"
    "  run [ID...]                              plays scenarios, one JSON line each\n"
    "  fault ID SYMBOL KIND CALL [lasting]      plays one scenario with one failing call\n"
    "  plant PLACE                              leaves secrets in stack, heap, objects or data; the search must find them\n"
    "  sample SEED RUNS [SHARD/SHARDS]          plays a seeded sample of faults that covers every import\n"
    "  full [SHARD/SHARDS]                      plays every fault of every scenario\n"
    "  imports                                  prints what was bound\n"
    "  bench                                    measures\n";

struct options {
    const char *plugin, *scenarios, *behaviours;
};

static int take_options(struct options *options, int count, char **arguments) {
    int at = 1;
    for (; at + 1 < count && strncmp(arguments[at], "--", 2) == 0; at += 2) {
        if (strcmp(arguments[at], "--plugin") == 0) options->plugin = arguments[at + 1];
        else if (strcmp(arguments[at], "--scenarios") == 0) options->scenarios = arguments[at + 1];
        else if (strcmp(arguments[at], "--behaviours") == 0) options->behaviours = arguments[at + 1];
        else break;
    }
    return at;
}

static void print_imports(void) {
    const struct image *image = plugin_image();
    if (!image) return;
    printf("{\"type\":\"imports\",\"slice\":\"%s\",\"fixups\":\"%s\",\"rebases\":%zu,\"binds\":%zu,\"libraries\":[", plugin_slice(), image->fixup_format, image->rebases, image->binds);
    for (size_t i = 0; i < image->library_count; i++) printf("%s\"%s\"", i ? "," : "", image->libraries[i]);
    printf("],\"imports\":[");
    for (size_t i = 0; i < image->import_count; i++) printf("%s\"%s\"", i ? "," : "", image->imports[i]);
    printf("]}\n");
}

static void run_named(const struct json *list, const char *id) {
    static struct scenario one;
    for (size_t i = 0; i < list->length; i++) {
        if (id && strcmp(json_text(&list->items[i], "id", ""), id) != 0) continue;
        scenario_load(&one, &list->items[i]);
        run_once(&one);
        run_print();
        scenario_unload(&one);
    }
}

static int run_fault(const struct json *list, int count, char **arguments) {
    if (count < 4) return 2;
    fault_plan.import = import_by_symbol(arguments[1]);
    fault_plan.kind = fault_by_name(arguments[2]);
    fault_plan.first = (unsigned)atoi(arguments[3]);
    fault_plan.lasting = count > 4;
    if (fault_plan.import < 0 || !fault_plan.kind) return 2;
    run_named(list, arguments[0]);
    return 0;
}

static int command(const struct json *list, int count, char **arguments) {
    const char *name = arguments[0];
    if (strcmp(name, "run") == 0) {
        if (count == 1) run_named(list, NULL);
        for (int i = 1; i < count; i++) run_named(list, arguments[i]);
        return 0;
    }
    if (strcmp(name, "fault") == 0) return run_fault(list, count - 1, arguments + 1);
    if (strcmp(name, "imports") == 0) return print_imports(), 0;
    if (strcmp(name, "bench") == 0) return bench(list), 0;
    if (strcmp(name, "plant") == 0 && count > 1) {
        run_plant = arguments[1];
        return run_named(list, list->items[0].items[0].text), 0;
    }
    if (strcmp(name, "sample") == 0 && count > 2) return sweep_sample(list, (unsigned)atoi(arguments[1]), (unsigned)atoi(arguments[2]), count > 3 ? arguments[3] : "1/1");
    if (strcmp(name, "full") == 0) return sweep_full(list, count > 1 ? arguments[1] : "1/1");
    return 2;
}

int main(int count, char **arguments) {
    struct options options = {0};
    struct rlimit none = {0, 0};
    int at = take_options(&options, count, arguments);
    if (!options.plugin || !options.scenarios || !options.behaviours || at >= count) {
        fputs(usage, stderr);
        return 2;
    }
    setrlimit(RLIMIT_CORE, &none);
    signal(SIGPIPE, SIG_IGN);
    world_create();
    behaviours_load(options.behaviours);
    plugin_load(options.plugin);
    int status = command(json_read_file(options.scenarios), count - at, arguments + at);
    if (status == 2) fputs(usage, stderr);
    return status;
}
