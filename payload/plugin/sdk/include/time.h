/* Source: clock_gettime(3), Libc include/time.h. */
#ifndef SDK_TIME_H
#define SDK_TIME_H

#include <stddef.h>

typedef enum { CLOCK_UPTIME_RAW = 8 } clockid_t;

struct timespec {
  long tv_sec;
  long tv_nsec;
};

int clock_gettime(clockid_t clock, struct timespec *now);
int nanosleep(const struct timespec *span, struct timespec *left);

#endif
