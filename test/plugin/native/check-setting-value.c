#include <math.h>
#include <string.h>

#include "check.h"
#include "setting-value.h"

static struct setting_value text(const char *words) {
  struct setting_value value = {SETTING_TEXT, 0, ""};
  strncpy(value.text, words, SETTING_TEXT_SIZE - 1);
  return value;
}

static struct setting_value number(enum setting_kind kind, double number) {
  struct setting_value value = {kind, number, ""};
  return value;
}

/* 'y' true, 'n' false, '-' not a boolean */
static char boolean(struct setting_value value) {
  bool result = false;
  if (!setting_boolean(&value, &result)) return '-';
  return result ? 'y' : 'n';
}

/* Seconds, or 0 when it is not a timeout. */
static unsigned timeout(struct setting_value value) {
  unsigned seconds = 0;
  return setting_timeout_seconds(&value, &seconds) ? seconds : 0;
}

static void check_booleans(void) {
  const char *const yes[] = {"1", "true", "TRUE", "True", "yes", "Yes", "y", "Y", "on", "ON", " true\n", "\tyes "};
  const char *const no[] = {"0", "false", "NO", "n", "off", " 0 "};
  const char *const neither[] = {"", " ", "2", "10", "tru", "truey", "ja", "enabled", "-1", "1.0", "yes please", "t"};
  for (unsigned i = 0; i < sizeof yes / sizeof yes[0]; i++)
    CHECK("boolean: words for yes", boolean(text(yes[i])) == 'y');
  for (unsigned i = 0; i < sizeof no / sizeof no[0]; i++)
    CHECK("boolean: words for no", boolean(text(no[i])) == 'n');
  for (unsigned i = 0; i < sizeof neither / sizeof neither[0]; i++)
    CHECK("boolean: other words count as not set", boolean(text(neither[i])) == '-');
  CHECK("boolean: true", boolean(number(SETTING_BOOLEAN, 1)) == 'y');
  CHECK("boolean: false", boolean(number(SETTING_BOOLEAN, 0)) == 'n');
  CHECK("boolean: any number but zero", boolean(number(SETTING_NUMBER, -2)) == 'y');
  CHECK("boolean: a fraction", boolean(number(SETTING_NUMBER, 0.5)) == 'y');
  CHECK("boolean: zero", boolean(number(SETTING_NUMBER, 0)) == 'n');
  CHECK("boolean: not a number", boolean(number(SETTING_NUMBER, (double)NAN)) == '-');
  CHECK("boolean: a date", boolean(number(SETTING_DATE, 1)) == '-');
  CHECK("boolean: an array", boolean(number(SETTING_OTHER, 1)) == '-');
  CHECK("boolean: absent", boolean(number(SETTING_ABSENT, 1)) == '-');
}

static void check_timeouts(void) {
  CHECK("timeout: in range", timeout(number(SETTING_NUMBER, 45)) == 45);
  CHECK("timeout: lower edge", timeout(number(SETTING_NUMBER, 20)) == 20);
  CHECK("timeout: upper edge", timeout(number(SETTING_NUMBER, 120)) == 120);
  CHECK("timeout: raised to 20", timeout(number(SETTING_NUMBER, 19)) == 20 && timeout(number(SETTING_NUMBER, -1)) == 20);
  CHECK("timeout: lowered to 120", timeout(number(SETTING_NUMBER, 121)) == 120);
  CHECK("timeout: infinities", timeout(number(SETTING_NUMBER, (double)INFINITY)) == 120 &&
                                   timeout(number(SETTING_NUMBER, -(double)INFINITY)) == 20);
  CHECK("timeout: beyond any integer", timeout(number(SETTING_NUMBER, 1e300)) == 120);
  CHECK("timeout: not a number", timeout(number(SETTING_NUMBER, (double)NAN)) == 0);
  CHECK("timeout: a fraction is cut", timeout(number(SETTING_NUMBER, 59.9)) == 59);
  CHECK("timeout: digits in a string", timeout(text(" 60\n")) == 60);
  CHECK("timeout: many digits", timeout(text("99999999999999999999999999999999")) == 120);
  CHECK("timeout: leading zeroes", timeout(text("0000000060")) == 60);
  CHECK("timeout: other words", timeout(text("60s")) == 0 && timeout(text("")) == 0 && timeout(text("-5")) == 0);
  CHECK("timeout: a boolean", timeout(number(SETTING_BOOLEAN, 1)) == 0);
  CHECK("timeout: absent", timeout(number(SETTING_ABSENT, 60)) == 0);
}

void check_setting_value(void) {
  check_booleans();
  check_timeouts();
}
