#ifndef ESCROW_BUDDY_BYTES_H
#define ESCROW_BUDDY_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes: no terminator, not owned. */
struct bytes {
  const uint8_t *data;
  size_t length;
};

#endif
