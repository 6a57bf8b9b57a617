/* Text of the child's standard error made fit for a log. */
#ifndef ESCROW_BUDDY_SCRUB_H
#define ESCROW_BUDDY_SCRUB_H

#include "bytes.h"

struct secrets {
  struct bytes password;
  struct bytes escaped_password; /* as XML writes it */
  struct bytes username;         /* private rather than secret: only the name itself is replaced, by "<user>" */
};

/* Writes text to out (capacity bytes, terminated): lines joined by " | ", other than printable ASCII as '?'. A line
 * touched by one of the secrets, or by a recovery key, becomes "<removed>" as a whole: the rest of such a line could
 * tell the secret's length or place. So does a last line that ends in the beginning of one, which a full capture
 * buffer can cut. Returns the length without the terminator. */
size_t scrub(char *out, size_t capacity, struct bytes text, const struct secrets *secrets);

#endif
