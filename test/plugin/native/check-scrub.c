#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "scrub.h"

#define KEY "TEST-ABCD-EFGH-JKLM-NPQR-STUV"

static struct bytes bytes(const char *text) { return (struct bytes){(const uint8_t *)text, strlen(text)}; }

/* True when text of that length comes out as expected. */
static bool scrubs_of(const struct secrets *secrets, struct bytes text, const char *expected) {
  char out[128];
  uint8_t *const copy = malloc(text.length + (text.length == 0));
  memcpy(copy, text.data, text.length);
  const size_t length = scrub(out, sizeof out, (struct bytes){copy, text.length}, secrets);
  free(copy);
  if (length == strlen(out) && strcmp(out, expected) == 0) return true;
  printf("# got: %s\n", out);
  return false;
}

/* The same with the password "pa&ss\nword" of user alex. */
static bool scrubs_bytes(struct bytes text, const char *expected) {
  const struct secrets secrets = {bytes("pa&ss\nword"), bytes("pa&amp;ss\nword"), bytes("alex")};
  return scrubs_of(&secrets, text, expected);
}

/* The same with that name, or with that password, alone. */
static bool hides_name(const char *name, const char *text, const char *expected) {
  const struct secrets secrets = {bytes(""), bytes(""), bytes(name)};
  return scrubs_of(&secrets, bytes(text), expected);
}

static bool hides(const char *password, const char *escaped, const char *text, const char *expected) {
  const struct secrets secrets = {bytes(password), bytes(escaped), bytes("alex")};
  return scrubs_of(&secrets, bytes(text), expected);
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

/* What stands beside a name, on either side, makes it a part of another word, or does not. */
static void check_words(void) {
  const char *const joins[] = {"0", "9", "A", "Z", "a", "z", "\x80", "\xFF"};
  const char *const parts[] = {"/", ":", "@", "[", "`", "{", "\x7F", " ", "\x01"};
  for (unsigned i = 0; i < sizeof joins / sizeof joins[0]; i++) {
    char text[16], expected[16];
    const char c = joins[i][0], shown = (unsigned char)c < 0x7F ? c : '?';
    snprintf(text, sizeof text, "%calex", c), snprintf(expected, sizeof expected, "%calex", shown);
    CHECK("scrub: a name behind a letter or a digit is another word", scrubs(text, expected));
    snprintf(text, sizeof text, "alex%c", c), snprintf(expected, sizeof expected, "alex%c", shown);
    CHECK("scrub: a name in front of one is another word", scrubs(text, expected));
  }
  for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    char text[16], expected[32];
    const char c = parts[i][0], shown = c >= 0x20 && c <= 0x7E ? c : '?';
    snprintf(text, sizeof text, "%calex%c", c, c), snprintf(expected, sizeof expected, "%c<user>%c", shown, shown);
    CHECK("scrub: a name beside anything else", scrubs(text, expected));
  }
  CHECK("scrub: a name cut off by the end of a line", scrubs("ale\nal", "ale | al"));
  CHECK("scrub: a name over two lines is none", scrubs("al\nex", "al | ex"));
  CHECK("scrub: the second of two names", scrubs("alexx alex", "alexx <user>"));
  CHECK("scrub: one name behind another", scrubs("alex-alex", "<user>-<user>"));
  CHECK("scrub: no name", hides_name("", "a - b", "a - b"));
  CHECK("scrub: a name of one letter", hides_name("a", "a ab a", "<user> ab <user>"));
  CHECK("scrub: first and last letters, in any case", hides_name("AZaz", "azAZ", "<user>"));
  CHECK("scrub: what lies beside the letters has no other case",
        hides_name("@x", "`x", "`x") && hides_name("[x", "{x", "{x") && hides_name("`x", "@x", "@x"));
}

