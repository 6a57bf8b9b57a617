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
  unsigned seconds = 7; /* what nobody sets */
  return setting_timeout_seconds(&value, &seconds) ? seconds : 0;
}

static void check_booleans(void) {
  const char *const yes[] = {"1", "true", "TRUE", "True", "yes", "Yes", "y", "Y", "on", "ON", " true\n", "\tyes "};
  const char *const no[] = {"0", "false", "NO", "n", "off", " 0 "};
  const char *const neither[] = {"", " ", "2", "10", "tru", "truey", "ja", "enabled", "-1", "1.0", "yes please", "t"};
  const char *const spaces[] = {"\t1", "\n1", "\v1", "\f1", "\r1", "1\t", "1\r", "1 \t "};
  const char *const others[] = {"\b1", "\x0E" "1", "1\b", "1\x0E", "\xA0" "1", "!1", "y es", "fAlsE1", "y[", "@n"};
  for (unsigned i = 0; i < sizeof spaces / sizeof spaces[0]; i++)
    CHECK("boolean: white space around a word", boolean(text(spaces[i])) == 'y');
  for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
    CHECK("boolean: other characters around a word", boolean(text(others[i])) == '-');
  CHECK("boolean: letters in any case", boolean(text("fAlSe")) == 'n' && boolean(text("YeS")) == 'y');
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
  CHECK("timeout: raised to 20",
        timeout(number(SETTING_NUMBER, 19)) == 20 && timeout(number(SETTING_NUMBER, -1)) == 20);
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
  CHECK("timeout: every digit", timeout(text("90")) == 90 && timeout(text("109")) == 109 && timeout(text("0")) == 20 &&
                                    timeout(text("9")) == 20 && timeout(text("31")) == 31);
  CHECK("timeout: edges in a string",
        timeout(text("19")) == 20 && timeout(text("20")) == 20 && timeout(text("21")) == 21 &&
                                          timeout(text("119")) == 119 && timeout(text("120")) == 120 &&
                                          timeout(text("121")) == 120 && timeout(text("1200")) == 120);
  CHECK("timeout: what lies beside the digits", timeout(text("/9")) == 0 && timeout(text(":9")) == 0 &&
                                                    timeout(text("9/")) == 0 && timeout(text("9:")) == 0);
  CHECK("timeout: white space within a number", timeout(text("6 0")) == 0 && timeout(text("\t60 \t")) == 60);
  CHECK("timeout: a date", timeout(number(SETTING_DATE, 60)) == 0);
  CHECK("timeout: a boolean", timeout(number(SETTING_BOOLEAN, 1)) == 0);
  CHECK("timeout: absent", timeout(number(SETTING_ABSENT, 60)) == 0);
}

void check_setting_value(void) {
  check_booleans();
  check_timeouts();
}
