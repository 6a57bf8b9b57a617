/* What the domain com.netflix.Escrow-Buddy remembers of attempts, for the back-off, for status.sh and for inventory. */
#ifndef ESCROW_BUDDY_ATTEMPTS_H
#define ESCROW_BUDDY_ATTEMPTS_H

#include <stdbool.h>
#include <stdint.h>

#include "decide.h"
#include "key-record.h"
#include "log.h"

/* Failures in a row, and whose they are. */
struct failures {
  int64_t count;
  struct user user; /* not known: everybody's */
};

struct failures attempts_failures(void);

/* The failures that hold user back: none when they are somebody else's. */
int64_t failures_of(struct failures failures, struct user user);

/* The same with one more of this user. */
struct failures one_more_failure(struct failures failures, struct user user);

/* True while the back-off holds this user back. */
bool attempts_held_back(struct user user);

/* Looks whether the last attempt ended without anybody seeing how, and settles it: YES when the key record has changed
 * since, which is a success; NO when there is nothing to settle, or when it was a failure, which is counted. */
enum answer attempts_done_since(os_log_t log);

/* Writes, before an attempt, all that a later login needs if this one never hears how it ended: LastOutcome
 * "not-awaited", LastAttempt (now), whose it is, and what the key record looks like. False when that is not on disk:
 * then nothing may be attempted, or a broken disk would rotate at each login. */
bool attempts_begin(struct failures failures, struct user user, struct key_record record);

/* How an attempt ended. */
struct attempt {
  enum outcome outcome;
  bool has_status;
  int status; /* exit status, or the negative of a signal */
  struct failures failures;
};
void attempts_end(const struct attempt *attempt, os_log_t log);

/* Writes LastOutcome alone, unless it says so already: for logins that end before an attempt. */
void attempts_record_outcome(enum outcome outcome, os_log_t log);

#endif
