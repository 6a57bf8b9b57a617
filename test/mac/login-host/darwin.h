/*
 * Darwin's constants and layouts, as the plugin was compiled against them. The host runs on Linux, so nothing here may come from the machine's own headers.
 */
#ifndef LOGIN_HOST_DARWIN_H
#define LOGIN_HOST_DARWIN_H

#include <stddef.h>
#include <stdint.h>

/* bsd/sys/errno.h (XNU). */
enum {
    DARWIN_EPERM = 1,
    DARWIN_ENOENT = 2,
    DARWIN_ESRCH = 3,
    DARWIN_EINTR = 4,
    DARWIN_EIO = 5,
    DARWIN_EBADF = 9,
    DARWIN_ECHILD = 10,
    DARWIN_ENOMEM = 12,
    DARWIN_EACCES = 13,
    DARWIN_EINVAL = 22,
    DARWIN_EMFILE = 24,
    DARWIN_EPIPE = 32,
    DARWIN_EAGAIN = 35,
};

/* bsd/sys/fcntl.h (XNU). */
enum {
    DARWIN_O_ACCMODE = 3,
    DARWIN_O_NONBLOCK = 0x4,
    DARWIN_O_NOFOLLOW = 0x100,
    DARWIN_O_CREAT = 0x200,
    DARWIN_O_CLOEXEC = 0x1000000,
    DARWIN_F_DUPFD = 0,
    DARWIN_F_GETFD = 1,
    DARWIN_F_SETFD = 2,
    DARWIN_F_GETFL = 3,
    DARWIN_F_SETFL = 4,
    DARWIN_F_DUPFD_CLOEXEC = 67,
    DARWIN_F_SETNOSIGPIPE = 73,
    DARWIN_F_GETNOSIGPIPE = 74,
};

/* bsd/sys/spawn.h (XNU). */
enum {
    DARWIN_SPAWN_SETPGROUP = 0x0002,
    DARWIN_SPAWN_SETSIGDEF = 0x0004,
    DARWIN_SPAWN_SETSIGMASK = 0x0008,
    DARWIN_SPAWN_SETEXEC = 0x0040,
    DARWIN_SPAWN_CLOEXEC_DEFAULT = 0x4000,
};

/* bsd/sys/wait.h, bsd/sys/signal.h (XNU). */
enum { DARWIN_WNOHANG = 1, DARWIN_SIGKILL = 9, DARWIN_SIGTERM = 15, DARWIN_SIGSTOP = 17, DARWIN_SIGCONT = 19 };

/* libsyscall clock_gettime(3): REALTIME follows changes of the date, MONOTONIC runs on in sleep, UPTIME_RAW does not. */
enum {
    DARWIN_CLOCK_REALTIME = 0,
    DARWIN_CLOCK_MONOTONIC_RAW = 4,
    DARWIN_CLOCK_MONOTONIC_RAW_APPROX = 5,
    DARWIN_CLOCK_MONOTONIC = 6,
    DARWIN_CLOCK_UPTIME_RAW = 8,
    DARWIN_CLOCK_UPTIME_RAW_APPROX = 9,
};

struct darwin_timespec {
    int64_t seconds;
    int64_t nanoseconds;
};

/* struct stat with 64-bit inode numbers, 144 bytes on both architectures. Source: bsd/sys/stat.h (XNU), __DARWIN_STRUCT_STAT64. */
struct darwin_stat {
    int32_t device;
    uint16_t mode;
    uint16_t links;
    uint64_t inode;
    uint32_t uid;
    uint32_t gid;
    int32_t special_device;
    int32_t padding;
    struct darwin_timespec accessed;
    struct darwin_timespec modified;
    struct darwin_timespec changed;
    struct darwin_timespec born;
    int64_t size;
    int64_t blocks;
    int32_t block_size;
    uint32_t flags;
    uint32_t generation;
    int32_t spare;
    int64_t spares[2];
};
_Static_assert(sizeof(struct darwin_stat) == 144, "stat is 144 bytes");
_Static_assert(offsetof(struct darwin_stat, modified) == 48 && offsetof(struct darwin_stat, size) == 96, "stat's fields");

struct darwin_pollfd {
    int32_t descriptor;
    int16_t events;
    int16_t revents;
};
enum { DARWIN_POLLIN = 1, DARWIN_POLLOUT = 4, DARWIN_POLLERR = 8, DARWIN_POLLHUP = 0x10, DARWIN_POLLNVAL = 0x20 };

/* CFDate counts from 2001-01-01 00:00:00 UTC. Source: CFDate.h, kCFAbsoluteTimeIntervalSince1970. */
#define CF_EPOCH_SECONDS 978307200

/* AuthorizationPlugin.h and Authorization.h (Security-61901). */
enum { AUTHORIZATION_ALLOW = 0, ERR_AUTHORIZATION_DENIED = -60005, ERR_AUTHORIZATION_INTERNAL = -60008 };

struct authorization_value {
    size_t length;
    const void *data;
};
struct authorization_value_vector {
    uint32_t count;
    struct authorization_value *values;
};
/* 128 bytes at version 4; RemoveHintValue stands before RemoveContextValue. */
struct authorization_callbacks {
    uint32_t version;
    int32_t (*set_result)(void *engine, uint32_t result);
    int32_t (*request_interrupt)(void *engine);
    int32_t (*did_deactivate)(void *engine);
    int32_t (*get_context_value)(void *engine, const char *key, uint32_t *flags, const struct authorization_value **value);
    int32_t (*set_context_value)(void *engine, const char *key, uint32_t flags, const struct authorization_value *value);
    int32_t (*get_hint_value)(void *engine, const char *key, const struct authorization_value **value);
    int32_t (*set_hint_value)(void *engine, const char *key, const struct authorization_value *value);
    int32_t (*get_arguments)(void *engine, const struct authorization_value_vector **arguments);
    int32_t (*get_session_id)(void *engine, void **session);
    int32_t (*get_immutable_hint_value)(void *engine, const char *key, const struct authorization_value **value);
    int32_t (*get_la_context)(void *engine, const void **context);
    int32_t (*get_token_identities)(void *engine, const void *context, const void **identities);
    int32_t (*get_tk_token_watcher)(void *engine, const void **watcher);
    int32_t (*remove_hint_value)(void *engine, const char *key);
    int32_t (*remove_context_value)(void *engine, const char *key);
};
_Static_assert(sizeof(struct authorization_callbacks) == 128, "AuthorizationCallbacks is 128 bytes at version 4");

struct authorization_interface {
    uint32_t version;
    int32_t (*plugin_destroy)(void *plugin);
    int32_t (*mechanism_create)(void *plugin, void *engine, const char *mechanism_id, void **mechanism);
    int32_t (*mechanism_invoke)(void *mechanism);
    int32_t (*mechanism_deactivate)(void *mechanism);
    int32_t (*mechanism_destroy)(void *mechanism);
};
_Static_assert(sizeof(struct authorization_interface) == 48, "AuthorizationPluginInterface is 48 bytes");

typedef int32_t (*authorization_plugin_create)(const struct authorization_callbacks *, void **, const struct authorization_interface **);

#endif
