#include "input-plist.h"

/* Length of the UTF-8 sequence at text, its character in *character; 0 when malformed, overlong or cut off. */
static size_t utf8_sequence(struct bytes text, uint32_t *character) {
  static const uint32_t least[] = {[2] = 0x80, [3] = 0x800, [4] = 0x10000};
  const uint8_t first = text.data[0];
  const size_t length =
      first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF8 ? 4 : 0;
  if (length == 0 || length > text.length) return 0;
  *character = length == 1 ? first : first & (0xFFu >> (length + 1));
  for (size_t i = 1; i < length; i++) {
    if ((text.data[i] & 0xC0) != 0x80) return 0;
    *character = *character << 6 | (text.data[i] & 0x3F);
  }
  return *character < least[length] ? 0 : length;
}

static bool xml_character(uint32_t c) {
  return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) ||
         (c >= 0x10000 && c <= 0x10FFFF);
}

bool xml_representable(struct bytes text) {
  while (text.length > 0) {
    uint32_t character;
    const size_t length = utf8_sequence(text, &character);
    if (length == 0 || !xml_character(character)) return false;
    text.data += length;
    text.length -= length;
  }
  return true;
}

struct writer {
  uint8_t *out;
  size_t capacity, length;
  bool full;
};

static void put(struct writer *writer, const char *text) {
  for (; *text != '\0'; text++) {
    if (writer->length == writer->capacity) writer->full = true;
    else writer->out[writer->length++] = (uint8_t)*text;
  }
}

/* A carriage return must be a reference, or the reader turns it into a line feed. Source: XML 1.0, 2.11. */
static void put_escaped(struct writer *writer, struct bytes text) {
  for (size_t i = 0; i < text.length; i++) {
    switch (text.data[i]) {
    case '&': put(writer, "&amp;"); break;
    case '<': put(writer, "&lt;"); break;
    case '>': put(writer, "&gt;"); break;
    case '\r': put(writer, "&#13;"); break;
    default: put(writer, (const char[]){(char)text.data[i], '\0'}); break;
    }
  }
}

size_t write_input_plist(uint8_t *out, size_t capacity, struct bytes username, struct bytes password,
                         struct bytes *escaped_password) {
  struct writer writer = {out, capacity, 0, false};
  put(&writer, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
               "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
               "<plist version=\"1.0\">\n<dict>\n<key>Username</key>\n<string>");
  put_escaped(&writer, username);
  put(&writer, "</string>\n<key>Password</key>\n<string>");
  const size_t start = writer.length;
  put_escaped(&writer, password);
  *escaped_password = (struct bytes){out + start, writer.length - start};
  put(&writer, "</string>\n</dict>\n</plist>\n");
  return writer.full ? 0 : writer.length;
}
