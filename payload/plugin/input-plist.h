/* The property list `fdesetup changerecovery -inputplist` reads, written by hand so that no CFString holds the
 * password. */
#ifndef ESCROW_BUDDY_INPUT_PLIST_H
#define ESCROW_BUDDY_INPUT_PLIST_H

#include <stdbool.h>

#include "bytes.h"

enum {
  USERNAME_MOST = 2048,   /* bytes; a short name of macOS has 255 at most, one of an identity provider an e-mail's length */
  PASSWORD_MOST = 2048,   /* bytes */
  ESCAPE_FACTOR = 5,      /* longest reference, "&amp;" or "&#13;", for one byte */
  INPUT_PLIST_FIXED = 512 /* more than the markup around the two values; the writer checks every byte */
};
#define INPUT_PLIST_MOST (INPUT_PLIST_FIXED + ESCAPE_FACTOR * (USERNAME_MOST + PASSWORD_MOST))

/* True when text is well-formed UTF-8 of characters XML 1.0 can carry. Source: XML 1.0 (5th ed.) production 2, Char. */
bool xml_representable(struct bytes text);

/* Writes the list; returns its length, or 0 when it does not fit. *escaped_password is where in out the
 * password stands, as XML writes it. Both values must be representable. */
size_t write_input_plist(uint8_t *out, size_t capacity, struct bytes username, struct bytes password,
                         struct bytes *escaped_password);

#endif
