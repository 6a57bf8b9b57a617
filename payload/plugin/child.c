#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "deadline.h"

static const char FDESETUP[] = "/usr/bin/fdesetup";

enum {
  POLL_SLICE_MS = 50, /* how late an end is seen while a grandchild holds the pipe open */
  READS_PER_TURN = 16,
  NAP_LEAST_US = 100,
  NAP_MOST_US = 20000,
  GRACE_US = 10000,       /* one step of the two waits below */
  TERMINATE_STEPS = 50,   /* 0.5 s after SIGTERM, so that fdesetup can end in order */
  KILL_STEPS = 100        /* 1 s after SIGKILL; then a zombie is left rather than the login held up */
};

enum reaping { RUNNING, REAPED, LOST };

struct supervision {
  const struct child_run *run;
  pid_t pid;
  int input, error; /* our ends of the pipes; -1 when closed */
  bool error_ended; /* standard error was read to its end: nobody holds the pipe any more */
  size_t fed, captured;
  int wait_status;
};

static void close_end(int *descriptor) {
  if (*descriptor >= 0) (void)close(*descriptor);
  *descriptor = -1;
}

/* Marks close-on-exec, and moves a descriptor off 0..2, which the child's file actions overwrite. */
static bool settle(int *descriptor) {
  if (*descriptor > STDERR_FILENO) return fcntl(*descriptor, F_SETFD, FD_CLOEXEC) == 0;
  const int moved = fcntl(*descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (moved < 0) return false;
  (void)close(*descriptor);
  *descriptor = moved;
  return true;
}

/* ends[0] to read, ends[1] to write; ours, 0 or 1, does not block. macOS has no pipe2. */
static bool open_pipe(int ends[2], int ours) {
  if (pipe(ends) != 0) {
    ends[0] = ends[1] = -1;
    return false;
  }
  if (!settle(&ends[0]) || !settle(&ends[1]) || fcntl(ends[ours], F_SETFL, O_NONBLOCK) == -1) return false;
  /* Instead of touching the host's SIGPIPE. */
  return ours == 0 || fcntl(ends[1], F_SETNOSIGPIPE, 1) == 0;
}

static int add_streams(posix_spawn_file_actions_t *actions, int input, int error) {
  int failed = input < 0 ? posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
                         : posix_spawn_file_actions_adddup2(actions, input, STDIN_FILENO);
  /* Standard output carries the new key: it goes nowhere. */
  if (failed == 0) failed = posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  if (failed == 0) failed = posix_spawn_file_actions_adddup2(actions, error, STDERR_FILENO);
  return failed;
}

/* Own process group, so that a kill reaches what it started; no descriptor but 0..2; default signals. SETSID would
 * need macOS 10.15. */
static int set_attributes(posix_spawnattr_t *attributes) {
  const sigset_t none = 0;
  const sigset_t all = ~(1u << (SIGKILL - 1) | 1u << (SIGSTOP - 1));
  int failed = posix_spawnattr_setflags(attributes, POSIX_SPAWN_CLOEXEC_DEFAULT | POSIX_SPAWN_SETPGROUP |
                                                        POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  if (failed == 0) failed = posix_spawnattr_setpgroup(attributes, 0);
  if (failed == 0) failed = posix_spawnattr_setsigdefault(attributes, &all);
  if (failed == 0) failed = posix_spawnattr_setsigmask(attributes, &none);
  return failed;
}

static int spawn(pid_t *pid, char *const arguments[], int input, int error) {
  char *const environment[] = {(char[]){"PATH=/usr/bin:/bin:/usr/sbin:/sbin"}, (char[]){"LANG=C"},
                               (char[]){"HOME=/var/root"}, NULL};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int failed = posix_spawn_file_actions_init(&actions);
  if (failed != 0) return failed;
  failed = posix_spawnattr_init(&attributes);
  if (failed == 0) {
    failed = add_streams(&actions, input, error);
    if (failed == 0) failed = set_attributes(&attributes);
    if (failed == 0) failed = posix_spawn(pid, FDESETUP, &actions, &attributes, arguments, environment);
    (void)posix_spawnattr_destroy(&attributes);
  }
  (void)posix_spawn_file_actions_destroy(&actions);
  return failed;
}

/* Writes what the pipe takes; true when something moved. */
static bool feed(struct supervision *child) {
  if (child->input < 0) return false;
  const struct bytes all = child->run->input;
  if (child->fed < all.length) {
    const ssize_t written = write(child->input, all.data + child->fed, all.length - child->fed);
    if (written > 0) child->fed += (size_t)written;
    else if (written == 0 || errno == EAGAIN || errno == EINTR) return false;
    else child->fed = all.length; /* EPIPE: it does not read; its exit status will tell */
  }
  if (child->fed >= all.length) close_end(&child->input);
  return true;
}

/* Reads what is there, a bounded amount; true when something moved. */
static bool drain(struct supervision *child) {
  const struct child_run *const run = child->run;
  for (int i = 0; i < READS_PER_TURN && child->error >= 0; i++) {
    const bool keep = child->captured < run->capture_size;
    uint8_t *const to = keep ? run->capture + child->captured : run->scratch;
    const ssize_t got = read(child->error, to, keep ? run->capture_size - child->captured : run->scratch_size);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return i > 0;
    if (got == 0) child->error_ended = true;
    if (got <= 0) close_end(&child->error);
    else if (keep) child->captured += (size_t)got;
  }
  return child->error >= 0;
}

static enum reaping reap(struct supervision *child) {
  const pid_t pid = waitpid(child->pid, &child->wait_status, WNOHANG);
  if (pid == child->pid) return REAPED;
  return pid < 0 && errno != EINTR ? LOST : RUNNING;
}

/* Sleeps until a pipe moves, the child may have ended, or the time is up. nap_us grows while nothing can wake us. */
static void wait_for_events(struct supervision *child, uint64_t left_ms, long *nap) {
  struct pollfd events[] = {{child->error, POLLIN, 0}, {child->input, POLLOUT, 0}};
  const int slice = (int)earlier_ms(left_ms, POLL_SLICE_MS);
  if (child->error >= 0 && poll(events, 2, slice) == 0) return;
  /* Standard error is closed, or poll() says ready (or failed) where nothing moves: never spin. */
  nap_us(*nap);
  *nap = *nap * 2 > NAP_MOST_US ? NAP_MOST_US : *nap * 2;
}

/* Only ever the group: after a lost status the process id may be another's. Never -1 or 0, which would mean
 * everybody's processes or the host's own group. */
static void signal_group(const struct supervision *child, int signal) {
  if (child->pid > 1) (void)kill(-child->pid, signal);
}

/* Counts steps, not time: bounded whatever the clock does. LOST twice is believed. */
static enum reaping reaped_within(struct supervision *child, int steps) {
  int lost = 0;
  for (int i = 0; i < steps; i++) {
    const enum reaping reaping = reap(child);
    if (reaping == REAPED || (reaping == LOST && ++lost == 2)) return reaping;
    nap_us(GRACE_US);
  }
  return reap(child);
}

/* Ends the child and what it started; true when its status is known. */
static bool kill_group(struct supervision *child) {
  signal_group(child, SIGTERM);
  const enum reaping reaping = reaped_within(child, TERMINATE_STEPS);
  if (reaping != RUNNING) {
    signal_group(child, SIGKILL); /* others of its group */
    return reaping == REAPED;
  }
  signal_group(child, SIGKILL);
  return reaped_within(child, KILL_STEPS) == REAPED;
}

static enum child_end ended(const struct supervision *child, int *status) {
  const int signal = child->wait_status & 0x7F; /* source: wait(2), sys/wait.h: 0 exited, 0x7F stopped */
  *status = signal == 0 ? (child->wait_status >> 8) & 0xFF : signal;
  return signal == 0 ? CHILD_EXITED : CHILD_SIGNALLED;
}

static struct child_result supervise(struct supervision *child) {
  struct child_result result = {CHILD_LOST, 0, false, 0};
  enum reaping reaping;
  long nap = NAP_LEAST_US;
  for (;;) {
    const bool fed = feed(child);
    const bool drained = drain(child);
    if ((reaping = reap(child)) != RUNNING) break;
    const uint64_t left_ms = deadline_left(child->run->deadline_ms, monotonic_ms());
    if (left_ms == 0) break;
    if (fed || drained) nap = NAP_LEAST_US;
    else wait_for_events(child, left_ms, &nap);
  }
  if (reaping == REAPED) {
    (void)drain(child);
    result.end = ended(child, &result.status);
    /* Somebody of its group may still hold the pipe. Its process id cannot have come round again so soon. */
    if (!child->error_ended) signal_group(child, SIGKILL);
  } else {
    result.killed_status = kill_group(child) && ended(child, &result.status) == CHILD_SIGNALLED;
    if (reaping == RUNNING) result.end = CHILD_TIMED_OUT;
  }
  result.capture_length = child->captured;
  return result;
}

struct child_result run_child(const struct child_run *run) {
  struct child_result result = {CHILD_NOT_STARTED, 0, false, 0};
  int input[2] = {-1, -1}, error[2] = {-1, -1};
  struct supervision child = {run, 0, -1, -1, false, 0, 0, 0};
  const bool has_input = run->input.length > 0;
  if (deadline_left(run->deadline_ms, monotonic_ms()) == 0) {
    result.end = CHILD_TIMED_OUT;
  } else if (!open_pipe(error, 0) || (has_input && !open_pipe(input, 1))) {
    result.status = errno;
  } else {
    result.status = spawn(&child.pid, run->arguments, input[0], error[1]);
    close_end(&input[0]);
    close_end(&error[1]);
    if (result.status == 0) {
      child.input = input[1];
      child.error = error[0];
      result = supervise(&child);
      input[1] = child.input;
      error[0] = child.error;
    }
  }
  for (int i = 0; i < 2; i++) {
    close_end(&input[i]);
    close_end(&error[i]);
  }
  return result;
}
