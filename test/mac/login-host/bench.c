#define _GNU_SOURCE
#include "bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine.h"
#include "fdesetup.h"
#include "plugin.h"
#include "record.h"
#include "run.h"
#include "standin.h"
#include "trace.h"
#include "world.h"

#define IDLE_ROUNDS 20001
#define ROTATION_ROUNDS 21

/* How long the modelled fdesetup takes. The real one takes seconds to rotate; only what is added around it is measured. */
#define STATUS_NS 10000000
#define ROTATION_NS 50000000

static const struct behaviour modelled_status = {"modelled status", {{STEP_SLEEP, NULL, 0, 1, STATUS_NS, 0}, {STEP_OUT, "FileVault is On.\n", 17, 1, 0, 0}, {STEP_EXIT, NULL, 0, 1, 0, 0}}, 3};
static const struct behaviour modelled_rotation = {"modelled rotation", {{STEP_READ, NULL, 0, 1, 0, 0}, {STEP_SLEEP, NULL, 0, 1, ROTATION_NS, 0}, {STEP_EXIT, NULL, 0, 1, 0, 0}}, 3};

static int64_t samples[IDLE_ROUNDS];

static int by_value(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static int64_t median(size_t count) {
    qsort(samples, count, sizeof *samples, by_value);
    return samples[count / 2];
}

static void print(const char *what, int64_t ns, unsigned processes) {
    printf("{\"type\":\"bench\",\"slice\":\"%s\",\"what\":\"%s\",\"medianNs\":%lld,\"processes\":%u}\n", plugin_slice(), what, (long long)ns, processes);
    fflush(stdout);
}

static void prepare(const struct json *list, const char *id) {
    static struct scenario one;
    for (size_t i = 0; i < list->length; i++)
        if (strcmp(json_text(&list->items[i], "id", ""), id) == 0) scenario_load(&one, &list->items[i]);
    scenario = &one;
    login = &one.logins[0];
    login->isactive = &modelled_status;
    login->changerecovery = &modelled_rotation;
    login->key_file_delay = 0;
    world_reset();
    world->real_time = true;
    files_start();
    preferences_start();
    trace_start();
}

static void measure_idle(const struct json *list) {
    prepare(list, "idle");
    engine_open();
    for (int i = 0; i < IDLE_ROUNDS; i++) samples[i] = engine_timed_invoke();
    print("plugin, idle login", median(IDLE_ROUNDS), world->players);
}

static int64_t children_ns(void) {
    int64_t sum = 0;
    for (unsigned i = 0; i < world->players; i++) sum += world->player[i].ended_real - world->player[i].started_real;
    return sum;
}

static void measure_rotation(const struct json *list) {
    unsigned processes = 0;
    prepare(list, "rotates");
    engine_open();
    for (int i = 0; i < ROTATION_ROUNDS; i++) {
        world_reset();
        world->real_time = true;
        preferences_start();
        int64_t whole = engine_timed_invoke();
        samples[i] = whole - children_ns();
        processes = world->players;
    }
    print("plugin, time added around fdesetup on rotation", median(ROTATION_ROUNDS), processes);
}

/* Upstream 1.0.0: Process, waitUntilExit, read to the end. Source: EBMechanism.swift, Invoke.swift (macadmins/escrow-buddy). */
static void model_child(const struct behaviour *row, const char *input) {
    int in[2], out[2];
    struct player *player = world_add_player();
    if (pipe(in) != 0 || pipe(out) != 0 || !player) return;
    player->pid = fork();
    if (player->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(out[1], 2);
        for (int i = 3; i < 64; i++) close(i);
        fdesetup_play(row, player, 0);
    }
    close(in[0]);
    close(out[1]);
    if (input && write(in[1], input, strlen(input)) < 0) violation("model");
    close(in[1]);
    char text[512];
    while (read(out[0], text, sizeof text) > 0) continue;
    waitpid(player->pid, NULL, 0);
    close(out[0]);
}

static void measure_upstream(const struct json *list, bool rotating) {
    prepare(list, "rotates");
    for (int i = 0; i < ROTATION_ROUNDS; i++) {
        world_reset();
        world->real_time = true;
        int64_t began = real_ns();
        model_child(&modelled_status, NULL);
        if (rotating) model_child(&modelled_rotation, "<plist/>");
        samples[i] = real_ns() - began - (rotating ? children_ns() : 0);
    }
    print(rotating ? "model of upstream, time added around fdesetup on rotation" : "model of upstream, idle login, its fdesetup status taking 10 ms", median(ROTATION_ROUNDS), world->players);
}

static void in_process_of_its_own(const struct json *list, int which) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (which == 0) measure_idle(list);
        if (which == 1) measure_rotation(list);
        if (which > 1) measure_upstream(list, which == 3);
        exit(0);
    }
    waitpid(pid, NULL, 0);
}

void bench(const struct json *list) {
    recording = false;
    for (int which = 0; which < 4; which++) in_process_of_its_own(list, which);
}
