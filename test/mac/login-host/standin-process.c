/* posix_spawn with Darwin's opaque attributes, waitpid, kill. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine.h"
#include "fdesetup.h"
#include "record.h"
#include "scenario.h"
#include "standin.h"
#include "world.h"

#define ACTIONS 8
#define FDESETUP "/usr/bin/fdesetup"

enum action_kind { ACTION_OPEN, ACTION_DUP2, ACTION_CLOSE, ACTION_INHERIT };
struct file_action {
    enum action_kind kind;
    int from, to, flags;
    char path[32];
};
struct file_actions {
    int count;
    struct file_action list[ACTIONS];
};
struct attributes {
    uint16_t flags;
    int32_t group;
    uint32_t signals_default, signals_mask;
};

int spawn_objects;

int32_t standin_file_actions_init(struct file_actions **actions) {
    if (called(ID_file_actions_init)) return DARWIN_ENOMEM;
    *actions = calloc(1, sizeof **actions);
    spawn_objects++;
    return 0;
}

int32_t standin_file_actions_destroy(struct file_actions **actions) {
    bool fault = called(ID_file_actions_destroy);
    spawn_objects--;
    free(*actions);
    *actions = NULL;
    return fault ? DARWIN_EINVAL : 0;
}

static int32_t add(struct file_actions **actions, bool fault, struct file_action action) {
    if (fault || (*actions)->count == ACTIONS) return DARWIN_ENOMEM;
    (*actions)->list[(*actions)->count++] = action;
    return 0;
}

int32_t standin_file_actions_addopen(struct file_actions **actions, int32_t to, const char *path, int32_t flags, uint32_t mode) {
    struct file_action action = {ACTION_OPEN, -1, to, flags, ""};
    if (flags & DARWIN_O_CREAT) violation("lets the child create %s with mode %o", path, mode & 0xffff);
    snprintf(action.path, sizeof action.path, "%s", path);
    return add(actions, called(ID_file_actions_addopen), action);
}
int32_t standin_file_actions_adddup2(struct file_actions **actions, int32_t from, int32_t to) {
    return add(actions, called(ID_file_actions_adddup2), (struct file_action){ACTION_DUP2, from, to, 0, ""});
}
int32_t standin_file_actions_addclose(struct file_actions **actions, int32_t descriptor) {
    return add(actions, called(ID_file_actions_addclose), (struct file_action){ACTION_CLOSE, descriptor, -1, 0, ""});
}
int32_t standin_file_actions_addinherit(struct file_actions **actions, int32_t descriptor) {
    return add(actions, called(ID_file_actions_addinherit), (struct file_action){ACTION_INHERIT, descriptor, descriptor, 0, ""});
}

int32_t standin_spawnattr_init(struct attributes **attributes) {
    if (called(ID_spawnattr_init)) return DARWIN_ENOMEM;
    *attributes = calloc(1, sizeof **attributes);
    spawn_objects++;
    return 0;
}
int32_t standin_spawnattr_destroy(struct attributes **attributes) {
    bool fault = called(ID_spawnattr_destroy);
    spawn_objects--;
    free(*attributes);
    *attributes = NULL;
    return fault ? DARWIN_EINVAL : 0;
}
int32_t standin_spawnattr_setflags(struct attributes **attributes, int32_t flags) {
    if (called(ID_spawnattr_setflags)) return DARWIN_EINVAL;
    (*attributes)->flags = (uint16_t)flags;
    return 0;
}
int32_t standin_spawnattr_setpgroup(struct attributes **attributes, int32_t group) {
    if (called(ID_spawnattr_setpgroup)) return DARWIN_EINVAL;
    (*attributes)->group = group;
    return 0;
}
int32_t standin_spawnattr_setsigdefault(struct attributes **attributes, const uint32_t *signals) {
    if (called(ID_spawnattr_setsigdefault)) return DARWIN_EINVAL;
    (*attributes)->signals_default = *signals;
    return 0;
}
int32_t standin_spawnattr_setsigmask(struct attributes **attributes, const uint32_t *signals) {
    if (called(ID_spawnattr_setsigmask)) return DARWIN_EINVAL;
    (*attributes)->signals_mask = *signals;
    return 0;
}

static void record_spawn(const char *path, const struct file_actions *actions, const struct attributes *attributes, char *const *argv, char *const *envp) {
    event_begin("spawn");
    event_text("path", path);
    event_list("argv", argv);
    event_list("environment", envp);
    event_number("flags", attributes ? attributes->flags : 0);
    event_number("group", attributes ? attributes->group : -1);
    event_number("signalsDefault", attributes ? attributes->signals_default : 0);
    event_number("signalsMask", attributes ? attributes->signals_mask : 0);
    for (int i = 0; actions && i < actions->count; i++) {
        static const char *const kinds[] = {"open", "dup2", "close", "inherit"};
        const struct file_action *action = &actions->list[i];
        char key[32], text[64];
        snprintf(key, sizeof key, "descriptor%d", action->to);
        snprintf(text, sizeof text, "%s %s flags %d", kinds[action->kind], action->kind == ACTION_OPEN ? action->path : "pipe", action->flags);
        event_text(key, text);
    }
    event_end();
    for (int i = 0; argv[i]; i++) secret_in(argv[i], strlen(argv[i]), "an argument");
    for (int i = 0; envp && envp[i]; i++) secret_in(envp[i], strlen(envp[i]), "the environment");
}

/* In the child: the descriptor table Darwin would give it. Without CLOEXEC_DEFAULT those without FD_CLOEXEC stay. */
static void apply_actions(const struct file_actions *actions, bool only_actions) {
    bool kept[64] = {false};
    for (int i = 0; actions && i < actions->count; i++) {
        const struct file_action *action = &actions->list[i];
        if (action->kind == ACTION_CLOSE) close(action->from);
        if (action->kind == ACTION_DUP2 && action->from != action->to) dup2(action->from, action->to), files_copied(action->from, action->to);
        if (action->kind == ACTION_OPEN) {
            int opened = open(action->path, action->flags & DARWIN_O_ACCMODE);
            if (opened >= 0 && opened != action->to) dup2(opened, action->to), close(opened);
        }
        if (action->to >= 0 && action->to < 64) kept[action->to] = true;
    }
    for (int i = 0; i < 64; i++)
        if (!kept[i] && (only_actions || fcntl(i, F_GETFD) & FD_CLOEXEC)) close(i);
}

