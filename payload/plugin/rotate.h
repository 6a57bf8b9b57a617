/* What is asked of fdesetup: is FileVault on, and a new personal recovery key. */
#ifndef ESCROW_BUDDY_ROTATE_H
#define ESCROW_BUDDY_ROTATE_H

#include "login.h"

enum {
  ASKING_MOST_MS = 10000,                   /* one of our questions; fdesetup answers at once, or hangs at each login */
  BESIDE_CHANGE_MS = ASKING_MOST_MS + 2000, /* the question before a change, and the settings and key record around it */
  CHANGE_LEAST_MS = 20000                   /* no key change begins with less time than this */
};

enum filevault ask_filevault(const struct login *login);

/* Runs `fdesetup changerecovery` with the credentials in login->secret and waits a little for proof of escrow, a key
 * record other than before. Fills outcome and status of attempt. */
void rotate(const struct login *login, struct key_record before, struct attempt *attempt);

#endif
