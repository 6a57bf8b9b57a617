#define _GNU_SOURCE
#include "world.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Real seconds after which a child that does not give its turn back counts as a fault of this host: far more than any load of the machine explains. */
#define TURN_LIMIT_SECONDS 600

struct world *world;

void world_create(void) {
    world = mmap(NULL, sizeof *world, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (world == MAP_FAILED) abort();
}

void world_reset(void) {
    world->now = WORLD_START_NS;
    world->slept = world->date_shift = 0;
    memset(world->calls, 0, sizeof world->calls);
    world->fault_fired = world->key_changed = world->request_cleared = false;
    world->key_file_time = -1;
    world->key_file_date = 0;
    world->rotation_calls = world->players = world->violation_count = 0;
    world->invokes = world->allows = world->other_results = world->deactivations = 0;
    world->worst_ns = 0;
    world->hits_password = world->hits_key = world->searched_bytes = 0;
    world->events_length = 0;
    for (int i = 0; i < WORLD_PLAYERS; i++) memset(&world->player[i], 0, offsetof(struct player, stdin_bytes));
}

int64_t real_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

void violation(const char *format, ...) {
    if (world->violation_count == WORLD_VIOLATIONS) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(world->violations[world->violation_count++], sizeof world->violations[0], format, arguments);
    va_end(arguments);
}

void world_spend(int64_t nanoseconds) { world->now += nanoseconds; }

static void futex_wait(int *word, int while_value, int seconds) {
    struct timespec limit = {seconds, 0};
    syscall(SYS_futex, word, FUTEX_WAIT, while_value, &limit, NULL, 0);
}

static void futex_wake(int *word) { syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0); }

static int state_of(const struct player *player) { return __atomic_load_n(&player->state, __ATOMIC_ACQUIRE); }
static void set_state(struct player *player, int state) { __atomic_store_n(&player->state, state, __ATOMIC_RELEASE); }

struct player *world_add_player(void) {
    if (world->players == WORLD_PLAYERS) {
        violation("more than %d processes", WORLD_PLAYERS);
        return NULL;
    }
    struct player *player = &world->player[world->players++];
    set_state(player, world->real_time ? PLAYER_RUNNING : PLAYER_BLOCKED);
    player->started = world->now;
    player->started_real = real_ns();
    return player;
}

void player_begin(struct player *player) {
    for (int state; (state = state_of(player)) != PLAYER_RUNNING;) futex_wait(&player->state, state, 3600);
}

void player_rest(struct player *player, enum player_state state, int64_t wake_at) {
    player->wake_at = wake_at;
    if (world->real_time) {
        int64_t left = wake_at - world->now; /* virtual time stands still then, so this is the length of the sleep */
        struct timespec span = {left / NS_PER_SECOND, left % NS_PER_SECOND};
        if (state == PLAYER_SLEEPING) nanosleep(&span, NULL);
        else poll(NULL, 0, 1);
        return;
    }
    set_state(player, state);
    futex_wake(&player->state);
    while (state_of(player) != PLAYER_RUNNING) futex_wait(&player->state, state, 3600);
}

void player_announce(struct player *player, enum player_state state) {
    if (state == PLAYER_ENDING) player->ended_real = real_ns();
    set_state(player, state);
    futex_wake(&player->state);
}

/* A process that is not our child has ended when it is gone, or a zombie that its new parent has not reaped yet. */
static bool is_gone(pid_t pid) {
    char path[32], text[128] = "";
    if (kill(pid, 0) != 0) return true;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file) return true;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    const char *behind_name = strrchr(text, ')');
    return behind_name && strncmp(behind_name, ") Z", 3) == 0;
}

void world_bury(struct player *player) {
    siginfo_t information;
    for (int tries = 0; tries < 2000; tries++) {
        if (waitid(P_PID, (id_t)player->pid, &information, WEXITED | WNOWAIT) == 0) break;
        if (errno == ECHILD && is_gone(player->pid)) break;
        if (errno == ECHILD) usleep(200);
    }
    set_state(player, PLAYER_DEAD);
}

static void await_turn_end(struct player *player) {
    for (int waited = 0; state_of(player) == PLAYER_RUNNING; waited++) {
        if (waited > TURN_LIMIT_SECONDS) {
            fprintf(stderr, "login-host: a child kept its turn\n");
            kill(player->pid, SIGKILL);
            abort();
        }
        futex_wait(&player->state, PLAYER_RUNNING, 1);
    }
    if (state_of(player) == PLAYER_ENDING) world_bury(player);
}

static bool can_run(const struct player *player) {
    int state = state_of(player);
    return state == PLAYER_RUNNING || state == PLAYER_BLOCKED || state == PLAYER_ENDING || (state == PLAYER_SLEEPING && player->wake_at <= world->now);
}

bool world_turn(void) {
    bool moved = false;
    for (unsigned i = 0; i < world->players; i++) {
        struct player *player = &world->player[i];
        if (!can_run(player)) continue;
        uint64_t before = player->progress;
        bool fresh = state_of(player) == PLAYER_RUNNING || state_of(player) == PLAYER_SLEEPING || player->turns == 0;
        player->turns++;
        if (state_of(player) != PLAYER_RUNNING && state_of(player) != PLAYER_ENDING) {
            set_state(player, PLAYER_RUNNING);
            futex_wake(&player->state);
        }
        await_turn_end(player);
        moved |= fresh || player->progress != before || state_of(player) == PLAYER_DEAD;
    }
    return moved;
}

static int64_t next_wake(void) {
    int64_t next = INT64_MAX;
    for (unsigned i = 0; i < world->players; i++)
        if (state_of(&world->player[i]) == PLAYER_SLEEPING && world->player[i].wake_at < next) next = world->player[i].wake_at;
    return next;
}

bool world_wait(bool (*ready)(void *argument), void *argument, int64_t deadline) {
    for (;;) {
        bool moved = world_turn();
        if (ready(argument)) return true;
        if (moved) continue;
        int64_t next = next_wake();
        if (world->now >= deadline) return false;
        if (next == INT64_MAX && deadline == INT64_MAX) {
            violation("waits for ever");
            return false;
        }
        int64_t until = next < deadline ? next : deadline;
        if (until > world->now) world->now = until;
    }
}

static bool never(void *argument) {
    (void)argument;
    return false;
}

void world_pass(int64_t nanoseconds) {
    if (nanoseconds > 0) world_wait(never, NULL, world->now + nanoseconds);
}

unsigned world_clear(void) {
    unsigned alive = 0;
    for (unsigned i = 0; i < world->players; i++) {
        struct player *player = &world->player[i];
        int state = state_of(player);
        if (state == PLAYER_ENDING) world_bury(player);
        if (state == PLAYER_DEAD || state == PLAYER_ENDING || player->pid <= 0) continue;
        alive++;
        kill(player->pid, SIGKILL);
    }
    while (waitpid(-1, NULL, 0) > 0) continue;
    return alive;
}
