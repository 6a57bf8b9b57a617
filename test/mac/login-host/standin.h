/* What the stand-ins share. Each speaks Darwin's ABI: its own constants, errno values and layouts. */
#ifndef LOGIN_HOST_STANDIN_H
#define LOGIN_HOST_STANDIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "darwin.h"
#include "faults.h"

/*
 * Apple's arm64 passes variadic arguments on the stack, so a stand-in takes eight register arguments and finds them behind; x86_64 passes them like
 * others. Source: "Writing ARM64 code for Apple platforms", developer.apple.com.
 */
#if defined(__aarch64__) && !defined(LOGIN_HOST_NATIVE)
#define VARIADIC_AFTER_TWO uint64_t x2, uint64_t x3, uint64_t x4, uint64_t x5, uint64_t x6, uint64_t x7, uint64_t extra
#define IGNORE_REGISTERS (void)x2, (void)x3, (void)x4, (void)x5, (void)x6, (void)x7
#else
#define VARIADIC_AFTER_TWO uint64_t extra
#define IGNORE_REGISTERS (void)0
#endif

/* errno as the plugin sees it. */
extern int32_t standin_errno;
/* Sets errno to a Darwin value and returns -1. */
int32_t fail_with(int32_t darwin_errno);
/* Returns Darwin's number for this machine's errno `value`. */
int32_t darwin_errno_of(int value);
/* Returns the address for a Mach-O symbol of a library, or NULL. */
void *standin_resolve(const char *symbol, const char *install_name);

/* Descriptors the plugin owns. */
void files_start(void);
void files_own(int descriptor);
bool files_owned(int descriptor);
/* Returns whether it is the writing end of a pipe. */
bool files_write_end(int descriptor);
/* Returns how many are open. */
unsigned files_held(void);
/* Returns how many the plugin left open, and closes them. */
unsigned files_left(void);
/* Returns the bytes a pipe's write end can still take under the scenario's limit. */
size_t files_pipe_room(int descriptor);

/* Returns whether a write into a pipe without a reader raises no SIGPIPE: F_SETNOSIGPIPE marks the open file that all its copies share. */
bool files_quiet(int descriptor);
/* For the child's side: `to` is a copy of `from` from now on. */
void files_copied(int from, int to);

/* Returns virtual wall-clock time, ns since 1970. */
int64_t wall_ns(void);
/* Returns the wall-clock time at which each run starts. */
int64_t wall_start_ns(void);

/* Blocks the plugin has not freed, and overruns found. */
void memory_start(void);
unsigned memory_left(void);
/* Returns the arena in use, freed blocks included; NULL in the native build. */
const uint8_t *memory_arena(size_t *length);

/* Attributes and file actions not destroyed. */
extern int spawn_objects;

/* CoreFoundation objects the plugin has not released. */
int cf_left(void);
const uint8_t *cf_arena(size_t *length);

/* Loads the preferences of the scenario. */
void preferences_start(void);
/* Records what is stored at the end. */
void preferences_record(void);
/* Returns whether GenerateNewKey is true in the stored local value. */
bool preferences_requested(void);
/* Returns whether the stored back-off holds back the user with id `uid` (-1: not known). */
bool preferences_held_back(int64_t uid);

/* Returns whether bytes hold the password of the login, plain or escaped for XML, or the new key; notes a violation with `where`. */
bool secret_in(const void *bytes, size_t length, const char *where);

#endif
