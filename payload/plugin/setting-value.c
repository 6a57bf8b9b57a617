#include "setting-value.h"

#include <stddef.h>

enum { TIMEOUT_LEAST = 20, TIMEOUT_MOST = 120 }; /* seconds */

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

/* True when text without surrounding white space is word, in any case of its ASCII letters. */
static bool is_word(const char *text, const char *word) {
  while (is_space(*text)) text++;
  for (; *word != '\0'; text++, word++)
    if (lower(*text) != *word) return false;
  while (is_space(*text)) text++;
  return *text == '\0';
}

bool setting_boolean(const struct setting_value *value, bool *out) {
  static const char *const yes[] = {"1", "true", "yes", "y", "on"};
  static const char *const no[] = {"0", "false", "no", "n", "off"};
  if (value->kind == SETTING_BOOLEAN || value->kind == SETTING_NUMBER) {
    if (value->number != value->number) return false;
    *out = value->number < 0 || value->number > 0;
    return true;
  }
  if (value->kind != SETTING_TEXT) return false;
  for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
    if (is_word(value->text, yes[i])) return *out = true;
    if (is_word(value->text, no[i])) return !(*out = false);
  }
  return false;
}

/* Digits in a string as a number, -1 when there is anything else; it stops counting beyond the largest value. */
static double digits(const char *text) {
  double number = 0;
  while (is_space(*text)) text++;
  if (*text < '0' || *text > '9') return -1;
  for (; *text >= '0' && *text <= '9'; text++)
    if (number <= TIMEOUT_MOST) number = number * 10 + (*text - '0');
  while (is_space(*text)) text++;
  return *text == '\0' ? number : -1;
}

bool setting_timeout_seconds(const struct setting_value *value, unsigned *out) {
  double number = value->number;
  if (value->kind == SETTING_TEXT) {
    number = digits(value->text);
    if (number < 0) return false;
  } else if (value->kind != SETTING_NUMBER) {
    return false;
  }
  if (number != number) return false;
  *out = number < TIMEOUT_LEAST ? TIMEOUT_LEAST : number > TIMEOUT_MOST ? TIMEOUT_MOST : (unsigned)number;
  return true;
}
