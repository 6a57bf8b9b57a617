/* One login: what Invoke knows, and the steps it goes through. */
#ifndef ESCROW_BUDDY_LOGIN_H
#define ESCROW_BUDDY_LOGIN_H

#include <Security/AuthorizationPlugin.h>

#include "attempts.h"
#include "log.h"
#include "secret.h"
#include "settings.h"

struct login {
  const AuthorizationCallbacks *callbacks;
  AuthorizationEngineRef engine;
  struct logs logs;
  struct user user;      /* not known before the back-off is looked at */
  uint64_t timeout_ms;   /* how long a key change is waited for; read before fdesetup is first run */
  uint64_t deadline_ms;  /* of everything fdesetup does in this login; set at the same time */
  struct secret *secret; /* NULL until the password is looked at */
};

/* Does what is to be done in this login. Whatever happens, it returns, and the login goes on. */
void handle_login(const AuthorizationCallbacks *callbacks, AuthorizationEngineRef engine, struct logs logs);

/* Reads one fact into facts. */
void read_fact(struct login *login, enum fact fact, struct facts *facts);

#endif
