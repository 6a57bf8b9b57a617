/* The plug-in interface. The plug-in reference is the host's callback table itself, which outlives us: there is no
 * record of our own that could fail to be allocated, and nothing that two threads could both write. */
#include <Security/AuthorizationPlugin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "login.h"

struct mechanism {
  const AuthorizationCallbacks *callbacks;
  AuthorizationEngineRef engine;
  bool is_invoke; /* any other mechanism id only allows */
  bool allocated;
};

/* Reserve for when there is no memory: a mechanism that cannot be created locks everybody out. */
enum { RESERVE = 4 };
static struct mechanism reserve[RESERVE];
static bool reserve_used[RESERVE];

static struct mechanism *mechanism_new(void) {
  for (size_t i = 0; i < RESERVE; i++)
    if (!__atomic_exchange_n(&reserve_used[i], true, __ATOMIC_ACQ_REL)) return &reserve[i];
  struct mechanism *const mechanism = calloc(1, sizeof *mechanism);
  if (mechanism != NULL) mechanism->allocated = true;
  return mechanism;
}

static void mechanism_free(struct mechanism *mechanism) {
  if (mechanism->allocated) free(mechanism);
  else __atomic_store_n(&reserve_used[mechanism - reserve], false, __ATOMIC_RELEASE);
}

static OSStatus mechanism_create(AuthorizationPluginRef plugin, AuthorizationEngineRef engine,
                                 AuthorizationMechanismId id, AuthorizationMechanismRef *out) {
  if (out == NULL) return errAuthorizationInternal;
  struct mechanism *const mechanism = plugin == NULL ? NULL : mechanism_new();
  *out = mechanism;
  if (mechanism == NULL) return errAuthorizationInternal;
  mechanism->callbacks = plugin;
  mechanism->engine = engine;
  mechanism->is_invoke = id != NULL && strcmp(id, "Invoke") == 0;
  return errAuthorizationSuccess;
}

static OSStatus mechanism_invoke(AuthorizationMechanismRef reference) {
  const struct mechanism *const mechanism = reference;
  if (mechanism == NULL) return errAuthorizationInternal;
  const AuthorizationCallbacks *const callbacks = mechanism->callbacks;
  const AuthorizationEngineRef engine = mechanism->engine;
  struct logs logs = {NULL, NULL};
  if (mechanism->is_invoke) {
    logs = open_logs();
    LOG_DEFAULT(logs.mechanism, "initWithMechanismRecord");
    LOG_DEFAULT(logs.invoke, "Starting Escrow Buddy:Invoke");
    handle_login(callbacks, engine, logs);
    LOG_DEFAULT(logs.mechanism, "allowLogin called");
  }
  /* The only SetResult. The host may destroy the mechanism within it, so it is not touched after. */
  const OSStatus status = callbacks->SetResult(engine, kAuthorizationResultAllow);
  LOG_DEFAULT(logs.mechanism, "Proceeding with login");
  return status;
}

/* authd waits for this answer (agent.c). There is nothing to take back: no window, and a rotation is never cut
 * short. */
static OSStatus mechanism_deactivate(AuthorizationMechanismRef reference) {
  const struct mechanism *const mechanism = reference;
  if (mechanism == NULL || mechanism->callbacks->DidDeactivate == NULL) return errAuthorizationInternal;
  return mechanism->callbacks->DidDeactivate(mechanism->engine);
}

static OSStatus mechanism_destroy(AuthorizationMechanismRef reference) {
  reap_left_children();
  if (reference != NULL) mechanism_free(reference);
  return errAuthorizationSuccess;
}

static OSStatus plugin_destroy(AuthorizationPluginRef plugin) {
  (void)plugin;
  reap_left_children();
  return errAuthorizationSuccess;
}

/* Version is not looked at: all callbacks used exist since version 0, and macOS 10.14 hands over 3, later ones 4. */
__attribute__((visibility("default"))) OSStatus
AuthorizationPluginCreate(const AuthorizationCallbacks *callbacks, AuthorizationPluginRef *out_plugin,
                          const AuthorizationPluginInterface **out_interface) {
  static const AuthorizationPluginInterface interface = {
      kAuthorizationPluginInterfaceVersion, plugin_destroy,       mechanism_create,
      mechanism_invoke,                     mechanism_deactivate, mechanism_destroy};
  if (callbacks == NULL || callbacks->SetResult == NULL || out_plugin == NULL || out_interface == NULL)
    return errAuthorizationInternal;
  *out_plugin = (AuthorizationPluginRef)(uintptr_t)callbacks;
  *out_interface = &interface;
  return errAuthorizationSuccess;
}
