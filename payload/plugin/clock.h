#ifndef ESCROW_BUDDY_CLOCK_H
#define ESCROW_BUDDY_CLOCK_H

#include <stdint.h>

/* Milliseconds of a clock that no wall-clock change and no sleep of the machine moves; CLOCK_UNREADABLE on failure. */
uint64_t monotonic_ms(void);

/* Sleeps for about that many microseconds, below one second; may return early. */
void nap_us(long microseconds);

#endif
