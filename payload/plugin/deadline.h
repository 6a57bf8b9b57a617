/* Deadline arithmetic on a monotonic clock, in milliseconds. It saturates and never wraps. */
#ifndef ESCROW_BUDDY_DEADLINE_H
#define ESCROW_BUDDY_DEADLINE_H

#include <stdint.h>

#define CLOCK_UNREADABLE UINT64_MAX /* what monotonic_ms() returns when the clock fails */

/* now + span; 0, a deadline already passed, when the clock could not be read: better no attempt than no limit. */
static inline uint64_t deadline_after(uint64_t now_ms, uint64_t span_ms) {
  if (now_ms == CLOCK_UNREADABLE) return 0;
  return span_ms > CLOCK_UNREADABLE - 1 - now_ms ? CLOCK_UNREADABLE - 1 : now_ms + span_ms;
}

/* Milliseconds left; 0 when the deadline has passed or the clock could not be read. */
static inline uint64_t deadline_left(uint64_t deadline_ms, uint64_t now_ms) {
  return now_ms >= deadline_ms ? 0 : deadline_ms - now_ms;
}

/* The earlier of two times or spans. */
static inline uint64_t earlier_ms(uint64_t a, uint64_t b) { return a < b ? a : b; }

#endif
