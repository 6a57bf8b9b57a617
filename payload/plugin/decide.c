#include "decide.h"

enum { FAILURES_BEFORE_BACK_OFF = 3 };
static const double BACK_OFF_SECONDS = 24.0 * 60 * 60;

/* Exit statuses. Source: fdesetup(8), EXIT STATUS. */
enum {
  FDESETUP_OK = 0,
  FDESETUP_OFF = 1,
  FDESETUP_BUSY = 2,
  FDESETUP_AUTHENTICATION = 11,
  FDESETUP_OFF_BUSY_OR_LOCKED = 28
};

static struct decision ask(enum fact fact) {
  return (struct decision){STEP_READ, fact, OUTCOME_INTERNAL_ERROR};
}

static struct decision stop(enum outcome outcome) {
  return (struct decision){STEP_STOP, FACT_REQUESTED, outcome};
}

/* Facts about FileVault, in their own function so that decide() stays one line a fact. */
static enum outcome filevault_outcome(enum filevault filevault) {
  switch (filevault) {
  case FILEVAULT_OFF: return OUTCOME_FILEVAULT_OFF;
  case FILEVAULT_BUSY: return OUTCOME_FILEVAULT_BUSY;
  case FILEVAULT_TIMED_OUT: return OUTCOME_TIMED_OUT;
  case FILEVAULT_NOT_STARTED: return OUTCOME_SPAWN_FAILED;
  case FILEVAULT_UNREAD:
  case FILEVAULT_ON:
  case FILEVAULT_UNCLEAR: break;
  }
  return OUTCOME_INTERNAL_ERROR;
}

struct decision decide(const struct facts *facts) {
  const struct {
    enum answer answer, wanted;
    enum fact fact;
    enum outcome otherwise;
  } gates[] = {
      {facts->requested, ANSWER_YES, FACT_REQUESTED, OUTCOME_NOT_REQUESTED},
      {facts->request_forced, ANSWER_NO, FACT_REQUEST_FORCED, OUTCOME_REQUEST_FORCED},
      {facts->escrow_profile, ANSWER_YES, FACT_ESCROW_PROFILE, OUTCOME_NO_ESCROW_PROFILE},
      {facts->filevault == FILEVAULT_UNREAD ? ANSWER_UNREAD : facts->filevault == FILEVAULT_ON ? ANSWER_YES : ANSWER_NO,
       ANSWER_YES, FACT_FILEVAULT, filevault_outcome(facts->filevault)},
      {facts->credentials, ANSWER_YES, FACT_CREDENTIALS, OUTCOME_NO_CREDENTIALS},
      {facts->token_login, ANSWER_NO, FACT_TOKEN_LOGIN, OUTCOME_TOKEN_LOGIN},
      {facts->representable, ANSWER_YES, FACT_REPRESENTABLE, OUTCOME_PASSWORD_NOT_REPRESENTABLE},
      {facts->held_back, ANSWER_NO, FACT_HELD_BACK, OUTCOME_HELD_BACK},
  };
  for (unsigned i = 0; i < sizeof gates / sizeof gates[0]; i++) {
    if (gates[i].answer == ANSWER_UNREAD) return ask(gates[i].fact);
    if (gates[i].answer == ANSWER_FAILED) return stop(OUTCOME_INTERNAL_ERROR);
    if (gates[i].answer != gates[i].wanted) return stop(gates[i].otherwise);
  }
  return (struct decision){STEP_ROTATE, FACT_REQUESTED, OUTCOME_INTERNAL_ERROR};
}

enum filevault judge_isactive(enum child_end end, int status) {
  if (end == CHILD_TIMED_OUT) return FILEVAULT_TIMED_OUT;
  if (end == CHILD_NOT_STARTED) return FILEVAULT_NOT_STARTED;
  if (end != CHILD_EXITED) return FILEVAULT_UNCLEAR;
  if (status == FDESETUP_OK) return FILEVAULT_ON;
  if (status == FDESETUP_OFF) return FILEVAULT_OFF;
  if (status == FDESETUP_BUSY || status == FDESETUP_OFF_BUSY_OR_LOCKED) return FILEVAULT_BUSY;
  return FILEVAULT_UNCLEAR;
}

enum outcome judge_rotation(enum child_end end, int status, bool key_file_newer) {
  switch (end) {
  case CHILD_TIMED_OUT: return OUTCOME_TIMED_OUT;
  case CHILD_NOT_STARTED: return OUTCOME_SPAWN_FAILED;
  case CHILD_LOST: return OUTCOME_INTERNAL_ERROR;
  case CHILD_SIGNALLED: return OUTCOME_ROTATION_FAILED;
  case CHILD_EXITED: break;
  }
  switch (status) {
  case FDESETUP_OK: return key_file_newer ? OUTCOME_ROTATED : OUTCOME_ROTATED_UNCONFIRMED;
  case FDESETUP_OFF: return OUTCOME_FILEVAULT_OFF;
  case FDESETUP_BUSY:
  case FDESETUP_OFF_BUSY_OR_LOCKED: return OUTCOME_FILEVAULT_BUSY;
  case FDESETUP_AUTHENTICATION: return OUTCOME_AUTHENTICATION_FAILED;
  default: return OUTCOME_ROTATION_FAILED;
  }
}

bool counts_as_failure(enum outcome outcome) {
  return outcome == OUTCOME_AUTHENTICATION_FAILED || outcome == OUTCOME_ROTATION_FAILED ||
         outcome == OUTCOME_TIMED_OUT || outcome == OUTCOME_SPAWN_FAILED || outcome == OUTCOME_INTERNAL_ERROR;
}

bool held_back(int64_t consecutive_failures, bool last_attempt_known, double seconds_since_last_attempt) {
  if (consecutive_failures < FAILURES_BEFORE_BACK_OFF || !last_attempt_known) return false;
  return seconds_since_last_attempt >= 0 && seconds_since_last_attempt < BACK_OFF_SECONDS;
}
