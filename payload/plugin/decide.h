/* What to do in this login: pure functions from facts to one named outcome. */
#ifndef ESCROW_BUDDY_DECIDE_H
#define ESCROW_BUDDY_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "bytes.h"
#include "outcome.h"

/* FAILED: the fact could not be had for a reason of our own, such as no memory. */
enum answer { ANSWER_UNREAD, ANSWER_NO, ANSWER_YES, ANSWER_FAILED };

enum filevault {
  FILEVAULT_UNREAD,
  FILEVAULT_ON,
  FILEVAULT_UNKNOWN, /* the answer was lost on its way: the change itself finds out */
  FILEVAULT_OFF,
  FILEVAULT_BUSY,
  FILEVAULT_TIMED_OUT,
  FILEVAULT_NOT_STARTED,
  FILEVAULT_UNCLEAR
};

/* Who logs in, as the context's "uid" says. */
struct user {
  bool known;
  uint32_t id;
};

struct facts {
  enum answer requested;      /* some domain says that GenerateNewKey is true */
  enum answer request_forced; /* a profile forces GenerateNewKey: it could never be cleared */
  enum answer done_since;     /* a change that an earlier login did not wait for has renewed the key record */
  enum answer escrow_profile; /* a profile forces Location: somebody will receive the new key */
  enum answer held_back;      /* this user's back-off has not run out */
  enum filevault filevault;
  enum answer username;      /* the context has a user name that XML 1.0 can carry */
  enum answer guest_login;   /* the guest account: it has no SecureToken */
  enum answer token_login;   /* the password is a PIN or came from elsewhere */
  enum answer password;      /* the context has a password */
  enum answer representable; /* XML 1.0 can carry the password */
};

enum fact {
  FACT_REQUESTED,
  FACT_REQUEST_FORCED,
  FACT_DONE_SINCE,
  FACT_ESCROW_PROFILE,
  FACT_HELD_BACK,
  FACT_FILEVAULT,
  FACT_USERNAME,
  FACT_GUEST_LOGIN,
  FACT_TOKEN_LOGIN,
  FACT_PASSWORD,
  FACT_REPRESENTABLE
};

enum step {
  STEP_READ,
  STEP_STOP,
  STEP_CONFIRM, /* nothing is left to do but to say that the change of an earlier login succeeded */
  STEP_ROTATE
};

struct decision {
  enum step step;
  enum fact fact;       /* the next fact to read, with STEP_READ */
  enum outcome outcome; /* with STEP_STOP and STEP_CONFIRM */
};

/* The next step. The order of reading lives here alone: no fact is asked for before all earlier ones allow it. */
struct decision decide(const struct facts *facts);

enum child_end {
  CHILD_EXITED,      /* by itself; status is its exit status */
  CHILD_SIGNALLED,   /* status is the signal */
  CHILD_TIMED_OUT,   /* killed at the deadline, or no time was left to start it */
  CHILD_NOT_AWAITED, /* its time is over; it goes on */
  CHILD_LOST,        /* ended, but somebody else took the status (ECHILD) */
  CHILD_NOT_STARTED
};

/* What `fdesetup isactive` says. Its words are not read. Source: fdesetup(8), EXIT STATUS and isactive. */
enum filevault filevault_after(enum child_end end, int status);

/* The outcome of `fdesetup changerecovery`. key_recorded matters after exit status 0 and after a lost status. */
enum outcome outcome_of_rotation(enum child_end end, int status, bool key_recorded);

/* True for the exit statuses that a user without a SecureToken was seen to get from changerecovery: 11 mostly. Which
 * one macOS gives when no user has a SecureToken is UNCERTAIN. */
bool may_lack_token(enum child_end end, int status);

/* True when the output of `fdesetup list` names a user who may unlock FileVault, which takes a SecureToken.
 * A line is "name,UUID"; macOS 10.13 also listed the recovery key, as "(null),UUID". Source: fdesetup(8). */
bool lists_a_user(struct bytes output);

/* True for the guest account. Source: its record on every Mac, RecordName Guest, UniqueID 201. */
bool is_guest(struct bytes username, struct user user);

/* True when the attempt must wait: after 3 consecutive failures one attempt in 24 hours of wall time.
 * A last attempt that is unknown or lies in the future (a clock set back) never holds back. Seconds. */
bool held_back(int64_t consecutive_failures, bool last_attempt_known, double seconds_since_last_attempt);

#endif
