/* One run: a process of its own that plays a scenario and checks it by the rules that hold in every run. */
#ifndef LOGIN_HOST_RUN_H
#define LOGIN_HOST_RUN_H

#include <stdbool.h>

#include "scenario.h"

/* Where a run plants secrets on purpose; NULL: nowhere. */
extern const char *run_plant;

/* Plays `which` under fault_plan; the verdict is in `world`. Returns whether no rule was broken; a crash is a broken rule. */
bool run_once(struct scenario *which);
/* Prints the verdict of the last run as one JSON line. */
void run_print(void);

#endif
