#include "decide.h"

#include <string.h>

enum { FAILURES_BEFORE_BACK_OFF = 3, GUEST_ID = 201 };
static const double BACK_OFF_SECONDS = 24.0 * 60 * 60;

/* Exit statuses. Source: fdesetup(8), EXIT STATUS. */
enum {
  FDESETUP_OK = 0,
  FDESETUP_OFF = 1,
  FDESETUP_BUSY = 2,
  FDESETUP_AUTHENTICATION = 11,
  FDESETUP_CANNOT_CHANGE_KEY = 26,
  FDESETUP_OFF_BUSY_OR_LOCKED = 28,
  FDESETUP_INTERNAL = 99
};

static struct decision ask(enum fact fact) {
  return (struct decision){STEP_READ, fact, OUTCOME_INTERNAL_ERROR};
}

static struct decision end(enum step step, enum outcome outcome) {
  return (struct decision){step, FACT_REQUESTED, outcome};
}

/* Facts about FileVault, in their own functions so that decide() stays one line a fact. */
static enum answer filevault_on(enum filevault filevault) {
  if (filevault == FILEVAULT_UNREAD) return ANSWER_UNREAD;
  return filevault == FILEVAULT_ON || filevault == FILEVAULT_UNKNOWN ? ANSWER_YES : ANSWER_NO;
}

static enum outcome filevault_outcome(enum filevault filevault) {
  switch (filevault) {
  case FILEVAULT_OFF: return OUTCOME_FILEVAULT_OFF;
  case FILEVAULT_BUSY: return OUTCOME_FILEVAULT_BUSY;
  case FILEVAULT_TIMED_OUT: return OUTCOME_TIMED_OUT;
  case FILEVAULT_NOT_STARTED: return OUTCOME_SPAWN_FAILED;
  case FILEVAULT_UNREAD:
  case FILEVAULT_ON:
  case FILEVAULT_UNKNOWN:
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
      {facts->done_since, ANSWER_NO, FACT_DONE_SINCE, OUTCOME_ROTATED},
      {facts->escrow_profile, ANSWER_YES, FACT_ESCROW_PROFILE, OUTCOME_NO_ESCROW_PROFILE},
      {facts->held_back, ANSWER_NO, FACT_HELD_BACK, OUTCOME_HELD_BACK},
      {filevault_on(facts->filevault), ANSWER_YES, FACT_FILEVAULT, filevault_outcome(facts->filevault)},
      {facts->username, ANSWER_YES, FACT_USERNAME, OUTCOME_NO_CREDENTIALS},
      {facts->guest_login, ANSWER_NO, FACT_GUEST_LOGIN, OUTCOME_GUEST_LOGIN},
      {facts->token_login, ANSWER_NO, FACT_TOKEN_LOGIN, OUTCOME_TOKEN_LOGIN},
      {facts->password, ANSWER_YES, FACT_PASSWORD, OUTCOME_NO_PASSWORD_LOGIN},
      {facts->representable, ANSWER_YES, FACT_REPRESENTABLE, OUTCOME_PASSWORD_NOT_REPRESENTABLE},
  };
  for (unsigned i = 0; i < sizeof gates / sizeof gates[0]; i++) {
    if (gates[i].answer == ANSWER_UNREAD) return ask(gates[i].fact);
    if (gates[i].answer == ANSWER_FAILED) return end(STEP_STOP, OUTCOME_INTERNAL_ERROR);
    if (gates[i].answer != gates[i].wanted)
      return end(gates[i].fact == FACT_DONE_SINCE ? STEP_CONFIRM : STEP_STOP, gates[i].otherwise);
  }
  return end(STEP_ROTATE, OUTCOME_INTERNAL_ERROR);
}

enum filevault filevault_after(enum child_end end, int status) {
  if (end == CHILD_TIMED_OUT) return FILEVAULT_TIMED_OUT;
  if (end == CHILD_NOT_STARTED) return FILEVAULT_NOT_STARTED;
  if (end == CHILD_LOST) return FILEVAULT_UNKNOWN;
  if (end != CHILD_EXITED) return FILEVAULT_UNCLEAR;
  if (status == FDESETUP_OK) return FILEVAULT_ON;
  if (status == FDESETUP_OFF) return FILEVAULT_OFF;
  if (status == FDESETUP_BUSY || status == FDESETUP_OFF_BUSY_OR_LOCKED) return FILEVAULT_BUSY;
  return FILEVAULT_UNCLEAR;
}

enum outcome outcome_of_rotation(enum child_end end, int status, bool key_recorded) {
  switch (end) {
  case CHILD_TIMED_OUT: return OUTCOME_TIMED_OUT;
  case CHILD_NOT_AWAITED: return OUTCOME_NOT_AWAITED;
  case CHILD_NOT_STARTED: return OUTCOME_SPAWN_FAILED;
  case CHILD_LOST: return key_recorded ? OUTCOME_ROTATED : OUTCOME_INTERNAL_ERROR;
  case CHILD_SIGNALLED: return OUTCOME_ROTATION_FAILED;
  case CHILD_EXITED: break;
  }
  switch (status) {
  case FDESETUP_OK: return key_recorded ? OUTCOME_ROTATED : OUTCOME_ROTATED_UNCONFIRMED;
  case FDESETUP_OFF: return OUTCOME_FILEVAULT_OFF;
  case FDESETUP_BUSY:
  case FDESETUP_OFF_BUSY_OR_LOCKED: return OUTCOME_FILEVAULT_BUSY;
  case FDESETUP_AUTHENTICATION: return OUTCOME_AUTHENTICATION_FAILED;
  default: return OUTCOME_ROTATION_FAILED;
  }
}

bool may_lack_token(enum child_end end, int status) {
  return end == CHILD_EXITED && (status == FDESETUP_AUTHENTICATION || status == FDESETUP_CANNOT_CHANGE_KEY ||
                                 status == FDESETUP_INTERNAL);
}

bool lists_a_user(struct bytes output) {
  static const char none[] = "(null)";
  size_t start = 0;
  for (size_t i = 0; i < output.length; i++) {
    if (output.data[i] == '\n') start = i + 1;
    if (output.data[i] != ',' || i == start) continue;
    if (i - start != sizeof none - 1 || memcmp(output.data + start, none, sizeof none - 1) != 0) return true;
  }
  return false;
}

bool is_guest(struct bytes username, struct user user) {
  static const char guest[] = "guest";
  if (user.known && user.id == GUEST_ID) return true;
  if (username.length != sizeof guest - 1) return false;
  for (size_t i = 0; i < username.length; i++)
    if ((username.data[i] | 0x20) != guest[i]) return false; /* ASCII's lower case */
  return true;
}

bool held_back(int64_t consecutive_failures, bool last_attempt_known, double seconds_since_last_attempt) {
  if (consecutive_failures < FAILURES_BEFORE_BACK_OFF || !last_attempt_known) return false;
  return seconds_since_last_attempt >= 0 && seconds_since_last_attempt < BACK_OFF_SECONDS;
}
