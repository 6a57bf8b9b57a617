#include "clock.h"

#include <time.h>

#include "deadline.h"

uint64_t monotonic_ms(void) {
  struct timespec now;
  /* UPTIME_RAW stands still while the Mac sleeps, so that a lid closed in mid-rotation does not use up the time. */
  if (clock_gettime(CLOCK_UPTIME_RAW, &now) != 0 || now.tv_sec < 0) return CLOCK_UNREADABLE;
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void nap_us(long microseconds) {
  const struct timespec span = {0, microseconds * 1000};
  (void)nanosleep(&span, NULL);
}