static const struct behaviour *row_for(char *const *argv) {
    if (argv[1] && strcmp(argv[1], "isactive") == 0) return login->isactive;
    if (argv[1] && strcmp(argv[1], "changerecovery") == 0) return login->changerecovery;
    if (argv[1] && strcmp(argv[1], "list") == 0) return login->list;
    violation("runs fdesetup %s", argv[1] ? argv[1] : "without a command");
    return behaviour_by_id("status-on");
}

/* A child gets 0, 1 and 2; as 3 at most a pipe's reading end, so that what it writes always has a reader. */
static void check_streams(const struct file_actions *actions) {
    for (int i = 0; actions && i < actions->count; i++) {
        const struct file_action *action = &actions->list[i];
        if (action->to > 3 || (action->to == 3 && (action->kind != ACTION_DUP2 || files_write_end(action->from)))) violation("gives the child descriptor %d", action->to);
    }
}

static void check_spawn(const char *path, const struct attributes *attributes) {
    if (strcmp(path, FDESETUP) != 0) violation("starts %s", path);
    if (!attributes || !(attributes->flags & DARWIN_SPAWN_CLOEXEC_DEFAULT)) violation("lets the child inherit descriptors");
    if (attributes && attributes->flags & DARWIN_SPAWN_SETEXEC) violation("replaces the login process");
}

int32_t standin_posix_spawn(int32_t *pid, const char *path, struct file_actions **actions, struct attributes **attributes, char *const *argv, char *const *envp) {
    enum fault fault = called(ID_posix_spawn);
    const struct attributes *attribute = attributes ? *attributes : NULL;
    record_spawn(path, actions ? *actions : NULL, attribute, argv, envp);
    check_spawn(path, attribute);
    check_streams(actions ? *actions : NULL);
    if (engine_held_back() && fault_plan.import < 0) violation("starts fdesetup for a user who is held back");
    const struct behaviour *row = row_for(argv);
    if (fault) return fault == FAULT_AGAIN ? DARWIN_EAGAIN : DARWIN_ENOMEM;
    if (row->steps[0].kind == STEP_SPAWN_ERROR) return row->steps[0].number;
    struct player *player = world_add_player();
    if (!player) return DARWIN_EAGAIN;
    player->rotation = strcmp(argv[1] ? argv[1] : "", "changerecovery") == 0;
    world->rotation_calls += player->rotation;
    bool own_group = attribute && attribute->flags & DARWIN_SPAWN_SETPGROUP;
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (own_group) setpgid(0, attribute->group);
        player->pid = getpid();
        player->group = getpgrp();
        apply_actions(actions ? *actions : NULL, attribute && attribute->flags & DARWIN_SPAWN_CLOEXEC_DEFAULT);
        player_begin(player);
        fdesetup_play(row, player, login->key_file_delay);
    }
    if (own_group) setpgid(child, attribute->group);
    player->group = own_group ? (attribute->group ? attribute->group : child) : getpgrp();
    player->pid = child;
    *pid = child;
    return 0;
}

