/* The outcomes of a login: stable codes that inventory tools read as LastOutcome. What each means to an administrator
 * stands in outcomes.json. */
#ifndef ESCROW_BUDDY_OUTCOME_H
#define ESCROW_BUDDY_OUTCOME_H

#include <stdbool.h>

enum outcome {
  OUTCOME_NOT_REQUESTED, /* never written: an idle login leaves no trace in the settings */
  OUTCOME_REQUEST_FORCED,
  OUTCOME_NO_ESCROW_PROFILE,
  OUTCOME_HELD_BACK,
  OUTCOME_FILEVAULT_OFF,
  OUTCOME_FILEVAULT_BUSY,
  OUTCOME_NO_CREDENTIALS,
  OUTCOME_GUEST_LOGIN,
  OUTCOME_TOKEN_LOGIN,
  OUTCOME_NO_PASSWORD_LOGIN,
  OUTCOME_PASSWORD_NOT_REPRESENTABLE,
  OUTCOME_ROTATED,
  OUTCOME_ROTATED_UNCONFIRMED,
  OUTCOME_AUTHENTICATION_FAILED,
  OUTCOME_NO_TOKEN_YET,
  OUTCOME_ROTATION_FAILED,
  OUTCOME_TIMED_OUT,
  OUTCOME_NOT_AWAITED, /* the change goes on without the login; the next one looks at the key record */
  OUTCOME_SPAWN_FAILED,
  OUTCOME_INTERNAL_ERROR,
  OUTCOME_COUNT
};

/* The stable code of an outcome, for example "rotated-unconfirmed"; "internal-error" for any other value. */
const char *outcome_name(enum outcome outcome);

/* True when an outcome of an attempt counts towards the back-off: a failure that is not just bad timing. */
bool counts_as_failure(enum outcome outcome);

#endif
