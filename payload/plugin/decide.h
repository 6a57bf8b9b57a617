/* What to do in this login: pure functions from facts to one named outcome. */
#ifndef ESCROW_BUDDY_DECIDE_H
#define ESCROW_BUDDY_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "outcome.h"

/* FAILED: the fact could not be had for a reason of our own, such as no memory. */
enum answer { ANSWER_UNREAD, ANSWER_NO, ANSWER_YES, ANSWER_FAILED };

enum filevault {
  FILEVAULT_UNREAD,
  FILEVAULT_ON,
  FILEVAULT_OFF,
  FILEVAULT_BUSY,
  FILEVAULT_TIMED_OUT,
  FILEVAULT_NOT_STARTED,
  FILEVAULT_UNCLEAR
};

struct facts {
  enum answer requested;      /* GenerateNewKey is true */
  enum answer request_forced; /* a profile forces GenerateNewKey: it could never be cleared */
  enum answer escrow_profile; /* a profile forces Location: somebody will receive the new key */
  enum filevault filevault;
  enum answer credentials;    /* the context has a user name and a password */
  enum answer token_login;    /* the password is a PIN or came from elsewhere */
  enum answer representable;  /* XML 1.0 can carry the password */
  enum answer held_back;      /* the back-off has not run out */
};

enum fact {
  FACT_REQUESTED,
  FACT_REQUEST_FORCED,
  FACT_ESCROW_PROFILE,
  FACT_FILEVAULT,
  FACT_CREDENTIALS,
  FACT_TOKEN_LOGIN,
  FACT_REPRESENTABLE,
  FACT_HELD_BACK
};

enum step { STEP_READ, STEP_STOP, STEP_ROTATE };

struct decision {
  enum step step;
  enum fact fact;       /* the next fact to read, with STEP_READ */
  enum outcome outcome; /* with STEP_STOP */
};

/* The next step. The order of reading lives here alone: no fact is asked for before all earlier ones allow it. */
struct decision decide(const struct facts *facts);

enum child_end {
  CHILD_EXITED,      /* by itself; status is its exit status */
  CHILD_SIGNALLED,   /* status is the signal */
  CHILD_TIMED_OUT,   /* killed at the deadline, or no time was left to start it */
  CHILD_LOST,        /* ended, but somebody else took the status (ECHILD) */
  CHILD_NOT_STARTED
};

/* What `fdesetup isactive` says. Its words are not read. Source: fdesetup(8), EXIT STATUS and isactive. */
enum filevault judge_isactive(enum child_end end, int status);

/* The outcome of `fdesetup changerecovery`. key_file_newer matters only after exit status 0. */
enum outcome judge_rotation(enum child_end end, int status, bool key_file_newer);

/* True when an outcome of an attempt counts towards the back-off: a failure that is not just bad timing. */
bool counts_as_failure(enum outcome outcome);

/* True when the attempt must wait: after 3 consecutive failures one attempt in 24 hours of wall time.
 * A last attempt that is unknown or lies in the future (a clock set back) never holds back. Seconds. */
bool held_back(int64_t consecutive_failures, bool last_attempt_known, double seconds_since_last_attempt);

#endif
