#include "engine.h"

#include <string.h>

#include "plugin.h"
#include "record.h"
#include "standin.h"
#include "world.h"

#define CROWD_MOST 12
/* 20 s on the plugin's clock, which counts in milliseconds. */
#define LEAST_GIVEN_NS (20 * NS_PER_SECOND - 2000000)

static const struct authorization_interface *interface;
static void *mechanism;
static unsigned waits, results;
static bool invoking, held_back;
static int64_t invoked_at;
static char engine_object[16]; /* what the plugin gets as AuthorizationEngineRef; only its address counts */

static bool is_engine(const void *engine) {
    if (engine != engine_object) violation("calls back with another engine");
    return engine == engine_object;
}

static bool fault_is(enum import_id id) { return fault_plan.import == (int)id; }

/* A key change is not begun with less than 20 s to wait for it. Where the clock or a status cannot be read, nothing is known of its time. */
static void check_changes(void) {
    for (unsigned i = 0; i < world->players; i++) {
        const struct player *player = &world->player[i];
        bool ended = player->waited || player->state == PLAYER_DEAD || player->state == PLAYER_ENDING;
        int64_t given = world->now - player->started;
        if (!player->rotation || player->grandchild || ended || player->started < invoked_at || given >= LEAST_GIVEN_NS) continue;
        if (!fault_is(ID_clock_gettime) && !fault_is(ID_waitpid)) violation("leaves a key change after %.3f s", (double)given / NS_PER_SECOND);
    }
}

static int32_t set_result(void *engine, uint32_t result) {
    enum fault fault = called(ID_set_result);
    check_changes();
    is_engine(engine);
    if (!invoking) violation("SetResult outside of an Invoke");
    if (++results > 1) violation("SetResult a second time in one Invoke");
    if (result == AUTHORIZATION_ALLOW) world->allows++;
    else world->other_results++;
    if (world->now - invoked_at > (int64_t)world->worst_ns) world->worst_ns = (uint64_t)(world->now - invoked_at);
    event_begin("result");
    event_number("value", result);
    event_number("afterMs", (world->now - invoked_at) / 1000000);
    event_end();
    if (!world->real_time) scenario_expose(login, false); /* from here on the engine may free the context */
    return fault ? ERR_AUTHORIZATION_INTERNAL : 0;
}

static int32_t did_deactivate(void *engine) {
    enum fault fault = called(ID_did_deactivate);
    is_engine(engine);
    world->deactivations++;
    event_begin("did-deactivate");
    event_end();
    return fault ? ERR_AUTHORIZATION_INTERNAL : 0;
}

static int32_t give(enum fault fault, bool hint, const char *key, const struct authorization_value **out) {
    static const struct authorization_value no_data = {7, NULL};
    event_begin(hint ? "hint" : "context");
    event_text("key", key);
    event_end();
    if (!invoking || results) violation("reads %s outside of an Invoke", key);
    *out = fault == FAULT_SHORT ? &no_data : NULL;
    if (fault) return fault == FAULT_ERROR ? ERR_AUTHORIZATION_INTERNAL : 0;
    for (int i = 0; i < login->value_count; i++) {
        const struct engine_value *value = &login->values[i];
        if (value->hint != hint || strcmp(value->key, key) != 0) continue;
        if (value->state == VALUE_REFUSED) return ERR_AUTHORIZATION_DENIED;
        if (value->state != VALUE_NULL) *out = &value->value;
        return 0;
    }
    return ERR_AUTHORIZATION_INTERNAL;
}

static int32_t get_context_value(void *engine, const char *key, uint32_t *flags, const struct authorization_value **out) {
    enum fault fault = called(ID_get_context_value);
    is_engine(engine);
    if (flags) *flags = 1;
    return give(fault, false, key, out);
}

static int32_t get_hint_value(void *engine, const char *key, const struct authorization_value **out) {
    enum fault fault = called(ID_get_hint_value);
    is_engine(engine);
    return give(fault, true, key, out);
}

/* What the plugin has no business with. */
static int32_t refuse_other(void *engine) {
    (void)engine;
    violation("calls a callback it must not use");
    return ERR_AUTHORIZATION_INTERNAL;
}

static void fill_callbacks(struct authorization_callbacks *callbacks) {
    int32_t (**slots)(void *) = (void *)&callbacks->set_result;
    for (size_t i = 0; i < (sizeof *callbacks - 8) / sizeof *slots; i++) slots[i] = refuse_other;
    callbacks->version = scenario->callbacks_version;
    callbacks->set_result = set_result;
    callbacks->did_deactivate = did_deactivate;
    callbacks->get_context_value = get_context_value;
    callbacks->get_hint_value = get_hint_value;
}

static void deactivate(void) {
    unsigned before = world->deactivations;
    event_begin("deactivate");
    event_end();
    interface->mechanism_deactivate(mechanism);
    if (world->deactivations != before + 1) violation("does not answer Deactivate with one DidDeactivate");
}

