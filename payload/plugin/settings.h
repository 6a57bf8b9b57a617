/* The settings domain com.netflix.Escrow-Buddy: /Library/Preferences, or a profile. */
#ifndef ESCROW_BUDDY_SETTINGS_H
#define ESCROW_BUDDY_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "decide.h"
#include "log.h"

/* GenerateNewKey: YES or NO (also when absent or of a wrong type, which is logged). At most two reads. */
enum answer settings_requested(os_log_t log);

/* True when a profile forces GenerateNewKey: YES or NO. */
enum answer settings_request_forced(void);

/* True when a profile forces the escrow Location; logs where to. */
enum answer settings_escrow_profile(os_log_t log);

/* CommandTimeout in milliseconds: 5..120 s, 30 s when absent or of a wrong type, which is logged. */
uint64_t settings_timeout_ms(os_log_t log);

/* The back-off's state. A count of a wrong type or below zero is 0. */
int64_t settings_consecutive_failures(void);
bool settings_held_back(void);

/* Writes LastAttempt (now) and the count before an attempt, so that one that never comes back counts too.
 * False when it is not on disk: then nothing may be attempted, or a broken disk would rotate at each login. */
bool settings_begin_attempt(int64_t consecutive_failures);

/* Sets GenerateNewKey to false, removes root's own copy where it would shadow that, and reads back. */
bool settings_clear_request(os_log_t log);

/* What an attempt left behind. */
struct attempt {
  enum outcome outcome;
  bool has_status;
  int status; /* exit status, or the negative of a signal */
  int64_t consecutive_failures;
};
void settings_end_attempt(const struct attempt *attempt, os_log_t log);

/* Writes LastOutcome alone, unless it says so already: for logins that end before an attempt. */
void settings_record_outcome(enum outcome outcome, os_log_t log);

#endif
