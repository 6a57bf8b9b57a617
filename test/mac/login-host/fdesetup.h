/* The stand-in for /usr/bin/fdesetup: plays one row of the table in a process of its own. */
#ifndef LOGIN_HOST_FDESETUP_H
#define LOGIN_HOST_FDESETUP_H

#include "scenario.h"
#include "world.h"

/* Plays `row` on descriptors 0, 1 and 2; does not return. `key_file_delay` is when a new key's file appears after success, -1 never. */
_Noreturn void fdesetup_play(const struct behaviour *row, struct player *player, int64_t key_file_delay);

#endif
