#include "sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"
#include "plugin.h"
#include "record.h"
#include "run.h"
#include "world.h"

#define EVERY_CALL_UP_TO 256
#define LASTING_FROM 3
#define FAILURES_PRINTED 50

static struct {
    unsigned long runs, fired, broken;
    unsigned covered[IMPORT_COUNT]; /* kinds that fired */
    uint64_t worst_ns;
    int64_t began;
} total;

static bool play_fault(struct scenario *one, int import, enum fault kind, unsigned call, bool lasting) {
    fault_plan = (struct fault_plan){import, kind, call, lasting};
    bool kept = run_once(one);
    total.runs++;
    total.fired += world->fault_fired;
    if (world->fault_fired) total.covered[import] |= kind;
    if (world->worst_ns > total.worst_ns) total.worst_ns = world->worst_ns;
    if (!kept && ++total.broken <= FAILURES_PRINTED) run_print();
    return world->fault_fired;
}

static int finish(const char *mode) {
    double seconds = (double)(real_ns() - total.began) / NS_PER_SECOND;
    printf("{\"type\":\"sweep\",\"mode\":\"%s\",\"slice\":\"%s\",\"runs\":%lu,\"fired\":%lu,\"broken\":%lu,\"worstMs\":%llu,\"seconds\":%.2f,\"runsPerSecond\":%.0f,\"covered\":[",
           mode, plugin_slice(), total.runs, total.fired, total.broken, (unsigned long long)total.worst_ns / 1000000, seconds, (double)total.runs / seconds);
    bool first = true;
    for (int i = 0; i < IMPORT_COUNT; i++)
        for (int k = 0; k < FAULT_KINDS; k++) {
            if (!(total.covered[i] & 1u << k)) continue;
            printf("%s\"%s %s\"", first ? "" : ",", import_table[i].symbol, fault_name((enum fault)(1 << k)));
            first = false;
        }
    printf("]}\n");
    return total.broken ? 1 : 0;
}

static void sweep_import(struct scenario *one, int import, enum fault kind) {
    for (unsigned call = 1; play_fault(one, import, kind, call, false); call += call < EVERY_CALL_UP_TO ? 1 : call / 20) continue;
    for (unsigned call = 1; call <= LASTING_FROM; call++)
        if (!play_fault(one, import, kind, call, true)) break;
}

static void parse_shard(const char *shard, unsigned *index, unsigned *count) {
    *index = (unsigned)atoi(shard);
    const char *slash = strchr(shard, '/');
    *count = slash ? (unsigned)atoi(slash + 1) : 1;
    if (*count == 0) *count = 1;
}

int sweep_full(const struct json *list, const char *shard) {
    static struct scenario one;
    unsigned index, shards;
    parse_shard(shard, &index, &shards);
    recording = false;
    total.began = real_ns();
    for (size_t i = 0; i < list->length; i++) {
        if (i % shards != index - 1) continue;
        unsigned long before = total.runs;
        scenario_load(&one, &list->items[i]);
        for (int import = 0; import < IMPORT_COUNT; import++)
            for (int k = 0; k < FAULT_KINDS; k++)
                if (import_table[import].faults & 1u << k) sweep_import(&one, import, (enum fault)(1 << k));
        scenario_unload(&one);
        printf("{\"type\":\"swept\",\"scenario\":\"%s\",\"slice\":\"%s\",\"runs\":%lu}\n", one.id, plugin_slice(), total.runs - before);
        fflush(stdout);
    }
    return finish("full");
}

static uint64_t state;

/* xorshift64; the same draw for the same seed on every machine. */
static unsigned draw(unsigned below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % below;
}

/* Plays one fault of a scenario drawn among those that make the call at all; few make some calls. */
static void sample_one(const struct json *list, unsigned (*calls)[IMPORT_COUNT], int import, enum fault kind) {
    static struct scenario one;
    unsigned callers = 0;
    size_t which = 0;
    for (size_t i = 0; i < list->length; i++) callers += calls[i][import] > 0;
    if (callers == 0) return;
    for (unsigned left = draw(callers);; which++)
        if (calls[which][import] && left-- == 0) break;
    scenario_load(&one, &list->items[which]);
    bool lasting = draw(4) == 0;
    play_fault(&one, import, kind, 1 + draw(lasting && calls[which][import] > LASTING_FROM ? LASTING_FROM : calls[which][import]), lasting);
    scenario_unload(&one);
}

int sweep_sample(const struct json *list, unsigned seed, unsigned runs, const char *shard) {
    static struct scenario one;
    unsigned index, shards;
    unsigned(*calls)[IMPORT_COUNT] = calloc(list->length, sizeof *calls);
    parse_shard(shard, &index, &shards);
    recording = false;
    state = 0x9e3779b97f4a7c15ULL * (seed + 1) + index;
    total.began = real_ns();
    fault_plan.import = -1;
    for (size_t i = 0; i < list->length; i++) {
        scenario_load(&one, &list->items[i]);
        run_once(&one);
        scenario_unload(&one);
        memcpy(calls[i], world->calls, sizeof *calls);
    }
    for (int import = 0; import < IMPORT_COUNT; import++)
        for (int k = 0; k < FAULT_KINDS; k++)
            if (import_table[import].faults & 1u << k) sample_one(list, calls, import, (enum fault)(1 << k));
    while (total.runs < runs) {
        int import = (int)draw(IMPORT_COUNT);
        enum fault kind = (enum fault)(1 << draw(FAULT_KINDS));
        if (import_table[import].faults & kind) sample_one(list, calls, import, kind);
    }
    free(calls);
    return finish("sample");
}
