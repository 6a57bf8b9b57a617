/* Measurements in real time: what a login costs. */
#ifndef LOGIN_HOST_BENCH_H
#define LOGIN_HOST_BENCH_H

#include "json.h"

/* Prints one JSON line a measurement; uses the scenarios "idle" and "rotates" of the list. */
void bench(const struct json *list);

#endif
