#include "outcome.h"

/* Held to outcomes.json by a test. */
static const struct {
  char name[28];
  bool counts; /* towards the back-off */
} OUTCOMES[OUTCOME_COUNT] = {
    [OUTCOME_NOT_REQUESTED] = {"not-requested", false},
    [OUTCOME_REQUEST_FORCED] = {"request-forced", false},
    [OUTCOME_NO_ESCROW_PROFILE] = {"no-escrow-profile", false},
    [OUTCOME_HELD_BACK] = {"held-back", false},
    [OUTCOME_FILEVAULT_OFF] = {"filevault-off", false},
    [OUTCOME_FILEVAULT_BUSY] = {"filevault-busy", false},
    [OUTCOME_NO_CREDENTIALS] = {"no-credentials", false},
    [OUTCOME_GUEST_LOGIN] = {"guest-login", false},
    [OUTCOME_TOKEN_LOGIN] = {"token-login", false},
    [OUTCOME_NO_PASSWORD_LOGIN] = {"no-password-login", false},
    [OUTCOME_PASSWORD_NOT_REPRESENTABLE] = {"password-not-representable", false},
    [OUTCOME_ROTATED] = {"rotated", false},
    [OUTCOME_ROTATED_UNCONFIRMED] = {"rotated-unconfirmed", false},
    [OUTCOME_AUTHENTICATION_FAILED] = {"authentication-failed", true},
    [OUTCOME_NO_TOKEN_YET] = {"no-token-yet", false},
    [OUTCOME_ROTATION_FAILED] = {"rotation-failed", true},
    [OUTCOME_TIMED_OUT] = {"timed-out", true},
    [OUTCOME_NOT_AWAITED] = {"not-awaited", false},
    [OUTCOME_SPAWN_FAILED] = {"spawn-failed", true},
    [OUTCOME_INTERNAL_ERROR] = {"internal-error", true},
};

static enum outcome known(enum outcome outcome) {
  return (unsigned)outcome < OUTCOME_COUNT ? outcome : OUTCOME_INTERNAL_ERROR;
}

const char *outcome_name(enum outcome outcome) { return OUTCOMES[known(outcome)].name; }

bool counts_as_failure(enum outcome outcome) { return OUTCOMES[known(outcome)].counts; }
