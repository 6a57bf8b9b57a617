/*
 * CFPreferences over the scenario's values. Search list of CopyAppValue, first to last: managed, root on this host, root, /Library/Preferences
 * (AnyUser, CurrentHost), AnyUser on any host. Source: CF project, CFApplicationPreferences.c. A change is stored by Synchronize; one that fails loses it.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cf.h"
#include "record.h"
#include "scenario.h"
#include "standin.h"
#include "world.h"

#define APPLICATION "com.netflix.Escrow-Buddy"
#define ESCROW "com.apple.security.FDERecoveryKeyEscrow"
#define STORED_MOST 24
#define TEXT_MOST 12000

enum domain { MANAGED, ROOT_HERE, ROOT, LOCAL, NETWORK, ESCROW_MANAGED, ESCROW_LOCAL, DOMAINS };
static const char *const domain_names[DOMAINS] = {"managed", "rootHost", "root", "local", "network", "escrowManaged", "escrowLocal"};

struct stored {
    enum domain domain;
    char key[40];
    enum cf_type type; /* 0: removed */
    bool pending; /* not synchronised yet; `before` is what is stored */
    bool real;
    int64_t integer;
    double number;
    char text[TEXT_MOST];
    size_t length;
};
static struct stored values[STORED_MOST], before[STORED_MOST];
static int value_count;

/* The four selectors are objects of this file; their addresses tell them apart. */
extern int32_t standin_CFConstantStringClassReference[32];
#define SELECTOR(name) \
    static const struct cf_object name##_object = {.isa = standin_CFConstantStringClassReference, .flags = 0x7c8, .text = #name, .length = sizeof #name - 1}; \
    const struct cf_object *const standin_##name = &name##_object
SELECTOR(kCFPreferencesAnyUser);
SELECTOR(kCFPreferencesCurrentUser);
SELECTOR(kCFPreferencesAnyHost);
SELECTOR(kCFPreferencesCurrentHost);

static struct stored *find(enum domain domain, const char *key) {
    for (int i = 0; i < value_count; i++)
        if (values[i].domain == domain && strcmp(values[i].key, key) == 0) return &values[i];
    return NULL;
}

static struct stored *slot_for(enum domain domain, const char *key) {
    struct stored *value = find(domain, key);
    if (value) return value;
    if (value_count == STORED_MOST) abort();
    value = &values[value_count];
    memset(value, 0, sizeof *value);
    memset(&before[value_count++], 0, sizeof *before);
    value->domain = domain;
    strncpy(value->key, key, sizeof value->key - 1);
    return value;
}

/* JSON: boolean, number, text; {"date": seconds from the start}; {"data": true}, a type no setting has. */
static void load_value(enum domain domain, const char *key, const struct json *source) {
    struct stored *value = slot_for(domain, key);
    const struct json *date = json_get(source, "date");
    value->type = source->kind == JSON_BOOLEAN ? CF_BOOLEAN : source->kind == JSON_NUMBER ? CF_NUMBER : source->kind == JSON_STRING ? CF_STRING : date ? CF_DATE : CF_DATA;
    value->integer = source->kind == JSON_BOOLEAN ? source->boolean : (int64_t)source->number;
    value->real = source->kind == JSON_NUMBER && !source->integral;
    value->number = date ? (double)wall_ns() / NS_PER_SECOND - CF_EPOCH_SECONDS + date->number : value->real ? source->number : 0;
    if (source->kind != JSON_STRING) return;
    value->length = source->length < TEXT_MOST ? source->length : TEXT_MOST - 1;
    memcpy(value->text, source->text, value->length);
}

void preferences_start(void) {
    const struct json *given = json_get(scenario->source, "preferences");
    value_count = 0;
    for (int domain = 0; domain < DOMAINS; domain++) {
        const struct json *settings = json_get(given, domain_names[domain]);
        for (size_t i = 0; settings && i < settings->length; i++) load_value((enum domain)domain, settings->keys[i], &settings->items[i]);
    }
    static const struct json yes = {.kind = JSON_BOOLEAN, .boolean = true};
    static const struct json place = {.kind = JSON_STRING, .text = (char *)"Example MDM", .length = 11};
    if (!json_get(given, "local")) load_value(LOCAL, "GenerateNewKey", &yes);
    if (!json_get(given, "escrowManaged")) load_value(ESCROW_MANAGED, "Location", &place);
}

