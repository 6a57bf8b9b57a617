#include "scrub.h"

#include <stdbool.h>
#include <string.h>

/* Six groups of four with a dash between: "New personal recovery key = 'XXXX-XXXX-…'", macadmins/escrow-buddy issue 5. */
enum { KEY_LENGTH = 6 * 4 + 5, KEY_PART_LEAST = 5 };

static bool key_character(size_t index, uint8_t c) {
  if (index % 5 == 4) return c == '-';
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Length of a recovery key at the start of text, or of one that the end of text cuts off; 0 when there is none. */
static size_t key_at(struct bytes text) {
  size_t length = 0;
  while (length < KEY_LENGTH && length < text.length && key_character(length, text.data[length])) length++;
  if (length == KEY_LENGTH) return length;
  return length == text.length && length >= KEY_PART_LEAST ? length : 0;
}

/* Length of secret, or of its cut-off beginning, at the start of text; 0 when it is not there. */
static size_t secret_at(struct bytes text, struct bytes secret) {
  const size_t length = secret.length < text.length ? secret.length : text.length;
  return length > 0 && memcmp(text.data, secret.data, length) == 0 ? length : 0;
}

static size_t longest_match(struct bytes text, const struct bytes *secrets, size_t count) {
  size_t longest = key_at(text);
  for (size_t i = 0; i < count; i++) {
    const size_t length = secret_at(text, secrets[i]);
    if (length > longest) longest = length;
  }
  return longest;
}

struct line_writer {
  char *out;
  size_t capacity, length;
};

static void put_character(struct line_writer *writer, char c) {
  if (writer->length + 1 < writer->capacity) writer->out[writer->length++] = c;
}

static void put_line(struct line_writer *writer, struct bytes line, bool tainted) {
  static const char removed[] = "<removed>";
  if (tainted) line = (struct bytes){(const uint8_t *)removed, sizeof removed - 1};
  if (line.length == 0) return;
  if (writer->length > 0)
    for (const char *between = " | "; *between != '\0'; between++) put_character(writer, *between);
  for (size_t i = 0; i < line.length; i++) {
    const uint8_t c = line.data[i];
    put_character(writer, c >= 0x20 && c <= 0x7E ? (char)c : '?');
  }
}

size_t scrub(char *out, size_t capacity, struct bytes text, const struct bytes *secrets, size_t count) {
  struct line_writer writer = {out, capacity, 0};
  size_t tainted_to = 0; /* offset behind the last match: a secret with a line feed taints the next line too */
  size_t start = 0;
  if (capacity == 0) return 0;
  for (size_t i = 0; i <= text.length; i++) {
    if (i < text.length) {
      const size_t length = longest_match((struct bytes){text.data + i, text.length - i}, secrets, count);
      if (length > 0 && i + length > tainted_to) tainted_to = i + length;
    }
    if (i < text.length && text.data[i] != '\n') continue;
    put_line(&writer, (struct bytes){text.data + start, i - start}, tainted_to > start);
    start = i + 1;
  }
  out[writer.length] = '\0';
  return writer.length;
}
