/* Scrubbing: two bytes for the lengths of password and user name, then both, then the child's words. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "input-plist.h"
#include "scrub.h"

static bool holds(const char *text, size_t length, struct bytes wanted) {
  for (size_t i = 0; wanted.length <= length && i + wanted.length <= length; i++)
    if (memcmp(text + i, wanted.data, wanted.length) == 0) return true;
  return false;
}

static bool holds_key(const char *text, size_t length) {
  for (size_t i = 0; i + 29 <= length; i++) {
    size_t k = 0;
    for (; k < 29; k++) {
      const char c = text[i + k];
      if (k % 5 == 4 ? c != '-' : !((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) break;
    }
    if (k == 29) return true;
  }
  return false;
}

/* True when the scrubber's own marks (" | ", "<removed>", "<user>", "?") cannot spell the password by chance. */
static bool is_distinct(struct bytes password) {
  for (size_t i = 0; i < password.length; i++)
    if (password.data[i] <= 0x20 || password.data[i] > 0x7E || memchr("?<>|", password.data[i], 4) != NULL)
      return false;
  return password.length >= 8;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  size_t rest = size - 2;
  const size_t password_length = data[0] < rest ? data[0] : rest;
  rest -= password_length;
  const size_t username_length = data[1] < rest ? data[1] : rest;
  rest -= username_length;
  const struct bytes password = {data + 2, password_length};
  const struct bytes username = {password.data + password.length, username_length};
  const struct bytes text = {username.data + username.length, rest};
  static uint8_t document[INPUT_PLIST_MOST];
  struct secrets secrets = {password, {NULL, 0}, username};
  if (write_input_plist(document, sizeof document, username, password, &secrets.escaped_password) == 0) return 0;
  const size_t capacity = 1 + size % 700;
  char *const out = malloc(capacity);
  const size_t length = scrub(out, capacity, text, &secrets);
  if (length >= capacity || out[length] != '\0') abort();
  for (size_t i = 0; i < length; i++)
    if (out[i] < 0x20 || out[i] > 0x7E) abort();
  if (holds_key(out, length)) abort();
  if (is_distinct(password) && holds(out, length, password)) abort();
  free(out);
  return 0;
}
