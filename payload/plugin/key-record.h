/* The record of the escrowed key, /var/db/FileVaultPRK.dat: the only proof on this Mac that a new key was escrowed. */
#ifndef ESCROW_BUDDY_KEY_RECORD_H
#define ESCROW_BUDDY_KEY_RECORD_H

#include <stdbool.h>
#include <stdint.h>

enum record_state { RECORD_UNREAD, RECORD_ABSENT, RECORD_PRESENT };

struct key_record {
  enum record_state state;
  int64_t fingerprint; /* of all that stat(2) tells but the last access; above 0 when PRESENT, else 0 */
  double changed_at;   /* the later of its two times of change, in seconds since 2001 UTC as CFDate counts them */
};

struct key_record read_key_record(void);

/* True when there is a record that was not there before: any difference counts, not only a later time. A record that
 * is gone, or that could not be read before or after, proves nothing. */
bool key_recorded_since(struct key_record now, struct key_record before);

#endif
