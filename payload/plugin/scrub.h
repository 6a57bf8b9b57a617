/* Text of the child's standard error made fit for a log. */
#ifndef ESCROW_BUDDY_SCRUB_H
#define ESCROW_BUDDY_SCRUB_H

#include "bytes.h"

/* Writes text to out (capacity bytes, terminated): lines joined by " | ", other than printable ASCII as '?'. A line
 * touched by one of the secrets, or by a recovery key, becomes "<removed>" as a whole: the rest of such a line could
 * tell the secret's length or place. So does a last line that ends in the beginning of one, which a full capture
 * buffer can cut. Returns the length without the terminator. */
size_t scrub(char *out, size_t capacity, struct bytes text, const struct bytes *secrets, size_t count);

#endif
