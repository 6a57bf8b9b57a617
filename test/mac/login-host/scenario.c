#define _GNU_SOURCE
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "world.h"

struct scenario *scenario;
struct login *login;

static void guard(struct engine_value *value, const void *bytes, size_t length) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), body = (length + page) / page * page;
    uint8_t *pages = mmap(NULL, body + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) abort();
    mprotect(pages + body, page, PROT_NONE);
    value->pages = pages;
    value->pages_size = body + page;
    value->value.data = memcpy(pages + body - length, bytes, length);
    value->value.length = length;
}

static size_t decode_hex(const char *hex, uint8_t *out) {
    size_t length = strlen(hex) / 2;
    for (size_t i = 0; i < length; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        out[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return length;
}

/* A text; or {"hex"}; or {"repeat", "times"}; or {"state": "null" | "null-data" | "refused"}. JSON null: the key is not there. */
static void read_engine_value(struct engine_value *value, const struct json *source) {
    static uint8_t bytes[1 << 20];
    size_t length = 0;
    const char *state = json_text(source, "state", "given"), *repeat = json_text(source, "repeat", NULL), *hex = json_text(source, "hex", NULL);
    value->state = strcmp(state, "null") == 0 ? VALUE_NULL : strcmp(state, "null-data") == 0 ? VALUE_NULL_DATA : strcmp(state, "refused") == 0 ? VALUE_REFUSED : VALUE_GIVEN;
    if (source->kind == JSON_STRING) memcpy(bytes, source->text, length = source->length);
    else if (hex) length = decode_hex(hex, bytes);
    for (long i = repeat ? (long)json_number(source, "times", 1) : 0; i > 0; i--, length += strlen(repeat)) memcpy(bytes + length, repeat, strlen(repeat));
    guard(value, bytes, length);
    if (value->state == VALUE_NULL_DATA) value->value.data = NULL, value->value.length = 5;
}

static void set_values(struct login *login, const struct json *values, bool hint) {
    for (size_t i = 0; values && i < values->length; i++) {
        struct engine_value *value = NULL;
        for (int j = 0; j < login->value_count; j++)
            if (login->values[j].hint == hint && strcmp(login->values[j].key, values->keys[i]) == 0) value = &login->values[j];
        if (!value) {
            if (login->value_count == SCENARIO_VALUES) exit(2);
            value = &login->values[login->value_count++];
        }
        value->key = values->keys[i];
        value->hint = hint;
        if (values->items[i].kind == JSON_NULL) value->state = VALUE_NULL, value->pages = NULL, value->value.data = NULL;
        else read_engine_value(value, &values->items[i]);
    }
}

static void read_moments(struct login *login, const struct json *moments) {
    if (moments) login->moment_count = 0;
    for (size_t i = 0; moments && i < moments->length && i < SCENARIO_MOMENTS; i++) {
        struct moment *moment = &login->moments[login->moment_count++];
        moment->wait = (unsigned)json_number(&moments->items[i], "wait", 1);
        const struct json *deactivate = json_get(&moments->items[i], "deactivate");
        moment->deactivate = deactivate && deactivate->boolean;
        moment->date = (int64_t)(json_number(&moments->items[i], "date", 0) * NS_PER_SECOND);
        moment->sleep = (int64_t)(json_number(&moments->items[i], "sleep", 0) * NS_PER_SECOND);
    }
}

static void read_login(struct login *login, const struct json *source) {
    const struct json *rows = json_get(source, "fdesetup"), *delay = json_get(source, "keyFileDelay"), *same = json_get(source, "sameMechanism");
    set_values(login, json_get(source, "context"), false);
    set_values(login, json_get(source, "hints"), true);
    login->after = (int64_t)(json_number(source, "after", 0) * NS_PER_SECOND);
    const char *isactive = json_text(rows, "isactive", NULL), *change = json_text(rows, "changerecovery", NULL), *list = json_text(rows, "list", NULL);
    if (isactive) login->isactive = behaviour_by_id(isactive);
    if (change) login->changerecovery = behaviour_by_id(change);
    if (list) login->list = behaviour_by_id(list);
    if (delay) login->key_file_delay = delay->kind == JSON_NUMBER ? (int64_t)(delay->number * NS_PER_SECOND) : -1;
    login->deactivate = json_text(source, "deactivate", login->deactivate);
    login->mechanism_id = json_text(source, "mechanism", login->mechanism_id);
    login->same_mechanism = same && same->boolean;
    read_moments(login, json_get(source, "moments"));
}

static void note_password(struct login *login) {
    login->password_length = 0;
    for (int i = 0; i < login->value_count; i++) {
        const struct engine_value *value = &login->values[i];
        if (value->hint || strcmp(value->key, "password") != 0 || value->state != VALUE_GIVEN || value->value.length > sizeof login->password) continue;
        memcpy(login->password, value->value.data, login->password_length = value->value.length);
        while (login->password_length && login->password[login->password_length - 1] == 0) login->password_length--;
    }
}

/* The happy path, which each scenario changes in a few places. */
static void set_defaults(struct login *login) {
    static const struct json username = {.kind = JSON_STRING, .text = (char *)"alex", .length = 4};
    static const struct json password = {.kind = JSON_STRING, .text = (char *)"Tr0ub4dor &3 <c0rrect>", .length = 22};
    login->isactive = behaviour_by_id("isactive-true");
    login->changerecovery = behaviour_by_id("change-ok");
    login->list = behaviour_by_id("list-one");
    login->key_file_delay = NS_PER_SECOND / 5;
    login->deactivate = "after";
    login->mechanism_id = "Invoke";
    login->values[0].key = "username";
    login->values[1].key = "password";
    read_engine_value(&login->values[0], &username);
    read_engine_value(&login->values[1], &password);
    login->values[2].key = "uid";
    guard(&login->values[2], (const uint8_t[]){0xf5, 0x01, 0, 0}, 4); /* 501, the first user of a Mac */
    login->value_count = 3;
}

void scenario_load(struct scenario *scenario, const struct json *source) {
    memset(scenario, 0, sizeof *scenario);
    const struct json *later = json_get(source, "logins"), *age = json_get(source, "keyFileAge");
    const struct json *ignored = json_get(source, "childSignalsIgnored"), *debug = json_get(source, "debugLog"), *before = json_get(source, "keyChangedBefore");
    scenario->id = json_text(source, "id", "?");
    scenario->source = source;
    scenario->callbacks_version = (unsigned)json_number(source, "callbacksVersion", 4);
    scenario->key_file_age = !age ? 86400 * NS_PER_SECOND : age->kind == JSON_NUMBER ? (int64_t)(age->number * NS_PER_SECOND) : -1;
    scenario->pipe_capacity = (unsigned)json_number(source, "pipeCapacity", 0);
    scenario->hangup_as_error = strcmp(json_text(source, "hangup", ""), "error") == 0;
    scenario->child_signals_ignored = ignored && ignored->boolean;
    scenario->crowd = (int)json_number(source, "crowd", 0);
    scenario->debug_log = debug && debug->boolean;
    scenario->preferences_fail = json_text(source, "preferencesFail", "none");
    scenario->preferences_seconds = json_number(source, "preferencesSeconds", 0);
    scenario->key_changed_before = before && before->boolean;
    scenario->key_file_change = json_text(source, "keyFileChange", "newer");
    scenario->timeout_seconds = json_number(source, "timeoutSeconds", 30);
    set_defaults(&scenario->logins[0]);
    read_login(&scenario->logins[0], source);
    note_password(&scenario->logins[0]);
    scenario->login_count = 1;
    for (size_t i = 0; later && i < later->length && scenario->login_count < SCENARIO_LOGINS; i++) {
        struct login *next = &scenario->logins[scenario->login_count++];
        set_defaults(next);
        read_login(next, source);
        read_login(next, &later->items[i]);
        note_password(next);
    }
}

void scenario_unload(struct scenario *scenario) {
    for (int i = 0; i < scenario->login_count; i++)
        for (int j = 0; j < scenario->logins[i].value_count; j++) {
            struct engine_value *value = &scenario->logins[i].values[j];
            if (value->pages) munmap(value->pages, value->pages_size);
        }
}

void scenario_expose(const struct login *login, bool readable) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < login->value_count; i++) {
        const struct engine_value *value = &login->values[i];
        if (value->pages) mprotect(value->pages, value->pages_size - page, readable ? PROT_READ : PROT_NONE);
    }
}