static const char *key_text(const struct cf_object *key) {
    if (cf_type_of(key) == CF_STRING) return key->text;
    violation("a preference's key is not a string");
    return "?";
}

static bool is_escrow(const struct cf_object *application) {
    if (cf_is(application, ESCROW)) return true;
    if (!cf_is(application, APPLICATION)) violation("uses the preferences of %s", key_text(application));
    return false;
}

static enum domain domain_of(const struct cf_object *application, const struct cf_object *user, const struct cf_object *host) {
    bool any_user = user == standin_kCFPreferencesAnyUser, here = host == standin_kCFPreferencesCurrentHost;
    if (!any_user && user != standin_kCFPreferencesCurrentUser) violation("a preference of an unknown user");
    if (!here && host != standin_kCFPreferencesAnyHost) violation("a preference of an unknown host");
    if (is_escrow(application)) return ESCROW_LOCAL;
    return any_user ? (here ? LOCAL : NETWORK) : (here ? ROOT_HERE : ROOT);
}

static const struct cf_object *object_of(const struct stored *value) {
    if (!value) return NULL;
    switch (value->type) {
    case CF_BOOLEAN: return cf_boolean(value->integer != 0);
    case CF_NUMBER: return value->real ? cf_make_real(value->number) : cf_make_integer(value->integer);
    case CF_STRING: return cf_make_string(value->text, value->length);
    case CF_DATE: return cf_make_date(value->number);
    case CF_DATA: return cf_make_data();
    default: return NULL;
    }
}

static const struct cf_object *deliver(enum fault fault, const char *domain, const struct cf_object *key, const struct stored *value) {
    event_begin("preference-read");
    event_text("from", domain);
    event_text("key", key_text(key));
    event_end();
    if (fault == FAULT_WRONG_TYPE) return cf_make_data();
    return fault ? NULL : object_of(value);
}

static const struct stored *search(const struct cf_object *key, const struct cf_object *application) {
    static const enum domain order[] = {MANAGED, ROOT_HERE, ROOT, LOCAL, NETWORK};
    static const enum domain escrow_order[] = {ESCROW_MANAGED, ESCROW_LOCAL};
    bool escrow = is_escrow(application);
    for (size_t i = 0; i < (escrow ? 2 : 5); i++) {
        const struct stored *value = find(escrow ? escrow_order[i] : order[i], key_text(key));
        if (value && value->type) return value;
    }
    return NULL;
}

const struct cf_object *standin_CFPreferencesCopyValue(const struct cf_object *key, const struct cf_object *application, const struct cf_object *user, const struct cf_object *host) {
    enum fault fault = called(ID_CFPreferencesCopyValue);
    enum domain domain = domain_of(application, user, host);
    return deliver(fault, domain_names[domain], key, find(domain, key_text(key)));
}

const struct cf_object *standin_CFPreferencesCopyAppValue(const struct cf_object *key, const struct cf_object *application) {
    enum fault fault = called(ID_CFPreferencesCopyAppValue);
    return deliver(fault, is_escrow(application) ? "escrow" : "search", key, search(key, application));
}

uint32_t standin_CFPreferencesAppValueIsForced(const struct cf_object *key, const struct cf_object *application) {
    enum fault fault = called(ID_CFPreferencesAppValueIsForced);
    bool escrow = is_escrow(application);
    event_begin("preference-forced");
    event_text("key", key_text(key));
    event_end();
    return !fault && find(escrow ? ESCROW_MANAGED : MANAGED, key_text(key)) != NULL;
}

static bool truthy(const struct stored *value) {
    if (!value) return false;
    if (value->type == CF_BOOLEAN || value->type == CF_NUMBER) return value->integer != 0 || value->number != 0;
    return value->type == CF_STRING && (strcmp(value->text, "1") == 0 || strchr("tTyY", value->text[0]) || strcasecmp(value->text, "on") == 0);
}

bool preferences_requested(void) { return truthy(find(LOCAL, "GenerateNewKey")); }

static double number_of(const struct stored *value) { return !value ? -1 : value->real ? value->number : (double)value->integer; }

