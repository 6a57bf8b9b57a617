/* Liberal reading of a settings value; pure, whatever an administrator's tool wrote. */
#ifndef ESCROW_BUDDY_SETTING_VALUE_H
#define ESCROW_BUDDY_SETTING_VALUE_H

#include <stdbool.h>

enum setting_kind { SETTING_ABSENT, SETTING_BOOLEAN, SETTING_NUMBER, SETTING_TEXT, SETTING_DATE, SETTING_OTHER };

enum { SETTING_TEXT_SIZE = 64 }; /* bytes with the terminator; no valid value is longer */

struct setting_value {
  enum setting_kind kind;
  double number;                /* BOOLEAN 0 or 1, NUMBER, DATE in seconds since 2001-01-01 UTC */
  char text[SETTING_TEXT_SIZE]; /* TEXT, terminated, UTF-8 */
};

/* True when the value is a boolean: boolean, number, or 1/0, true/false, yes/no, y/n, on/off in any case.
 * The strings matter because `defaults write D K true` without -bool writes a string. Source: defaults(1). */
bool setting_boolean(const struct setting_value *value, bool *out);

/* True when the value is a number, or digits in a string; seconds, brought into 20..120. */
bool setting_timeout_seconds(const struct setting_value *value, unsigned *out);

#endif
