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
  CLOSED = -1, /* stands for a descriptor */
  OWN_READER = STDERR_FILENO + 1, /* a child's descriptor, see add_streams */
  POLL_SLICE_MS = 50, /* how late an end is seen while a grandchild holds the pipe open */
  READS_PER_TURN = 16,
  NAP_LEAST_US = 100,
  NAP_MOST_US = 20000,
  GRACE_US = 10000,       /* one step of the two waits below */
  TERMINATE_STEPS = 50,   /* 0.5 s after SIGTERM, so that fdesetup can end in order */
  KILL_STEPS = 100,       /* 1 s after SIGKILL; then a zombie is left rather than the login held up */
  LOST_BELIEVED = 2,      /* times in a row that waitpid() has to say so */
  LEFT_MOST = 4
};

enum reaping { RUNNING, REAPED, LOST };

struct supervision {
  const struct child_run *run;
  pid_t pid;
  int input, output; /* our ends of the pipes */
  size_t fed, captured;
  int wait_status;
  int lost; /* times in a row */
};

/* Process ids of children that were left; 0 where there is none. Several mechanisms may run at once, so each slot is
 * taken and given back in one step. */
static pid_t left[LEFT_MOST];

static void leave(pid_t pid) {
  for (size_t i = 0; i < LEFT_MOST; i++) {
    pid_t none = 0;
    if (__atomic_compare_exchange_n(&left[i], &none, pid, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) return;
  }
}

void reap_left_children(void) {
  for (size_t i = 0; i < LEFT_MOST; i++) {
    const pid_t pid = __atomic_exchange_n(&left[i], 0, __ATOMIC_ACQ_REL);
    if (pid > 0 && waitpid(pid, NULL, WNOHANG) == 0) leave(pid);
  }
}

static void close_end(int *descriptor) {
  if (*descriptor >= 0) (void)close(*descriptor);
  *descriptor = CLOSED;
}

/* Marks close-on-exec, and moves a descriptor off 0..3, which the child's file actions overwrite. */
static bool settle(int *descriptor) {
  if (*descriptor > OWN_READER) return fcntl(*descriptor, F_SETFD, FD_CLOEXEC) == 0;
  const int moved = fcntl(*descriptor, F_DUPFD_CLOEXEC, OWN_READER + 1);
  if (moved < 0) return false;
  (void)close(*descriptor);
  *descriptor = moved;
  return true;
}

/* ends[0] to read, ends[1] to write; ours, 0 or 1, does not block. No write into it raises SIGPIPE: not ours, which
 * would end the host, and not the child's, which would end a key change. The mark is on the open file that all copies
 * share (xnu bsd/kern/kern_descrip.c, FG_NOSIGPIPE), so the host's handling of the signal is left alone. macOS has no
 * pipe2. */
static bool open_pipe(int ends[2], int ours) {
  if (pipe(ends) != 0) {
    ends[0] = ends[1] = CLOSED;
    return false;
  }
  return settle(&ends[0]) && settle(&ends[1]) && fcntl(ends[ours], F_SETFL, O_NONBLOCK) != -1 &&
         fcntl(ends[1], F_SETNOSIGPIPE, 1) == 0;
}

static int add_stream(posix_spawn_file_actions_t *actions, int stream, int descriptor, int flags) {
  return descriptor < 0 ? posix_spawn_file_actions_addopen(actions, stream, "/dev/null", flags, 0)
                        : posix_spawn_file_actions_adddup2(actions, descriptor, stream);
}

/* Standard output carries the new key: that of a change goes nowhere. A child that may be left gets the reading end of
 * its own standard error too: whatever it says after we are gone is taken by the pipe, and never fails. */
static int add_streams(posix_spawn_file_actions_t *actions, const struct child_run *run, int input,
                       const int output[2]) {
  int failed = add_stream(actions, STDIN_FILENO, input, O_RDONLY);
  for (int stream = STDOUT_FILENO; stream <= STDERR_FILENO && failed == 0; stream++)
    failed = add_stream(actions, stream, run->captured == stream ? output[1] : CLOSED, O_WRONLY);
  if (failed == 0 && run->overdue == OVERDUE_LEAVE) failed = add_stream(actions, OWN_READER, output[0], O_RDONLY);
  return failed;
}

/* Own process group, so that a kill reaches what it started, and none of the host's does; no descriptor but those of the
 * file actions; default signals. SETSID would need macOS 10.15. */
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

static int spawn(pid_t *pid, const struct child_run *run, int input, const int output[2]) {
  char *const environment[] = {(char[]){"PATH=/usr/bin:/bin:/usr/sbin:/sbin"}, (char[]){"LANG=C"},
                               (char[]){"HOME=/var/root"}, NULL};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int failed = posix_spawn_file_actions_init(&actions);
  if (failed != 0) return failed;
  failed = posix_spawnattr_init(&attributes);
  if (failed == 0) {
    failed = add_streams(&actions, run, input, output);
    if (failed == 0) failed = set_attributes(&attributes);
    if (failed == 0) failed = posix_spawn(pid, FDESETUP, &actions, &attributes, run->arguments, environment);
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
  for (int i = 0; i < READS_PER_TURN && child->output >= 0; i++) {
    const bool keep = child->captured < run->capture_size;
    uint8_t *const to = keep ? run->capture + child->captured : run->scratch;
    const ssize_t got = read(child->output, to, keep ? run->capture_size - child->captured : run->scratch_size);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return i > 0;
    if (got <= 0) close_end(&child->output);
    else if (keep) child->captured += (size_t)got;
  }
  return child->output >= 0;
}

static enum reaping reap(struct supervision *child) {
  const pid_t pid = waitpid(child->pid, &child->wait_status, WNOHANG);
  if (pid == child->pid) return REAPED;
  child->lost = pid < 0 && errno != EINTR ? child->lost + 1 : 0;
  return child->lost >= LOST_BELIEVED ? LOST : RUNNING;
}

/* Sleeps until a pipe moves, the child may have ended, or the time is up. nap_us grows while nothing can wake us. */
static void wait_for_events(struct supervision *child, uint64_t left_ms, long *nap) {
  struct pollfd events[] = {{child->output, POLLIN, 0}, {child->input, POLLOUT, 0}};
  const int slice = (int)earlier_ms(left_ms, POLL_SLICE_MS);
  if (child->output >= 0 && poll(events, 2, slice) == 0) return;
  /* The stream is closed, or poll() says ready (or failed) where nothing moves: never spin. */
  nap_us(*nap);
  *nap = *nap * 2 > NAP_MOST_US ? NAP_MOST_US : *nap * 2;
}

/* Only ever the group: after a lost status the process id may be another's. Never -1 or 0, which would mean
 * everybody's processes or the host's own group. */
static void signal_group(const struct supervision *child, int signal) {
  if (child->pid > 1) (void)kill(-child->pid, signal);
}

/* Counts steps, not time: bounded whatever the clock does. */
static enum reaping reaped_within(struct supervision *child, int steps) {
  for (int i = 0; i < steps; i++) {
    const enum reaping reaping = reap(child);
    if (reaping != RUNNING) return reaping;
    nap_us(GRACE_US);
  }
  return reap(child);
}

/* Ends the child and what it started. */
static void kill_group(struct supervision *child) {
  signal_group(child, SIGTERM);
  const enum reaping reaping = reaped_within(child, TERMINATE_STEPS);
  signal_group(child, SIGKILL); /* after its end: others of its group */
  if (reaping == RUNNING) (void)reaped_within(child, KILL_STEPS);
}

static enum child_end ended(const struct supervision *child, int *status) {
  const int signal = child->wait_status & 0x7F; /* source: wait(2), sys/wait.h: 0 exited, 0x7F stopped */
  *status = signal == 0 ? (child->wait_status >> 8) & 0xFF : signal;
  return signal == 0 ? CHILD_EXITED : CHILD_SIGNALLED;
}

static struct child_result supervise(struct supervision *child) {
  struct child_result result = {.end = CHILD_LOST};
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
  (void)drain(child);
  if (reaping == REAPED) result.end = ended(child, &result.status);
  else if (reaping == RUNNING) result.end = child->run->overdue == OVERDUE_LEAVE ? CHILD_NOT_AWAITED : CHILD_TIMED_OUT;
  if (result.end == CHILD_NOT_AWAITED) leave(child->pid);
  /* A lost status is not proof of its end, so a question is ended in any case. */
  if (reaping != REAPED && child->run->overdue == OVERDUE_KILL) kill_group(child);
  result.capture_length = child->captured;
  return result;
}

struct child_result run_child(const struct child_run *run) {
  struct child_result result = {.end = CHILD_NOT_STARTED};
  int input[2] = {CLOSED, CLOSED}, output[2] = {CLOSED, CLOSED};
  struct supervision child = {.run = run, .input = CLOSED, .output = CLOSED};
  const bool has_input = run->input.length > 0;
  if (deadline_left(run->deadline_ms, monotonic_ms()) == 0) {
    result.end = CHILD_TIMED_OUT;
  } else if (!open_pipe(output, 0) || (has_input && !open_pipe(input, 1))) {
    result.status = errno;
  } else {
    result.status = spawn(&child.pid, run, input[0], output);
    close_end(&input[0]);
    close_end(&output[1]);
    if (result.status == 0) {
      child.input = input[1];
      child.output = output[0];
      result = supervise(&child);
      input[1] = child.input;
      output[0] = child.output;
    }
  }
  close_end(&input[0]);
  close_end(&input[1]);
  close_end(&output[0]);
  close_end(&output[1]);
  return result;
}