bool preferences_held_back(int64_t uid) {
    const struct stored *failures = find(LOCAL, "ConsecutiveFailures"), *last = find(LOCAL, "LastAttempt"), *user = find(LOCAL, "LastFailedUID");
    if (!failures || failures->type != CF_NUMBER || number_of(failures) < 3 || !last || last->type != CF_DATE) return false;
    if (user && user->type == CF_NUMBER && uid >= 0 && number_of(user) != (double)uid) return false;
    double since = (double)wall_ns() / NS_PER_SECOND - CF_EPOCH_SECONDS - last->number;
    return since >= 0 && since < 86400;
}

static void check_write(const struct cf_object *key, const struct stored *was, const struct stored *is) {
    if (cf_is(key, "GenerateNewKey") && truthy(was) && !truthy(is) && !world->key_changed) violation("clears the request without a success");
    if (is->type == CF_STRING) secret_in(is->text, is->length, "a preference");
}

void standin_CFPreferencesSetValue(const struct cf_object *key, const struct cf_object *object, const struct cf_object *application, const struct cf_object *user, const struct cf_object *host) {
    enum fault fault = called(ID_CFPreferencesSetValue);
    enum domain domain = domain_of(application, user, host);
    event_begin("preference-set");
    event_text("domain", domain_names[domain]);
    event_text("key", key_text(key));
    event_end();
    if (domain == ESCROW_LOCAL) violation("writes to the escrow profile's domain");
    if (fault) return;
    struct stored *value = slot_for(domain, key_text(key)), was = *value;
    if (!value->pending) before[value - values] = was;
    memset(value, 0, sizeof *value);
    value->domain = domain;
    memcpy(value->key, was.key, sizeof value->key);
    value->pending = true;
    value->type = object ? cf_type_of(object) : 0;
    if (value->type && value->type != CF_STRING) value->real = object->real, value->integer = object->integer, value->number = object->number;
    if (value->type == CF_STRING) memcpy(value->text, object->text, value->length = (size_t)object->length < TEXT_MOST ? (size_t)object->length : TEXT_MOST - 1);
    check_write(key, &was, value);
}

static uint32_t synchronise(bool works, enum domain domain) {
    for (int i = 0; i < value_count; i++) {
        if (!values[i].pending || values[i].domain != domain) continue;
        if (!works) values[i] = before[i];
        values[i].pending = false;
    }
    event_begin("preference-synchronise");
    event_text("domain", domain_names[domain]);
    event_boolean("stored", works);
    event_end();
    return works;
}

uint32_t standin_CFPreferencesSynchronize(const struct cf_object *application, const struct cf_object *user, const struct cf_object *host) {
    bool works = !called(ID_CFPreferencesSynchronize) && strcmp(scenario->preferences_fail, "synchronise") != 0;
    int64_t taken = (int64_t)(scenario->preferences_seconds * NS_PER_SECOND);
    world_pass(taken);
    world->preferences_ns += taken;
    return synchronise(works, domain_of(application, user, host));
}

uint32_t standin_CFPreferencesAppSynchronize(const struct cf_object *application) {
    bool works = !called(ID_CFPreferencesAppSynchronize) && strcmp(scenario->preferences_fail, "synchronise") != 0;
    return synchronise(works, is_escrow(application) ? ESCROW_LOCAL : LOCAL);
}

static void record_value(const struct stored *value) {
    static const char *const types[] = {[CF_STRING] = "string", [CF_BOOLEAN] = "boolean", [CF_NUMBER] = "number", [CF_DATE] = "date", [CF_DATA] = "data"};
    event_begin("stored");
    event_text("domain", domain_names[value->domain]);
    event_text("key", value->key);
    event_text("type", types[value->type]);
    if (value->type == CF_STRING) event_bytes("value", value->text, value->length);
    if (value->type == CF_BOOLEAN) event_boolean("value", value->integer != 0);
    if (value->type == CF_NUMBER) event_number("value", value->integer);
    if (value->type == CF_DATE) event_number("value", (long long)(value->number + CF_EPOCH_SECONDS)); /* seconds since 1970 */
    event_end();
}

/* A change that was never synchronised is not stored. */
void preferences_record(void) {
    for (int i = 0; i < value_count; i++) {
        if (values[i].pending) violation("leaves %s unsynchronised", values[i].key);
        if (values[i].type) record_value(&values[i]);
    }
}
