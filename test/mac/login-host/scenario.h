/* A scenario: what the engine's context, the preferences and `fdesetup` are like in one or several logins. Format: README.md in this folder; table: test/fixtures/login-host/scenarios.json. */
#ifndef LOGIN_HOST_SCENARIO_H
#define LOGIN_HOST_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "darwin.h"
#include "json.h"

#define SCENARIO_VALUES 24
#define SCENARIO_MOMENTS 8
#define SCENARIO_LOGINS 6
#define BEHAVIOUR_STEPS 8

enum step_kind { STEP_READ, STEP_OUT, STEP_ERR, STEP_SLEEP, STEP_CLOSE, STEP_ECHO, STEP_IGNORE, STEP_SIGNAL, STEP_FORK, STEP_COUNT, STEP_SPAWN_ERROR, STEP_EXIT };

struct step {
    enum step_kind kind;
    const char *bytes;
    size_t length;
    long times; /* -1: for ever */
    int64_t delay; /* ns */
    int number; /* exit status, signal (Linux), errno (Darwin), stream, count */
};

/* One row of the fdesetup table. */
struct behaviour {
    const char *id;
    struct step steps[BEHAVIOUR_STEPS];
    int step_count;
};

enum value_state { VALUE_GIVEN, VALUE_NULL, VALUE_NULL_DATA, VALUE_REFUSED };

/* A context or hint value; `value.data` ends where an unreadable page begins, so a read past the length crashes. */
struct engine_value {
    const char *key;
    bool hint;
    enum value_state state;
    struct authorization_value value;
    void *pages;
    size_t pages_size;
};

/* Something that happens at the n-th wait (poll or sleep) of an Invoke. */
struct moment {
    unsigned wait;
    bool deactivate;
    int64_t date; /* ns the date jumps */
    int64_t sleep; /* ns the machine sleeps */
};

struct login {
    int64_t after; /* ns since the login before */
    struct engine_value values[SCENARIO_VALUES];
    int value_count;
    const struct behaviour *isactive;
    const struct behaviour *changerecovery;
    const struct behaviour *list;
    int64_t key_file_delay; /* ns after success; -1 never */
    struct moment moments[SCENARIO_MOMENTS];
    int moment_count;
    const char *deactivate; /* "after" (as authorizationhost does), "before", "twice", "never" */
    const char *mechanism_id;
    bool same_mechanism; /* invoked again, not created anew */
    char password[4096];
    size_t password_length;
};

struct scenario {
    const char *id;
    const struct json *source;
    unsigned callbacks_version;
    int64_t key_file_age; /* ns before the start; -1 absent */
    unsigned pipe_capacity; /* bytes a pipe takes; 0 the machine's */
    bool hangup_as_error; /* poll reports a pipe without a reader as POLLERR, else as POLLHUP */
    bool child_signals_ignored; /* the host ignores SIGCHLD: waitpid never gets a status */
    bool debug_log; /* debug messages are enabled */
    int crowd; /* other mechanisms alive meanwhile */
    const char *preferences_fail; /* "none", "synchronise" */
    double preferences_seconds; /* that each Synchronize takes */
    bool key_changed_before; /* an attempt before the first login changed the key */
    const char *key_file_change; /* how the key's file differs after a change: "newer", "older", "inode", "gone" */
    double timeout_seconds; /* effective CommandTimeout, for the deadline rule */
    struct login logins[SCENARIO_LOGINS];
    int login_count;
};

/* Reads the tables; ends the program with a message when a row is unknown. */
void behaviours_load(const char *path);
const struct behaviour *behaviour_by_id(const char *id);
/* Returns the key the table prints as the new recovery key. */
const char *behaviours_key(void);
void scenario_load(struct scenario *scenario, const struct json *source);
/* Frees the guarded pages of `scenario`. */
void scenario_unload(struct scenario *scenario);
/* Makes the context values readable (during an Invoke) or not at all. */
void scenario_expose(const struct login *login, bool readable);

/* The run at hand. */
extern struct scenario *scenario;
extern struct login *login;

#endif
