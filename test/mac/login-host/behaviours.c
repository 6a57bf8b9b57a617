/* Reads the table of fdesetup's behaviours (test/fixtures/fdesetup/README.md) into steps. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"
#include "world.h"

static struct behaviour *rows;
static size_t row_count;
static const char *key;

static int signal_by_name(const char *name) {
    static const struct {
        const char *name;
        int number;
    } known[] = {{"SEGV", SIGSEGV}, {"KILL", SIGKILL}, {"ABRT", SIGABRT}, {"STOP", SIGSTOP}, {"TERM", SIGTERM}, {"HUP", SIGHUP}, {"BUS", SIGBUS}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, name) == 0) return known[i].number;
    fprintf(stderr, "unknown signal %s\n", name);
    exit(2);
}

static int errno_by_name(const char *name) {
    return strcmp(name, "ENOENT") == 0 ? DARWIN_ENOENT : strcmp(name, "EACCES") == 0 ? DARWIN_EACCES : DARWIN_EAGAIN;
}

static void set_hex(struct step *step, const char *hex) {
    size_t length = strlen(hex) / 2;
    char *bytes = malloc(length + 1);
    for (size_t i = 0; i < length; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        bytes[i] = (char)strtoul(pair, NULL, 16);
    }
    step->bytes = bytes;
    step->length = length;
}

static void read_step(struct step *step, const struct json *source) {
    const char *verb = source->keys[0];
    const struct json *value = &source->items[0];
    step->times = (long)json_number(source, "times", 1);
    step->delay = (int64_t)(json_number(source, "delay", 0) * NS_PER_SECOND);
    step->bytes = value->text;
    step->length = value->length;
    step->number = (int)value->number;
    if (strcmp(verb, "read") == 0) step->kind = STEP_READ;
    else if (strcmp(verb, "out") == 0) step->kind = STEP_OUT;
    else if (strcmp(verb, "err") == 0) step->kind = STEP_ERR;
    else if (strcmp(verb, "err-hex") == 0) step->kind = STEP_ERR, set_hex(step, value->text);
    else if (strcmp(verb, "sleep") == 0) step->kind = STEP_SLEEP, step->delay = (int64_t)(value->number * NS_PER_SECOND);
    else if (strcmp(verb, "close") == 0) step->kind = STEP_CLOSE, step->number = 0;
    else if (strcmp(verb, "echo") == 0) step->kind = STEP_ECHO, step->number = strcmp(value->text, "stderr") == 0 ? 2 : 1;
    else if (strcmp(verb, "ignore") == 0) step->kind = STEP_IGNORE;
    else if (strcmp(verb, "signal") == 0) step->kind = STEP_SIGNAL, step->number = signal_by_name(value->text);
    else if (strcmp(verb, "fork-keep-pipes") == 0) step->kind = STEP_FORK, step->delay = (int64_t)(value->number * NS_PER_SECOND);
    else if (strcmp(verb, "count-calls") == 0) step->kind = STEP_COUNT;
    else if (strcmp(verb, "spawn-error") == 0) step->kind = STEP_SPAWN_ERROR, step->number = errno_by_name(value->text);
    else if (strcmp(verb, "exit") == 0) step->kind = STEP_EXIT;
    else {
        fprintf(stderr, "unknown step %s\n", verb);
        exit(2);
    }
}

static struct step *add_step(struct behaviour *row, enum step_kind kind) {
    if (row->step_count == BEHAVIOUR_STEPS) exit(2);
    struct step *step = &row->steps[row->step_count++];
    step->kind = kind;
    step->times = 1;
    return step;
}

/* A row without steps: read, take its time, print, end. The seconds lie inside the classes at the head of the table. */
static void derive_steps(struct behaviour *row, const struct json *source) {
    const char *duration = json_text(source, "duration", "instant");
    const struct json *out = json_get(source, "stdout"), *err = json_get(source, "stderr");
    if (strcmp(json_text(source, "stdin", ""), "plist") == 0) add_step(row, STEP_READ);
    double seconds = strcmp(duration, "fast") == 0 ? 0.2 : strcmp(duration, "slow") == 0 ? 3 : strcmp(duration, "very-slow") == 0 ? 12 : 0;
    if (seconds > 0) add_step(row, STEP_SLEEP)->delay = (int64_t)(seconds * NS_PER_SECOND);
    const struct json *streams[] = {out, err};
    for (int i = 0; i < 2; i++) {
        if (!streams[i] || !streams[i]->length) continue;
        struct step *step = add_step(row, i ? STEP_ERR : STEP_OUT);
        step->bytes = streams[i]->text;
        step->length = streams[i]->length;
    }
    add_step(row, STEP_EXIT)->number = (int)json_number(source, "exit", 0);
}

void behaviours_load(const char *path) {
    const struct json *table = json_read_file(path);
    const struct json *list = json_get(table, "behaviours");
    key = json_text(table, "testKey", NULL);
    if (!list || !key) exit(2);
    row_count = list->length;
    rows = calloc(row_count, sizeof *rows);
    for (size_t i = 0; i < row_count; i++) {
        const struct json *steps = json_get(&list->items[i], "steps");
        rows[i].id = json_text(&list->items[i], "id", "");
        if (!steps) derive_steps(&rows[i], &list->items[i]);
        for (size_t j = 0; steps && j < steps->length; j++) read_step(add_step(&rows[i], STEP_READ), &steps->items[j]);
    }
}

const struct behaviour *behaviour_by_id(const char *id) {
    for (size_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].id, id) == 0) return &rows[i];
    fprintf(stderr, "no behaviour %s in the table\n", id);
    exit(2);
}

const char *behaviours_key(void) { return key; }
