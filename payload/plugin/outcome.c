#include "outcome.h"

const char *outcome_name(enum outcome outcome) {
  switch (outcome) {
  case OUTCOME_NOT_REQUESTED: return "not-requested";
  case OUTCOME_REQUEST_FORCED: return "request-forced";
  case OUTCOME_NO_ESCROW_PROFILE: return "no-escrow-profile";
  case OUTCOME_FILEVAULT_OFF: return "filevault-off";
  case OUTCOME_FILEVAULT_BUSY: return "filevault-busy";
  case OUTCOME_NO_CREDENTIALS: return "no-credentials";
  case OUTCOME_TOKEN_LOGIN: return "token-login";
  case OUTCOME_PASSWORD_NOT_REPRESENTABLE: return "password-not-representable";
  case OUTCOME_HELD_BACK: return "held-back";
  case OUTCOME_ROTATED: return "rotated";
  case OUTCOME_ROTATED_UNCONFIRMED: return "rotated-unconfirmed";
  case OUTCOME_AUTHENTICATION_FAILED: return "authentication-failed";
  case OUTCOME_ROTATION_FAILED: return "rotation-failed";
  case OUTCOME_TIMED_OUT: return "timed-out";
  case OUTCOME_SPAWN_FAILED: return "spawn-failed";
  case OUTCOME_INTERNAL_ERROR: return "internal-error";
  }
  return "internal-error";
}