void engine_waits(void) {
    waits++;
    for (int i = 0; i < login->moment_count; i++) {
        const struct moment *moment = &login->moments[i];
        if (moment->wait != waits) continue;
        world->date_shift += moment->date;
        world->slept += moment->sleep;
        if (moment->deactivate) deactivate();
    }
}

/* As the deadline rule allows: the effective CommandTimeout for the change, 10 s for the question before it, 2 s beside them. What CFPreferences takes no limit of the plugin covers. */
static void check_deadline(void) {
    double limit = scenario->timeout_seconds + 10 + 2;
    if (fault_plan.import >= 0 && limit < 42) limit = 42; /* a failing read of CommandTimeout leaves the default */
    double took = (double)(world->now - invoked_at - world->preferences_ns) / NS_PER_SECOND;
    if (took > limit) violation("Invoke took %.3f s", took);
}

/* The user's id as the context has it; -1 when it is not there. */
static int64_t context_uid(void) {
    for (int i = 0; i < login->value_count; i++) {
        const struct engine_value *value = &login->values[i];
        if (value->hint || strcmp(value->key, "uid") != 0 || value->state != VALUE_GIVEN) continue;
        /* authd sets four bytes, another mechanism may set eight; both in little-endian order. */
        if (value->value.length != sizeof(uint32_t) && value->value.length != sizeof(uint64_t)) continue;
        uint64_t uid = 0;
        memcpy(&uid, value->value.data, value->value.length);
        return uid <= UINT32_MAX ? (int64_t)uid : -1;
    }
    return -1;
}

bool engine_held_back(void) { return held_back; }

static void invoke(void) {
    waits = results = 0;
    scenario_expose(login, true);
    held_back = preferences_held_back(context_uid());
    invoking = true;
    invoked_at = world->now;
    world->preferences_ns = 0;
    world->invokes++;
    scenario_expose(login, true);
    event_begin("invoke");
    event_end();
    interface->mechanism_invoke(mechanism);
    if (results == 0) violation("no SetResult by the end of Invoke");
    check_deadline();
    invoking = false;
    scenario_expose(login, false);
}

static bool create_mechanism(void *plugin) {
    /* The id lives only during the call, as a plugin must copy what it keeps. */
    char id[64];
    strncpy(id, login->mechanism_id, sizeof id - 1);
    id[sizeof id - 1] = 0;
    int32_t status = interface->mechanism_create(plugin, engine_object, id, &mechanism);
    memset(id, '#', sizeof id);
    event_begin("create");
    event_number("status", status);
    event_end();
    if (status == 0 && mechanism) return true;
    if (fault_plan.import < 0) violation("MechanismCreate failed with %d", status);
    return false;
}

static void play_login(void *plugin, bool last) {
    if (!mechanism && !create_mechanism(plugin)) return;
    if (strcmp(login->deactivate, "before") == 0) deactivate();
    invoke();
    if (strcmp(login->deactivate, "never") != 0) deactivate();
    if (strcmp(login->deactivate, "twice") == 0) deactivate();
    if (!last && login[1].same_mechanism) return;
    interface->mechanism_destroy(mechanism);
    mechanism = NULL;
}

void engine_drive(void) {
    struct authorization_callbacks callbacks;
    void *plugin = NULL, *crowd[CROWD_MOST] = {NULL};
    fill_callbacks(&callbacks);
    login = &scenario->logins[0];
    int32_t status = plugin_entry()(&callbacks, &plugin, &interface);
    if (status != 0 || !interface || interface->version != 0) {
        violation("AuthorizationPluginCreate failed with %d", status);
        return;
    }
    int crowd_count = scenario->crowd < CROWD_MOST ? scenario->crowd : CROWD_MOST;
    for (int i = 0; i < crowd_count; i++)
        if (interface->mechanism_create(plugin, engine_object, "Invoke", &crowd[i]) != 0 && fault_plan.import < 0) violation("mechanism %d of a crowd failed", i);
    for (int i = 0; i < scenario->login_count; i++) {
        login = &scenario->logins[i];
        world_pass(login->after);
        play_login(plugin, i == scenario->login_count - 1);
    }
    for (int i = 0; i < crowd_count; i++)
        if (crowd[i]) interface->mechanism_destroy(crowd[i]);
    interface->plugin_destroy(plugin);
}

static struct authorization_callbacks open_callbacks;

void engine_open(void) {
    void *plugin = NULL;
    login = &scenario->logins[0];
    fill_callbacks(&open_callbacks);
    if (plugin_entry()(&open_callbacks, &plugin, &interface) != 0 || !create_mechanism(plugin)) violation("cannot create the plugin");
}

int64_t engine_timed_invoke(void) {
    waits = results = 0;
    invoking = true;
    invoked_at = world->now;
    scenario_expose(login, true);
    int64_t began = real_ns();
    interface->mechanism_invoke(mechanism);
    int64_t ended = real_ns();
    invoking = false;
    return ended - began;
}
