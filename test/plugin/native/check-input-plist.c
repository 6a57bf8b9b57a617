#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "input-plist.h"

static struct bytes bytes(const char *text) { return (struct bytes){(const uint8_t *)text, strlen(text)}; }

static bool representable(const char *text) { return xml_representable(bytes(text)); }

static void check_characters(void) {
  CHECK("XML: ASCII", representable("correct horse & <battery> \"staple\""));
  CHECK("XML: tab, line feed, carriage return", representable("\t\n\r"));
  CHECK("XML: two, three and four bytes", representable("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x91"));
  CHECK("XML: the last character below the surrogates, and the first above",
        representable("\xED\x9F\xBF") && representable("\xEE\x80\x80"));
  CHECK("XML: U+FFFD and U+10FFFF", representable("\xEF\xBF\xBD") && representable("\xF4\x8F\xBF\xBF"));
  CHECK("XML: the first character of each length",
        representable("\xC2\x80") && representable("\xE0\xA0\x80") && representable("\xF0\x90\x80\x80"));
  CHECK("XML: no byte that begins nothing",
        !representable("\xF8") && !representable("\xFF") && !representable("\xF8\x90\x80\x80"));
  CHECK("XML: no beginning without its rest",
        !representable("\xC9(") && !representable("\xE9((") && !representable("\xF1((("));
  CHECK("XML: nothing behind the end completes it",
        !xml_representable((struct bytes){(const uint8_t *)"\xC3\xA9", 1}) &&
            !xml_representable((struct bytes){(const uint8_t *)"\xE2\x82\xAC", 2}));
  for (char c = 1; c < 0x20; c++)
    if (c != '\t' && c != '\n' && c != '\r')
      CHECK("XML: no other control characters", !representable((const char[]){'a', c, 'b', '\0'}));
  CHECK("XML: no zero byte", !xml_representable((struct bytes){(const uint8_t *)"a\0b", 3}));
  CHECK("XML: no U+FFFE, U+FFFF", !representable("\xEF\xBF\xBE") && !representable("\xEF\xBF\xBF"));
  CHECK("XML: no surrogates", !representable("\xED\xA0\x80") && !representable("\xED\xBF\xBF"));
  CHECK("XML: nothing above U+10FFFF", !representable("\xF4\x90\x80\x80") && !representable("\xF7\xBF\xBF\xBF"));
  CHECK("XML: no overlong forms", !representable("\xC0\xAF") && !representable("\xE0\x80\xAF") &&
                                      !representable("\xF0\x80\x80\xAF") && !representable("\xC1\xBF"));
  CHECK("XML: no lone continuation, no five bytes", !representable("\x80") && !representable("\xF8\x88\x80\x80\x80"));
  CHECK("XML: nothing cut off", !representable("\xC3") && !representable("\xE2\x82") && !representable("\xF0\x9F\x94"));
}

static void check_document(void) {
  static const char expected[] =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
      "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n<dict>\n<key>Username</key>\n"
      "<string>alex</string>\n<key>Password</key>\n<string>a&amp;b&lt;c&gt;d&#13;\"'</string>\n</dict>\n</plist>\n";
  const size_t length = sizeof expected - 1;
  struct bytes escaped;
  bool full = true, exact;
  for (size_t capacity = 0; capacity <= length; capacity++) {
    /* Exact, so that AddressSanitizer sees one byte too many. */
    uint8_t *const out = malloc(capacity + (capacity == 0));
    const size_t written = write_input_plist(out, capacity, bytes("alex"), bytes("a&b<c>d\r\"'"), &escaped);
    exact = capacity == length && written == length && memcmp(out, expected, length) == 0;
    if (exact)
      CHECK("plist: tells where the password stands",
            escaped.length == 24 && memcmp(escaped.data, "a&amp;b&lt;c&gt;d&#13;\"'", 24) == 0);
    else if (written != 0) full = false;
    free(out);
  }
  CHECK("plist: the whole document, with references for & < > and carriage return", exact);
  CHECK("plist: one byte too few is told for every size", full);
}

static void check_longest(void) {
  static uint8_t username[USERNAME_MOST], password[PASSWORD_MOST], out[INPUT_PLIST_MOST];
  struct bytes escaped;
  memset(username, '&', sizeof username);
  memset(password, '\r', sizeof password);
  CHECK("plist: the longest values fit when every byte is a reference",
        write_input_plist(out, sizeof out, (struct bytes){username, sizeof username},
                          (struct bytes){password, sizeof password}, &escaped) > 0 &&
            escaped.length == ESCAPE_FACTOR * sizeof password);
}

void check_input_plist(void) {
  check_characters();
  check_document();
  check_longest();
}
