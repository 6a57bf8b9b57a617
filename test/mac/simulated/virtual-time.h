/*
 * The time of a simulated Mac: it stands still while anything works, and jumps when all that runs waits for it.
 *
 * So no result depends on how busy the host is: a time limit of 30 seconds is over when the command it bounds can only
 * wait, never because the command was slow. State below ROOT/.sim: `clock` holds the seconds since the disk was made,
 * `sleepers/PID` the second at which a `sleep` ends.
 */
#ifndef SIMULATED_VIRTUAL_TIME_H
#define SIMULATED_VIRTUAL_TIME_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Waits until `child` ends and lets time pass meanwhile. Answers false when `seconds` of simulated time were over, when
 * everything waited for ever, or when it worked for longer than any test may.
 *
 * To be called by process 1 of the namespace that the disk's programs run in.
 */
bool wait_in_virtual_time(const char *root, pid_t child, double seconds);

/* To be called before each run: what slept was killed with the run before, and its number may be another's. */
void forget_sleepers(const char *root);

#endif
