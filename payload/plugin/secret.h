/* The one place for secrets: whole pages, locked into memory where the system allows it, wiped before they are given
 * back. */
#ifndef ESCROW_BUDDY_SECRET_H
#define ESCROW_BUDDY_SECRET_H

#include "input-plist.h"

enum {
  CAPTURE_MOST = 4096,  /* bytes of standard error kept: enough for fdesetup's two or three lines */
  LOG_TEXT_MOST = 1024, /* bytes of it that reach the log */
  SCRATCH_SIZE = 4096
};

struct secret {
  void *allocation; /* what free() wants */
  bool locked;
  size_t username_length, password_length;
  uint8_t username[USERNAME_MOST];
  uint8_t password[PASSWORD_MOST];
  uint8_t document[INPUT_PLIST_MOST];
  uint8_t capture[CAPTURE_MOST];  /* the child may echo its input, so its words are secret until scrubbed */
  uint8_t scratch[SCRATCH_SIZE];  /* what is read beyond the capture */
  char log_text[LOG_TEXT_MOST];
};

/* A buffer of zeroes; NULL without memory. One that the system refuses to lock is used all the same: swap files of macOS
 * are encrypted, and the wipe does not depend on the lock. */
struct secret *secret_create(void);

/* Wipes, unlocks, frees; NULL is allowed. */
void secret_destroy(struct secret *secret);

#endif
