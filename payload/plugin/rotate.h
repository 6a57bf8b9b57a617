/* The two things asked of fdesetup: is FileVault on, and a new personal recovery key. */
#ifndef ESCROW_BUDDY_ROTATE_H
#define ESCROW_BUDDY_ROTATE_H

#include "login.h"

enum filevault ask_filevault(const struct login *login);

/* Runs `fdesetup changerecovery` with the credentials in login->secret and waits a little for proof of escrow.
 * Fills outcome and status of attempt. */
void rotate(const struct login *login, struct attempt *attempt);

#endif
