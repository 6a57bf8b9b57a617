/* The outcomes of a login: stable codes that inventory tools read as LastOutcome. */
#ifndef ESCROW_BUDDY_OUTCOME_H
#define ESCROW_BUDDY_OUTCOME_H

enum outcome {
  OUTCOME_NOT_REQUESTED, /* never written: an idle login leaves no trace */
  OUTCOME_REQUEST_FORCED,
  OUTCOME_NO_ESCROW_PROFILE,
  OUTCOME_FILEVAULT_OFF,
  OUTCOME_FILEVAULT_BUSY,
  OUTCOME_NO_CREDENTIALS,
  OUTCOME_TOKEN_LOGIN,
  OUTCOME_PASSWORD_NOT_REPRESENTABLE,
  OUTCOME_HELD_BACK,
  OUTCOME_ROTATED,
  OUTCOME_ROTATED_UNCONFIRMED,
  OUTCOME_AUTHENTICATION_FAILED,
  OUTCOME_ROTATION_FAILED,
  OUTCOME_TIMED_OUT,
  OUTCOME_SPAWN_FAILED,
  OUTCOME_INTERNAL_ERROR
};

/* The stable code of an outcome, for example "rotated-unconfirmed"; "internal-error" for any other value. */
const char *outcome_name(enum outcome outcome);

#endif