static void check_edges(void) {
  const char odd[] = {'@', '[', '/', ':', 'a', '-'};
  char key[] = KEY;
  for (size_t at = 0; at < sizeof KEY - 1; at += 4) {
    if (key[at] == '-') continue;
    const char before = key[at];
    for (unsigned i = 0; i < sizeof odd; i++) {
      key[at] = odd[i];
      /* Closed by a dot, or the end of it would count as a key that is cut off. */
      char text[40];
      snprintf(text, sizeof text, "%s.", key);
      CHECK("scrub: a character that no key has", scrubs(text, text));
    }
    const char fits[] = {'A', 'Z', '0', '9'};
    for (unsigned i = 0; i < sizeof fits; i++) {
      key[at] = fits[i];
      CHECK("scrub: a character of a key", scrubs(key, "<removed>"));
    }
    key[at] = before;
  }
  CHECK("scrub: other marks between the groups",
        scrubs("TEST+ABCD-EFGH-JKLM-NPQR-STUV.", "TEST+ABCD-EFGH-JKLM-NPQR-STUV."));
  CHECK("scrub: a group and its dash at the end may be a key", scrubs("TEST-", "<removed>"));
  CHECK("scrub: a group alone is none", scrubs("TEST", "TEST"));
  CHECK("scrub: a whole key in front of more", scrubs(KEY ".", "<removed>") && scrubs(KEY "-x.", "<removed>"));
  CHECK("scrub: all but the last character of a key",
        scrubs("TEST-ABCD-EFGH-JKLM-NPQR-STU.", "TEST-ABCD-EFGH-JKLM-NPQR-STU."));
  CHECK("scrub: what can be printed", scrubs(" !}~\x1F\x7F", " !}~??"));
  CHECK("scrub: one carriage return at the end of a line goes", scrubs("a\r\r\nb\r", "a? | b"));
  CHECK("scrub: a line behind one that ends in the password", hides("x\n", "", "x\nb", "<removed> | b"));
  CHECK("scrub: the line behind its last line", scrubs("pa&ss\nword\nb", "<removed> | <removed> | b"));
  CHECK("scrub: an empty line of the password", hides("a\n\nb", "", "a\n\nb", "<removed> | <removed> | <removed>"));
  CHECK("scrub: a password of one character", hides("x", "", "a\nbxc\nd", "a | <removed> | d"));
  CHECK("scrub: a password as far in as it is long", hides("ab", "", "x\nab", "x | <removed>"));
  CHECK("scrub: no password takes nothing along", hides("", "", "a b", "a b"));
  CHECK("scrub: the longest of all that begin here",
        hides("ab", "ab\ncd", "ab\ncd", "<removed> | <removed>") &&
            hides("ab\ncd", "ab", "ab\ncd", "<removed> | <removed>") &&
            hides(KEY "\ncd", "", KEY "\ncd", "<removed> | <removed>"));
  CHECK("scrub: a shorter one within a longer one does not end it",
        hides("a\nb\nc", "b", "a\nb\nc", "<removed> | <removed> | <removed>"));
}

static void check_capacity(void) {
  const struct secrets secrets = {bytes("secret"), bytes("secret"), bytes("alex")};
  static const char scrubbed[] = "<user> one | <removed> | three four";
  bool right = true;
  for (size_t capacity = 1; capacity < 40; capacity++) {
    char *const out = malloc(capacity);
    const size_t length = scrub(out, capacity, bytes("alex one\nsecret\nthree four"), &secrets);
    const size_t whole = strlen(scrubbed), fits = capacity - 1 < whole ? capacity - 1 : whole;
    right = right && length == fits && out[length] == '\0' && strncmp(scrubbed, out, length) == 0;
    free(out);
  }
  CHECK("scrub: fills any capacity, and ends within it", right);
  CHECK("scrub: no capacity, no write", scrub(NULL, 0, bytes("x"), &secrets) == 0);
}

void check_scrub(void) {
  check_lines();
  check_key();
  check_password();
  check_user();
  check_words();
  check_edges();
  check_capacity();
}