/* Only the signals whose numbers differ between the two systems. Source: bsd/sys/signal.h (XNU), asm-generic/signal.h (Linux). */
static int darwin_signal(int linux_signal) {
    return linux_signal == SIGBUS ? 10 : linux_signal == SIGUSR1 ? 30 : linux_signal == SIGUSR2 ? 31 : linux_signal == SIGSYS ? 12 : linux_signal;
}
static int linux_signal(int darwin_number) {
    return darwin_number == DARWIN_SIGSTOP ? SIGSTOP : darwin_number == DARWIN_SIGCONT ? SIGCONT : darwin_number;
}

static struct player *player_with(pid_t pid) {
    for (unsigned i = 0; i < world->players; i++)
        if (world->player[i].pid == pid) return &world->player[i];
    return NULL;
}

struct wait_request {
    pid_t pid;
};
static bool has_ended(void *argument) { return player_with(((struct wait_request *)argument)->pid)->state == PLAYER_DEAD; }

/* wait(2)'s word is laid out alike on both systems, but for the numbers of some signals. */
int32_t standin_waitpid(int32_t pid, int32_t *status, int32_t options) {
    enum fault fault = called(ID_waitpid);
    if (fault) return fail_with(fault == FAULT_INTERRUPTED ? DARWIN_EINTR : DARWIN_ECHILD);
    struct player *player = player_with(pid);
    if (player && player->waited && scenario->child_signals_ignored) return fail_with(DARWIN_ECHILD);
    if (!player || player->grandchild || player->waited) {
        violation("waits for process %s", pid <= 0 ? "of any kind" : player && player->waited ? "it already reaped" : "that is not its child");
        return fail_with(DARWIN_ECHILD);
    }
    struct wait_request request = {pid};
    if (!(options & DARWIN_WNOHANG)) {
        violation("waits for a process without a limit");
        world_wait(has_ended, &request, world->now + 3600 * NS_PER_SECOND);
    } else if (!world->real_time) {
        world_turn();
    }
    int word = 0;
    pid_t ended = waitpid(pid, &word, WNOHANG);
    if (ended <= 0) return 0;
    player->waited = true;
    player->state = PLAYER_DEAD;
    if (scenario->child_signals_ignored) return fail_with(DARWIN_ECHILD);
    if (status) *status = WIFSIGNALED(word) ? darwin_signal(WTERMSIG(word)) : WEXITSTATUS(word) << 8;
    return ended;
}

static bool ends_by(const struct player *player, int number) {
    if (player->state == PLAYER_DEAD || player->state == PLAYER_ENDING) return false;
    if (number == SIGKILL) return true;
    return number != SIGSTOP && number != SIGCONT && number != 0 && player->state != PLAYER_STOPPED && !(number == SIGTERM && player->ignores_term);
}

/* Players stand in the order of their start, so a leader is buried before its grandchild. */
static int32_t signal_players(pid_t pid, pid_t group, int number) {
    bool dies[WORLD_PLAYERS] = {false};
    int found = 0;
    for (unsigned i = 0; i < world->players; i++) {
        struct player *player = &world->player[i];
        if (player->waited || player->pid <= 0 || (pid ? player->pid != pid : player->group != group)) continue;
        if (player->grandchild && player->state == PLAYER_DEAD) continue;
        found++;
        dies[i] = ends_by(player, number);
        kill(player->pid, number);
    }
    for (unsigned i = 0; i < world->players; i++)
        if (dies[i]) world_bury(&world->player[i]);
    return found ? 0 : fail_with(DARWIN_ESRCH);
}

int32_t standin_kill(int32_t pid, int32_t number) {
    enum fault fault = called(ID_kill);
    event_begin("kill");
    event_boolean("group", pid < 0);
    event_number("signal", number);
    event_end();
    if (pid == 0 || pid == -1 || pid == getpid() || pid == -getpgrp()) {
        violation("signals its own host (%d)", pid);
        return fail_with(DARWIN_EPERM);
    }
    const struct player *leader = player_with(pid < 0 ? -pid : pid);
    if (!leader) violation("signals a process that is not its child");
    if (leader && leader->rotation) violation("signals a key change that has begun");
    if (pid > 0 && leader && leader->waited) violation("signals a process it already reaped");
    if (fault) return fail_with(DARWIN_EPERM);
    return signal_players(pid > 0 ? pid : 0, pid < 0 ? -pid : 0, linux_signal(number));
}
