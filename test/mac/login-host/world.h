/*
 * The machine the plugin believes it runs on: virtual time, and the processes it spawned.
 *
 * Children are real processes with real pipes, but they take turns with the plugin: a child runs only while the plugin is inside poll, nanosleep or
 * waitpid, and only until it would block or sleep. So a run is the same each time, and 30 virtual seconds of waiting take no real ones.
 */
#ifndef LOGIN_HOST_WORLD_H
#define LOGIN_HOST_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "faults.h"

#define NS_PER_SECOND 1000000000LL
#define WORLD_START_NS (3600 * NS_PER_SECOND) /* a round hour, so that traces are readable */
#define WORLD_PLAYERS 16
#define WORLD_STDIN_MOST 65536
#define WORLD_EVENTS_MOST (1 << 20)
#define WORLD_VIOLATIONS 8

enum player_state {
    PLAYER_FREE, /* slot not in use */
    PLAYER_RUNNING, /* has the turn */
    PLAYER_BLOCKED, /* waits for a pipe */
    PLAYER_SLEEPING, /* until wake_at */
    PLAYER_STOPPED, /* SIGSTOP */
    PLAYER_ENDING, /* about to end by itself */
    PLAYER_DEAD,
};

struct player {
    int state; /* enum player_state; a futex word */
    pid_t pid;
    pid_t group;
    bool grandchild;
    bool ignores_term;
    bool waited; /* the plugin has its status */
    bool rotation; /* changerecovery, which nobody may signal */
    bool exited_zero;
    bool broken_pipe; /* ended by SIGPIPE: it wrote where nobody reads */
    int64_t started; /* ns of virtual time */
    int64_t wake_at; /* ns of virtual time */
    int64_t started_real, ended_real; /* ns of real time, for measurements */
    uint64_t progress; /* bytes moved so far */
    uint64_t turns;
    uint32_t stdin_length;
    uint8_t stdin_bytes[WORLD_STDIN_MOST];
};

/* Shared between the runs and their children; the plugin's memory is never in here. */
struct world {
    int64_t now; /* ns since the start of the run, without sleep of the machine */
    int64_t slept; /* ns the machine slept so far */
    int64_t date_shift; /* ns by which the date was set */
    bool real_time; /* measurements: no turns, no virtual time */
    unsigned calls[IMPORT_COUNT];
    bool fault_fired;
    unsigned rotation_calls; /* changerecovery started so far */
    bool key_changed;
    int64_t key_file_time; /* virtual ns at which the new key's file appears; -1 = never */
    int64_t key_file_date; /* its time of change, ns since 1970; 0 until somebody looked at it */
    unsigned players;
    struct player player[WORLD_PLAYERS];
    char violations[WORLD_VIOLATIONS][160];
    unsigned violation_count;
    unsigned invokes, allows, other_results, deactivations;
    bool request_cleared;
    int64_t preferences_ns; /* that CFPreferences took in this Invoke */
    uint64_t worst_ns; /* longest virtual time from Invoke to its result */
    uint32_t hits_password, hits_key, searched_bytes;
    uint32_t events_length;
    char events[WORLD_EVENTS_MOST];
};
extern struct world *world;

/* Makes the shared mapping. */
void world_create(void);
/* Makes everything as at the start of a run. */
void world_reset(void);
/* Notes a broken rule; the run fails, whatever else it did. */
void violation(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Lets virtual time pass. */
void world_spend(int64_t nanoseconds);
/* Lets time pass until `ready` is true, or until `deadline` (INT64_MAX: none); returns whether it became true. Children take their turns meanwhile. */
bool world_wait(bool (*ready)(void *argument), void *argument, int64_t deadline);
/* Gives each child that can run one turn; returns whether one moved a byte or ended. */
bool world_turn(void);
/* Lets time pass, whatever the children do meanwhile. */
void world_pass(int64_t nanoseconds);
/* Takes a slot for a process that is about to be forked. */
struct player *world_add_player(void);
/* Notes that `player` was killed, after waiting for its real end. */
void world_bury(struct player *player);
/* Kills and reaps whatever is left; returns how many were alive. */
unsigned world_clear(void);

/* For the child's side: waits for its first turn, so that it never runs while the plugin does. */
void player_begin(struct player *player);
/* For the child's side: gives the turn back and waits for the next. */
void player_rest(struct player *player, enum player_state state, int64_t wake_at);
/* For the child's side: announces that it stops or ends now, without waiting for a turn. */
void player_announce(struct player *player, enum player_state state);

int64_t real_ns(void);

#endif
