/* XML writing: first byte the length of the user name, then user name and password. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "input-plist.h"

/* The value that an XML reader finds in text; references are resolved, nothing else may need it. */
static size_t unescape(uint8_t *out, struct bytes text) {
  static const struct {
    const char *reference;
    uint8_t byte;
  } references[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&#13;", '\r'}};
  size_t length = 0;
  for (size_t i = 0; i < text.length;) {
    size_t step = 1;
    uint8_t byte = text.data[i];
    if (byte == '<' || byte == '>' || byte == '\r') abort();
    if (byte == '&') {
      step = 0;
      for (size_t k = 0; k < sizeof references / sizeof references[0]; k++) {
        const size_t wanted = strlen(references[k].reference);
        if (wanted > text.length - i || memcmp(text.data + i, references[k].reference, wanted) != 0) continue;
        step = wanted;
        byte = references[k].byte;
      }
      if (step == 0) abort();
    }
    out[length++] = byte;
    i += step;
  }
  return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  const size_t rest = size - 1, at = data[0] < rest ? data[0] : rest;
  const struct bytes username = {data + 1, at}, password = {data + 1 + at, rest - at};
  if (!xml_representable(username) || !xml_representable(password)) return 0;
  struct bytes escaped;
  const size_t most = INPUT_PLIST_FIXED + ESCAPE_FACTOR * rest;
  uint8_t *out = malloc(most);
  const size_t length = write_input_plist(out, most, username, password, &escaped);
  if (length == 0 || !xml_representable((struct bytes){out, length})) abort();
  uint8_t *const plain = malloc(escaped.length + 1);
  if (unescape(plain, escaped) != password.length || memcmp(plain, password.data, password.length) != 0) abort();
  free(plain);
  free(out);
  out = malloc(length - 1);
  if (write_input_plist(out, length - 1, username, password, &escaped) != 0) abort();
  free(out);
  return 0;
}
