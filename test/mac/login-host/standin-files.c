/* Descriptors: open, close, read, write, pipe, fcntl, stat. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "record.h"
#include "scenario.h"
#include "standin.h"
#include "world.h"

#define DESCRIPTORS 64
/* The largest buffer that the plugin reads into. */
#define READ_MOST 4096
/* Where the MDM client leaves the new key for the server. Source: com.apple.security.FDERecoveryKeyEscrow (apple/device-management). */
#define KEY_FILE "/var/db/FileVaultPRK.dat"

static bool owned[DESCRIPTORS], no_sigpipe[DESCRIPTORS], write_end[DESCRIPTORS];

void files_start(void) {
    memset(owned, 0, sizeof owned);
    memset(no_sigpipe, 0, sizeof no_sigpipe);
    memset(write_end, 0, sizeof write_end);
}

void files_own(int descriptor) {
    if (descriptor >= 0 && descriptor < DESCRIPTORS) owned[descriptor] = true;
}

bool files_owned(int descriptor) { return descriptor >= 0 && descriptor < DESCRIPTORS && owned[descriptor]; }

bool files_quiet(int descriptor) { return descriptor >= 0 && descriptor < DESCRIPTORS && no_sigpipe[descriptor]; }

void files_copied(int from, int to) {
    if (from < 0 || to < 0 || from >= DESCRIPTORS || to >= DESCRIPTORS) return;
    no_sigpipe[to] = no_sigpipe[from];
    write_end[to] = write_end[from];
}

bool files_write_end(int descriptor) { return files_owned(descriptor) && write_end[descriptor]; }

unsigned files_held(void) {
    unsigned held = 0;
    for (int i = 0; i < DESCRIPTORS; i++) held += owned[i];
    return held;
}

unsigned files_left(void) {
    unsigned left = 0;
    for (int i = 0; i < DESCRIPTORS; i++) {
        left += owned[i];
        if (owned[i]) close(i);
    }
    return left;
}

int32_t darwin_errno_of(int value) {
    return value == EAGAIN ? DARWIN_EAGAIN : value; /* the others that can occur here have the same number on both systems */
}

static int32_t result_of(int64_t value) {
    if (value < 0) standin_errno = darwin_errno_of(errno);
    return (int32_t)value;
}

int32_t standin_open(const char *path, int32_t flags, VARIADIC_AFTER_TWO) {
    IGNORE_REGISTERS;
    enum fault fault = called(ID_open);
    event_begin("open");
    event_text("path", path);
    event_number("flags", flags);
    event_end();
    if (flags & DARWIN_O_CREAT) violation("creates the file %s with mode %o", path, (unsigned)extra);
    if (fault) return fail_with(fault == FAULT_INTERRUPTED ? DARWIN_EINTR : DARWIN_EMFILE);
    if (strcmp(path, "/dev/null") != 0) return fail_with(DARWIN_ENOENT);
    int descriptor = open(path, (flags & DARWIN_O_ACCMODE) | (flags & DARWIN_O_CLOEXEC ? O_CLOEXEC : 0));
    files_own(descriptor);
    return result_of(descriptor);
}

/* A failing close has closed nevertheless (EIO); XNU frees the descriptor first. Source: bsd/kern/kern_descrip.c, close(2). */
int32_t standin_close(int32_t descriptor) {
    enum fault fault = called(ID_close);
    if (!files_owned(descriptor)) {
        violation("closes descriptor %d, which is not its own", descriptor);
        return fail_with(DARWIN_EBADF);
    }
    owned[descriptor] = no_sigpipe[descriptor] = write_end[descriptor] = false;
    close(descriptor);
    return fault ? fail_with(DARWIN_EIO) : 0;
}

int32_t standin_pipe(int32_t ends[2]) {
    if (called(ID_pipe)) return fail_with(DARWIN_EMFILE);
    int both[2];
    if (pipe(both) != 0) return result_of(-1);
    for (int i = 0; i < 2; i++) {
        files_own(both[i]);
        ends[i] = both[i];
    }
    write_end[both[1]] = true;
    return 0;
}

int32_t standin_fcntl(int32_t descriptor, int32_t command, VARIADIC_AFTER_TWO) {
    IGNORE_REGISTERS;
    if (called(ID_fcntl)) return fail_with(DARWIN_EINVAL);
    if (!files_owned(descriptor)) {
        violation("fcntl %d on descriptor %d, which is not its own", command, descriptor);
        return fail_with(DARWIN_EBADF);
    }
    int argument = (int)extra, flags;
    switch (command) {
    case DARWIN_F_GETFD: return result_of(fcntl(descriptor, F_GETFD));
    case DARWIN_F_SETFD: return result_of(fcntl(descriptor, F_SETFD, argument));
    case DARWIN_F_GETFL:
        flags = fcntl(descriptor, F_GETFL);
        return flags < 0 ? result_of(flags) : (flags & O_ACCMODE) | (flags & O_NONBLOCK ? DARWIN_O_NONBLOCK : 0);
    case DARWIN_F_SETFL: return result_of(fcntl(descriptor, F_SETFL, argument & DARWIN_O_NONBLOCK ? O_NONBLOCK : 0));
    case DARWIN_F_SETNOSIGPIPE: no_sigpipe[descriptor] = argument != 0; return 0;
    case DARWIN_F_GETNOSIGPIPE: return no_sigpipe[descriptor];
    case DARWIN_F_DUPFD_CLOEXEC:
    case DARWIN_F_DUPFD: {
        int copy = fcntl(descriptor, command == DARWIN_F_DUPFD ? F_DUPFD : F_DUPFD_CLOEXEC, argument);
        files_own(copy);
        if (copy >= 0) write_end[copy] = write_end[descriptor], no_sigpipe[copy] = no_sigpipe[descriptor];
        return result_of(copy);
    }
    default: violation("fcntl command %d", command); return fail_with(DARWIN_EINVAL);
    }
}

