#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "scrub.h"

#define KEY "TEST-ABCD-EFGH-JKLM-NPQR-STUV"

static struct bytes bytes(const char *text) { return (struct bytes){(const uint8_t *)text, strlen(text)}; }

/* True when text of that length comes out as expected, with the password "pa&ss\nword" of user alex. */
static bool scrubs_bytes(struct bytes text, const char *expected) {
  const struct secrets secrets = {bytes("pa&ss\nword"), bytes("pa&amp;ss\nword"), bytes("alex")};
  char out[128];
  uint8_t *const copy = malloc(text.length + (text.length == 0));
  memcpy(copy, text.data, text.length);
  const size_t length = scrub(out, sizeof out, (struct bytes){copy, text.length}, &secrets);
  free(copy);
  if (length == strlen(out) && strcmp(out, expected) == 0) return true;
  printf("# got: %s\n", out);
  return false;
}

static bool scrubs(const char *text, const char *expected) { return scrubs_bytes(bytes(text), expected); }

static void check_lines(void) {
  CHECK("scrub: nothing", scrubs("", ""));
  CHECK("scrub: lines are joined", scrubs("Error: one.\nError: two.\n", "Error: one. | Error: two."));
  CHECK("scrub: empty lines and line ends of Windows go", scrubs("\n\none\r\n\r\ntwo\n\n", "one | two"));
  CHECK("scrub: no forged lines, no escape sequences",
        scrubs("\x1b[31mred\x1b[0m\r\nFAKE\rLINE", "?[31mred?[0m | FAKE?LINE"));
  CHECK("scrub: zero bytes and malformed UTF-8",
        scrubs_bytes((struct bytes){(const uint8_t *)"a\0b\xFF\xC3(", 6}, "a?b?" "?("));
  CHECK("scrub: format directives are plain text", scrubs("%s %n %{public}s %@ 100%", "%s %n %{public}s %@ 100%"));
}

static void check_key(void) {
  CHECK("scrub: the line of a key goes", scrubs("one\nkey = '" KEY "'\ntwo", "one | <removed> | two"));
  CHECK("scrub: a key within a longer word", scrubs("X" KEY "Y", "<removed>"));
  CHECK("scrub: two keys in one line", scrubs(KEY KEY, "<removed>"));
  CHECK("scrub: five groups are not a key", scrubs("TEST-ABCD-EFGH-JKLM-NPQR.", "TEST-ABCD-EFGH-JKLM-NPQR."));
  CHECK("scrub: small letters are not a key", scrubs("test-abcd-efgh-jklm-npqr-stuv", "test-abcd-efgh-jklm-npqr-stuv"));
  CHECK("scrub: digits count", scrubs("0123-4567-89AB-CDEF-0123-4567", "<removed>"));
  CHECK("scrub: a key that the end cuts off", scrubs("key TEST-ABCD-EF", "<removed>"));
  CHECK("scrub: a capital word at the end is not a key", scrubs("an ERROR", "an ERROR"));
}

static void check_password(void) {
  CHECK("scrub: the password takes both its lines along",
        scrubs("a\nin: pa&ss\nword.\nb", "a | <removed> | <removed> | b"));
  CHECK("scrub: the password as XML", scrubs("<string>pa&amp;ss\nword</string>", "<removed> | <removed>"));
  CHECK("scrub: a password that the end cuts off", scrubs("x\nit is pa&s", "x | <removed>"));
  CHECK("scrub: half of it in the middle is not known for it", scrubs("pa&s.", "pa&s."));
  CHECK("scrub: right at the start", scrubs("pa&ss\nword", "<removed> | <removed>"));
}

static void check_user(void) {
  CHECK("scrub: the user name", scrubs("for user 'alex': alex", "for user '<user>': <user>"));
  CHECK("scrub: the user name in other letters", scrubs("for user 'Alex'", "for user '<user>'"));
  CHECK("scrub: not within a word", scrubs("alexander palex", "alexander palex"));
}

static void check_capacity(void) {
  const struct secrets secrets = {bytes("secret"), bytes("secret"), bytes("alex")};
  bool right = true;
  for (size_t capacity = 1; capacity < 40; capacity++) {
    char *const out = malloc(capacity);
    const size_t length = scrub(out, capacity, bytes("alex one\nsecret\nthree four"), &secrets);
    right = right && length < capacity && out[length] == '\0' &&
            strncmp("<user> one | <removed> | three four", out, length) == 0;
    free(out);
  }
  CHECK("scrub: ends within any capacity", right);
  CHECK("scrub: no capacity, no write", scrub(NULL, 0, bytes("x"), &secrets) == 0);
}

void check_scrub(void) {
  check_lines();
  check_key();
  check_password();
  check_user();
  check_capacity();
}
