/* Systematic fault injection: the n-th call of each import fails. */
#ifndef LOGIN_HOST_SWEEP_H
#define LOGIN_HOST_SWEEP_H

#include "json.h"

/* Plays every fault of every scenario: each import, each way to fail, once at the n-th call for every n until none is left, and lasting from the
 * first, second and third on. Beyond call 256 of a run n grows by a twentieth. Prints failures and a summary; returns 1 when a rule was broken. `shard` is
 * "i/n": only each n-th scenario. */
int sweep_full(const struct json *list, const char *shard);
/* Plays `runs` faults drawn with `seed`, after one of each import and kind. */
int sweep_sample(const struct json *list, unsigned seed, unsigned runs, const char *shard);

#endif
