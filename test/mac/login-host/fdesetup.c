#define _GNU_SOURCE
#include "fdesetup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "standin.h"

/* Virtual pace of a flood: 64 KiB a millisecond, or one text each 50 ms when it never ends. */
#define FLOOD_CHUNK 65536
#define FLOOD_CHUNK_NS 1000000
#define ENDLESS_TEXT_NS 50000000

static struct player *self;
static int64_t own_key_file_delay;

static _Noreturn void end_by_signal(int number) {
    player_announce(self, PLAYER_ENDING);
    signal(number, SIG_DFL);
    sigset_t all;
    sigemptyset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    raise(number);
    _exit(99);
}

static _Noreturn void end_by_exit(int status) {
    if (status == 0 && self->rotation && !self->grandchild) {
        self->exited_zero = true;
        world->key_changed = true;
        world->key_file_date = 0;
        if (own_key_file_delay >= 0) world->key_file_time = world->now + own_key_file_delay;
    }
    player_announce(self, PLAYER_ENDING);
    _exit(status);
}

static void take_nap(int64_t nanoseconds) { player_rest(self, PLAYER_SLEEPING, world->now + nanoseconds); }

static void put(int stream, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t written = write(stream, bytes, length);
        if (written > 0) {
            bytes += written;
            length -= (size_t)written;
            self->progress += (uint64_t)written;
        } else if (errno == EAGAIN) {
            player_rest(self, PLAYER_BLOCKED, 0);
        } else if (errno == EPIPE && !files_quiet(stream)) {
            self->broken_pipe = true;
            end_by_signal(SIGPIPE);
        } else {
            return; /* a closed stream, or a pipe that nobody reads and that raises no signal */
        }
    }
}

static void play_output(int stream, const struct step *step) {
    static char chunk[FLOOD_CHUNK];
    size_t together = step->delay == 0 && step->times > 16 ? FLOOD_CHUNK / step->length : 1;
    for (size_t i = 0; together > 1 && i < together; i++) memcpy(chunk + i * step->length, step->bytes, step->length);
    for (long left = step->times; left != 0;) {
        size_t now = left > 0 && (size_t)left < together ? (size_t)left : together;
        put(stream, together > 1 ? chunk : step->bytes, now * step->length);
        if (left > 0) left -= (long)now;
        if (step->delay) take_nap(step->delay);
        else if (together > 1) take_nap(FLOOD_CHUNK_NS);
        else if (left < 0) take_nap(ENDLESS_TEXT_NS);
    }
}

static void play_read(const struct step *step) {
    bool by_byte = step->delay > 0;
    for (;;) {
        size_t room = WORLD_STDIN_MOST - self->stdin_length;
        ssize_t count = read(STDIN_FILENO, self->stdin_bytes + self->stdin_length, by_byte && room ? 1 : room);
        if (count > 0) {
            self->stdin_length += (uint32_t)count;
            self->progress += (uint64_t)count;
            if (by_byte) take_nap(step->delay);
        } else if (count < 0 && errno == EAGAIN) {
            player_rest(self, PLAYER_BLOCKED, 0);
        } else {
            return;
        }
    }
}

/* A process of the same group that holds the pipes open. */
static void play_fork(const struct step *step) {
    struct player *grandchild = world_add_player();
    if (!grandchild) return;
    grandchild->grandchild = true;
    grandchild->rotation = self->rotation;
    grandchild->group = self->group;
    pid_t pid = fork();
    if (pid > 0) {
        grandchild->pid = pid;
        return;
    }
    self = grandchild;
    grandchild->pid = getpid();
    if (!world->real_time) player_begin(grandchild);
    take_nap(step->delay);
    end_by_exit(0);
}

static void play_signal(int number) {
    if (number != SIGSTOP) end_by_signal(number);
    if (world->real_time) {
        raise(SIGSTOP);
        return;
    }
    player_announce(self, PLAYER_STOPPED);
    raise(SIGSTOP);
    player_rest(self, PLAYER_BLOCKED, 0);
}

static void play_step(const struct step *step, const struct behaviour *row) {
    switch (step->kind) {
    case STEP_READ: play_read(step); break;
    case STEP_OUT: play_output(STDOUT_FILENO, step); break;
    case STEP_ERR: play_output(STDERR_FILENO, step); break;
    case STEP_SLEEP: take_nap(step->delay); break;
    case STEP_CLOSE: close(step->number); break;
    case STEP_ECHO: put(step->number, (const char *)self->stdin_bytes, self->stdin_length); break;
    case STEP_IGNORE:
        signal(SIGTERM, SIG_IGN);
        self->ignores_term = true;
        break;
    case STEP_SIGNAL: play_signal(step->number); break;
    case STEP_FORK: play_fork(step); break;
    case STEP_COUNT:
        if (self->rotation && world->rotation_calls > (unsigned)step->number) end_by_exit(0);
        break;
    case STEP_EXIT: end_by_exit(step->number);
    case STEP_SPAWN_ERROR: break;
    }
    (void)row;
}

_Noreturn void fdesetup_play(const struct behaviour *row, struct player *player, int64_t key_file_delay) {
    self = player;
    own_key_file_delay = key_file_delay;
    prctl(PR_SET_DUMPABLE, 0);
    signal(SIGPIPE, SIG_IGN);
    for (int stream = 0; stream <= 2; stream++) {
        struct stat status;
        if (fstat(stream, &status) == 0 && S_ISFIFO(status.st_mode)) fcntl(stream, F_SETFL, fcntl(stream, F_GETFL) | O_NONBLOCK);
    }
    for (int i = 0; i < row->step_count; i++) play_step(&row->steps[i], row);
    end_by_exit(0);
}
