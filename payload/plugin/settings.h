/* What administrators set in the domain com.netflix.Escrow-Buddy: in /Library/Preferences, or by a profile. */
#ifndef ESCROW_BUDDY_SETTINGS_H
#define ESCROW_BUDDY_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "decide.h"
#include "log.h"

/* GenerateNewKey: YES when /Library/Preferences or the first of the search list says so, else NO (also when absent or of
 * a wrong type, which is logged). At most two reads, as every login does this. */
enum answer settings_requested(os_log_t log);

/* True when a profile forces GenerateNewKey: YES or NO. */
enum answer settings_request_forced(void);

/* True when a profile forces the escrow Location; logs where to. */
enum answer settings_escrow_profile(os_log_t log);

/* CommandTimeout in milliseconds: 20..120 s, 30 s when absent or of a wrong type, which is logged. */
uint64_t settings_timeout_ms(os_log_t log);

/* Sets GenerateNewKey to false, removes root's own copy where it would shadow that, and reads back. */
bool settings_clear_request(os_log_t log);

#endif
