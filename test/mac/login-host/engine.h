/* The part of authorizationhost: creates the plugin and its mechanisms, answers its callbacks. */
#ifndef LOGIN_HOST_ENGINE_H
#define LOGIN_HOST_ENGINE_H

#include <stdbool.h>

#include "scenario.h"

/* Plays all logins of `scenario` and destroys the plugin. */
void engine_drive(void);
/* For measurements: creates the plugin and one mechanism of the scenario's first login. */
void engine_open(void);
/* For measurements: one Invoke; returns its real time in ns. */
int64_t engine_timed_invoke(void);
/* Returns whether the back-off held back the user of this login when it began. */
bool engine_held_back(void);
/* Told by the stand-ins that the plugin waits; plays the scenario's moments. */
void engine_waits(void);

#endif
