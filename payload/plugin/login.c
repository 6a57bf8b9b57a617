#include "login.h"

#include <stddef.h>

#include "rotate.h"

static void log_stop(os_log_t log, enum outcome outcome) {
  switch (outcome) {
  case OUTCOME_NOT_REQUESTED: LOG_DEBUG(log, "GenerateNewKey is False"); break;
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

/* Counted before the attempt as if it failed; the count is put right when it is known how it ended. */
static void attempt_rotation(const struct login *login) {
  const int64_t before = settings_consecutive_failures();
  struct attempt attempt = {OUTCOME_INTERNAL_ERROR, false, 0, before < INT32_MAX ? before + 1 : before};
  if (!settings_begin_attempt(attempt.consecutive_failures)) {
    LOG_ERROR(login->logs.invoke, "ERROR: The settings cannot be written, so the request could not be cleared");
    settings_record_outcome(attempt.outcome, login->logs.invoke);
    return;
  }
  LOG_DEFAULT(login->logs.invoke, "Generating a new FileVault personal recovery key");
  rotate(login, &attempt);
  LOG_DEFAULT(login->logs.invoke, "Outcome: %{public}s", outcome_name(attempt.outcome));
  if (attempt.outcome == OUTCOME_ROTATED || attempt.outcome == OUTCOME_ROTATED_UNCONFIRMED) {
    /* A request that stays counts as a failure, so that it cannot rotate at every login. */
    if (settings_clear_request(login->logs.invoke)) attempt.consecutive_failures = 0;
  } else if (!counts_as_failure(attempt.outcome)) {
    attempt.consecutive_failures = before;
  }
  settings_end_attempt(&attempt, login->logs.invoke);
}

void handle_login(const AuthorizationCallbacks *callbacks, AuthorizationEngineRef engine) {
  struct login login = {callbacks, engine, open_logs(), 0, NULL};
  struct facts facts = {0};
  struct decision decision;
  while ((decision = decide(&facts)).step == STEP_READ) read_fact(&login, decision.fact, &facts);
  if (decision.step == STEP_ROTATE) {
    attempt_rotation(&login);
  } else {
    log_stop(login.logs.invoke, decision.outcome);
    if (decision.outcome != OUTCOME_NOT_REQUESTED) settings_record_outcome(decision.outcome, login.logs.invoke);
  }
  secret_destroy(login.secret);
}