size_t files_pipe_room(int descriptor) {
    int waiting = 0;
    if (!scenario->pipe_capacity || !files_owned(descriptor) || !write_end[descriptor]) return SIZE_MAX;
    ioctl(descriptor, FIONREAD, &waiting);
    return scenario->pipe_capacity > (unsigned)waiting ? scenario->pipe_capacity - (unsigned)waiting : 0;
}

struct readiness {
    struct pollfd one;
};
static bool is_ready(void *argument) { return poll(&((struct readiness *)argument)->one, 1, 0) != 0; }

/* Waits in virtual time when the descriptor would block; a wait that nothing ends is a broken rule. */
static void wait_if_blocking(int descriptor, short events) {
    struct readiness readiness = {{descriptor, events, 0}};
    if (fcntl(descriptor, F_GETFL) & O_NONBLOCK || is_ready(&readiness)) return;
    violation("blocks in %s without a limit", events == POLLIN ? "read" : "write");
    world_wait(is_ready, &readiness, world->now + 3600 * NS_PER_SECOND);
}

static int32_t faulty_transfer(enum fault fault) {
    return fail_with(fault == FAULT_INTERRUPTED ? DARWIN_EINTR : fault == FAULT_AGAIN ? DARWIN_EAGAIN : DARWIN_EIO);
}

int64_t standin_read(int32_t descriptor, void *bytes, size_t length) {
    enum fault fault = called(ID_read);
    if (!files_owned(descriptor)) violation("reads descriptor %d, which is not its own", descriptor);
    if (length > READ_MOST) violation("asks for %zu bytes at once, more than any of its buffers holds", length);
    if (fault & (FAULT_ERROR | FAULT_INTERRUPTED | FAULT_AGAIN)) return faulty_transfer(fault);
    wait_if_blocking(descriptor, POLLIN);
    int64_t count = read(descriptor, bytes, fault == FAULT_SHORT && length > 1 ? 1 : length);
    if (count < 0) return result_of(count);
    return count;
}

int64_t standin_write(int32_t descriptor, const void *bytes, size_t length) {
    enum fault fault = called(ID_write);
    if (!files_owned(descriptor)) violation("writes to descriptor %d, which is not its own", descriptor);
    if (fault & (FAULT_ERROR | FAULT_INTERRUPTED | FAULT_AGAIN)) return faulty_transfer(fault);
    size_t room = files_pipe_room(descriptor);
    if (room == 0) return fail_with(DARWIN_EAGAIN);
    wait_if_blocking(descriptor, POLLOUT);
    if (fault == FAULT_SHORT) room = 1;
    int64_t count = write(descriptor, bytes, length < room ? length : room);
    if (count < 0 && errno == EPIPE && !no_sigpipe[descriptor]) violation("SIGPIPE would have ended the login process");
    if (count < 0) return result_of(count);
    return count;
}

/* When the new key's file was written, whatever the date is set to later. */
static int64_t fresh_date(void) {
    if (!world->key_file_date) world->key_file_date = wall_ns() - (world->now - world->key_file_time);
    return world->key_file_date;
}

/* How the file differs once a new key is in it: "newer"; "older" (a date set back, or a copy from elsewhere); "inode", another file with the same times and size; "gone". */
static int32_t describe(const char *path, struct darwin_stat *status) {
    const char *change = scenario->key_file_change;
    bool fresh = world->key_file_time >= 0 && world->now >= world->key_file_time;
    if (strcmp(path, KEY_FILE) != 0 || (!fresh && scenario->key_file_age < 0) || (fresh && strcmp(change, "gone") == 0)) {
        event_begin("stat");
        event_text("path", path);
        event_end();
        return fail_with(DARWIN_ENOENT);
    }
    int64_t modified = wall_start_ns() - scenario->key_file_age;
    if (fresh && strcmp(change, "newer") == 0) modified = fresh_date();
    if (fresh && strcmp(change, "older") == 0) modified -= 365 * 86400 * NS_PER_SECOND;
    memset(status, 0, sizeof *status);
    status->mode = 0100600;
    status->links = 1;
    status->inode = fresh ? 5002 : 5001;
    status->size = 453; /* "Saved PRK escrow file: YES  Length: 453", upstream's issue 7 */
    status->modified.seconds = modified / NS_PER_SECOND;
    status->modified.nanoseconds = modified % NS_PER_SECOND;
    status->changed = status->born = status->modified;
    status->accessed.seconds = wall_ns() / NS_PER_SECOND; /* a backup reads it, which is not a change */
    event_begin("stat");
    event_text("path", path);
    event_number("inode", (long long)status->inode);
    event_number("size", status->size);
    event_number("seconds", status->modified.seconds);
    event_number("nanoseconds", status->modified.nanoseconds);
    event_end();
    return 0;
}

int32_t standin_stat(const char *path, struct darwin_stat *status) { return called(ID_stat) ? fail_with(DARWIN_EACCES) : describe(path, status); }
int32_t standin_lstat(const char *path, struct darwin_stat *status) { return called(ID_lstat) ? fail_with(DARWIN_EACCES) : describe(path, status); }
