#include "login.h"

#include <stddef.h>

#include "child.h"
#include "rotate.h"

static void log_stop(os_log_t log, enum outcome outcome) {
  switch (outcome) {
  case OUTCOME_NOT_REQUESTED: LOG_DEFAULT(log, "GenerateNewKey is False"); break;
  case OUTCOME_REQUEST_FORCED:
    LOG_ERROR(log, "ERROR: GenerateNewKey is set by an MDM profile. This is a configuration error! Use `defaults "
                   "write` to set the preference instead.");
    break;
  case OUTCOME_NO_ESCROW_PROFILE:
    LOG_ERROR(log, "ERROR: No MDM profile for enforcing FileVault escrow is present.");
    break;
  case OUTCOME_FILEVAULT_OFF: LOG_DEFAULT(log, "FileVault is not enabled"); break;
  default: LOG_ERROR(log, "No new key in this login: %{public}s", outcome_name(outcome)); break;
  }
}

/* A success clears the request. One that cannot be cleared counts as a failure, whoever logs in, so that it does not
 * rotate at every login. */
static void conclude(const struct login *login, struct failures before, struct attempt *attempt) {
  const os_log_t log = login->logs.invoke;
  const struct user anybody = {.known = false};
  const struct failures none = {0, anybody}, begun = {failures_of(before, login->user), login->user};
  LOG_DEFAULT(log, "Outcome: %{public}s", outcome_name(attempt->outcome));
  if (attempt->outcome == OUTCOME_ROTATED || attempt->outcome == OUTCOME_ROTATED_UNCONFIRMED) {
    LOG_DEFAULT(log, "rotateRecoveryKey succeeded");
    attempt->failures = settings_clear_request(log) ? none : one_more_failure(before, anybody);
  } else {
    if (attempt->outcome == OUTCOME_NOT_AWAITED) attempt->failures = begun;
    else LOG_ERROR(log, "Caught error trying to generate a new key: %{public}s", outcome_name(attempt->outcome));
    if (counts_as_failure(attempt->outcome)) attempt->failures = one_more_failure(before, login->user);
  }
  attempts_end(attempt, log);
}

static void attempt_rotation(const struct login *login) {
  const os_log_t log = login->logs.invoke;
  const struct failures before = attempts_failures();
  const struct key_record record = read_key_record();
  struct attempt attempt = {.outcome = OUTCOME_INTERNAL_ERROR, .failures = before};
  if (!attempts_begin(before, login->user, record)) {
    LOG_ERROR(log, "ERROR: The settings cannot be written, so the request could not be cleared");
    attempts_end(&attempt, log);
    return;
  }
  LOG_DEFAULT(log, "Generating a new FileVault personal recovery key");
  LOG_DEFAULT(log, "rotateRecoveryKey called");
  rotate(login, record, &attempt);
  conclude(login, before, &attempt);
}

/* The change that an earlier login did not wait for. */
static void confirm(const struct login *login, enum outcome outcome) {
  struct attempt attempt = {.outcome = outcome};
  LOG_DEFAULT(login->logs.invoke, "The key record has changed since the last attempt, which has succeeded");
  conclude(login, attempts_failures(), &attempt);
}

void handle_login(const AuthorizationCallbacks *callbacks, AuthorizationEngineRef engine, struct logs logs) {
  struct login login = {.callbacks = callbacks, .engine = engine, .logs = logs};
  struct facts facts = {0};
  struct decision decision;
  reap_left_children();
  while ((decision = decide(&facts)).step == STEP_READ) read_fact(&login, decision.fact, &facts);
  if (decision.step == STEP_ROTATE) {
    attempt_rotation(&login);
  } else if (decision.step == STEP_CONFIRM) {
    confirm(&login, decision.outcome);
  } else {
    log_stop(logs.invoke, decision.outcome);
    if (decision.outcome != OUTCOME_NOT_REQUESTED) attempts_record_outcome(decision.outcome, logs.invoke);
  }
  secret_destroy(login.secret);
}
