#include "scrub.h"

#include <stdbool.h>
#include <string.h>

/* Six groups of four with a dash between. Source: "New personal recovery key = 'XXXX-…'", macadmins/escrow-buddy
 * issue 5. */
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

static size_t longest_match(struct bytes text, const struct secrets *secrets) {
  const size_t lengths[] = {key_at(text), secret_at(text, secrets->password),
                            secret_at(text, secrets->escaped_password)};
  size_t longest = 0;
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
    if (lengths[i] > longest) longest = lengths[i];
  return longest;
}

struct line_writer {
  char *out;
  size_t capacity, length;
};

static void put_character(struct line_writer *writer, char c) {
  if (writer->length + 1 < writer->capacity) writer->out[writer->length++] = c;
}

static void put_text(struct line_writer *writer, const char *text) {
  for (; *text != '\0'; text++) put_character(writer, *text);
}

static bool name_character(uint8_t c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0x80;
}

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c; }

/* True when name stands at offset of line as a word of its own, in any case of its ASCII letters: directory services
 * and fdesetup may write it otherwise than it was typed. */
static bool name_at(struct bytes line, size_t offset, struct bytes name) {
  if (name.length == 0 || name.length > line.length - offset) return false;
  if (offset > 0 && name_character(line.data[offset - 1])) return false;
  if (offset + name.length < line.length && name_character(line.data[offset + name.length])) return false;
  for (size_t i = 0; i < name.length; i++)
    if (lower(line.data[offset + i]) != lower(name.data[i])) return false;
  return true;
}

static void put_line(struct line_writer *writer, struct bytes line, bool tainted, struct bytes username) {
  if (line.length > 0 && line.data[line.length - 1] == '\r') line.length--;
  if (line.length == 0 && !tainted) return;
  if (writer->length > 0) put_text(writer, " | ");
  if (tainted) {
    put_text(writer, "<removed>");
    return;
  }
  for (size_t i = 0; i < line.length; i++) {
    const uint8_t c = line.data[i];
    if (name_at(line, i, username)) {
      put_text(writer, "<user>");
      i += username.length - 1;
    } else {
      put_character(writer, c >= 0x20 && c <= 0x7E ? (char)c : '?');
    }
  }
}

size_t scrub(char *out, size_t capacity, struct bytes text, const struct secrets *secrets) {
  struct line_writer writer = {out, capacity, 0};
  size_t tainted_to = 0; /* offset behind the last match: a secret with a line feed taints the next line too */
  size_t start = 0;
  if (capacity == 0) return 0;
  for (size_t i = 0; i <= text.length; i++) {
    if (i < text.length) {
      const size_t length = longest_match((struct bytes){text.data + i, text.length - i}, secrets);
      if (length > 0 && i + length > tainted_to) tainted_to = i + length;
      if (text.data[i] != '\n') continue;
    }
    put_line(&writer, (struct bytes){text.data + start, i - start}, tainted_to > start, secrets->username);
    start = i + 1;
  }
  out[writer.length] = '\0';
  return writer.length;
}
