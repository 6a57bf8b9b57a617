/*
 * A plugin that breaks one rule of the login host, chosen by -DPROBE_<NAME>, so that each rule is seen to catch something. PROBE_NONE breaks none.
 */
#include <Security/AuthorizationPlugin.h>
#include <errno.h>
#include <os/log.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static const AuthorizationCallbacks *callbacks;
static AuthorizationEngineRef current;
__attribute__((unused)) static char kept[64];
extern int system(const char *command);

__attribute__((unused)) static const AuthorizationValue *password(void) {
  const AuthorizationValue *value = NULL;
  AuthorizationContextFlags flags;
  callbacks->GetContextValue(current, "password", &flags, &value);
  return value;
}

/* Runs fdesetup; `descriptor` (-1: none) becomes its descriptor `as`. */
__attribute__((unused)) static pid_t run(short flags, char *verb, int descriptor, int as) {
  pid_t pid = 0;
  char *const arguments[] = {(char[]){"fdesetup"}, verb, NULL};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  if (descriptor >= 0) posix_spawn_file_actions_adddup2(&actions, descriptor, as);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, flags);
  posix_spawn(&pid, "/usr/bin/fdesetup", &actions, &attributes, arguments, arguments + 2);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

__attribute__((unused)) static pid_t start(short flags) { return run(flags, (char[]){"isactive"}, -1, 0); }

/* Begins a key change whose standard error is a pipe that nobody reads. */
__attribute__((unused)) static pid_t change(int as) {
  int ends[2];
  pipe(ends);
  const pid_t pid = run(POSIX_SPAWN_CLOEXEC_DEFAULT | POSIX_SPAWN_SETPGROUP, (char[]){"changerecovery"}, ends[1], as);
  close(ends[0]);
  close(ends[1]);
  return pid;
}

static void misbehave(void) {
#if defined(PROBE_TWICE)
  callbacks->SetResult(current, kAuthorizationResultAllow);
#elif defined(PROBE_KEEP)
  memcpy(kept, password()->data, password()->length);
#elif defined(PROBE_FREED)
  char *copy = calloc(1, 64);
  memcpy(copy, password()->data, password()->length);
  free(copy);
#elif defined(PROBE_PAST)
  const AuthorizationValue *value = password();
  kept[0] = ((const volatile char *)value->data)[value->length];
#elif defined(PROBE_DESCRIPTORS)
  int ends[2];
  pipe(ends);
#elif defined(PROBE_WAITS)
  int ends[4];
  pipe(ends);
  pipe(ends + 2);
  poll(&(struct pollfd){ends[0], POLLIN, 0}, 1, 10);
  for (int i = 0; i < 4; i++) close(ends[i]);
#elif defined(PROBE_READS)
  static char large[8192];
  int ends[2];
  pipe(ends);
  write(ends[1], "x", 1);
  read(ends[0], large, sizeof large);
  for (int i = 0; i < 2; i++) close(ends[i]);
#elif defined(PROBE_LOCKS)
  mlock(kept, sizeof kept);
#elif defined(PROBE_MEMORY)
  *(void *volatile *)kept = calloc(1, 16);
#elif defined(PROBE_CLEAR)
  CFPreferencesSetValue(CFSTR("GenerateNewKey"), kCFBooleanFalse, CFSTR("com.netflix.Escrow-Buddy"), kCFPreferencesAnyUser,
                        kCFPreferencesCurrentHost);
  CFPreferencesSynchronize(CFSTR("com.netflix.Escrow-Buddy"), kCFPreferencesAnyUser, kCFPreferencesCurrentHost);
#elif defined(PROBE_LATE)
  for (int i = 0; i < 60; i++) nanosleep(&(struct timespec){1, 0}, NULL);
#elif defined(PROBE_IMPORT)
  system("fdesetup status");
#elif defined(PROBE_INHERIT)
  start(POSIX_SPAWN_SETPGROUP);
#elif defined(PROBE_ZOMBIE)
  start(POSIX_SPAWN_CLOEXEC_DEFAULT);
  nanosleep(&(struct timespec){1, 0}, NULL);
#elif defined(PROBE_OBJECT)
  CFDateCreate(NULL, 0);
#elif defined(PROBE_RELEASED)
  CFDateRef date = CFDateCreate(NULL, 0);
  CFRelease(date);
  CFRelease(date);
#elif defined(PROBE_SIGNAL)
  kill(-change(STDERR_FILENO), SIGTERM);
#elif defined(PROBE_HURRY)
  change(STDERR_FILENO);
  for (int i = 0; i < 10; i++) nanosleep(&(struct timespec){0, 100000000}, NULL);
#elif defined(PROBE_BROKEN)
  change(STDERR_FILENO);
  for (int i = 0; i < 25; i++) nanosleep(&(struct timespec){1, 0}, NULL);
#elif defined(PROBE_STREAMS)
  change(7);
#elif defined(PROBE_LOG)
  memcpy(kept, password()->data, password()->length);
  os_log_t log = os_log_create("probe", "probe");
  uint8_t buffer[__builtin_os_log_format_buffer_size("%{public}s", kept)];
  static const char format[] = "%{public}s";
  _os_log_impl(&__dso_handle, log, 0, format, __builtin_os_log_format(buffer, "%{public}s", kept), sizeof buffer);
  memset(kept, 0, sizeof kept);
#endif
}

static OSStatus create(AuthorizationPluginRef plugin, AuthorizationEngineRef engine, AuthorizationMechanismId id, AuthorizationMechanismRef *out) {
  (void)plugin, (void)id;
  current = engine;
  *out = &current;
  return 0;
}

static OSStatus invoke(AuthorizationMechanismRef mechanism) {
  (void)mechanism;
  misbehave();
#if defined(PROBE_SILENT)
  return 0;
#elif defined(PROBE_DENY)
  return callbacks->SetResult(current, 1);
#else
  return callbacks->SetResult(current, kAuthorizationResultAllow);
#endif
}

static OSStatus deactivate(AuthorizationMechanismRef mechanism) {
  (void)mechanism;
  return callbacks->DidDeactivate(current);
}

static OSStatus destroy(void *reference) {
  (void)reference;
  return 0;
}

__attribute__((visibility("default"))) OSStatus AuthorizationPluginCreate(const AuthorizationCallbacks *given, AuthorizationPluginRef *plugin,
                                                                          const AuthorizationPluginInterface **interface) {
  static const AuthorizationPluginInterface table = {0, destroy, create, invoke, deactivate, destroy};
  callbacks = given;
  *plugin = &callbacks;
  *interface = &table;
  return 0;
}
