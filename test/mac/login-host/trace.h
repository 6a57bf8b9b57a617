/* Looks for the password and the new key where the plugin could have left them. */
#ifndef LOGIN_HOST_TRACE_H
#define LOGIN_HOST_TRACE_H

#include <stddef.h>
#include <stdint.h>

/* Prepares the needles for the logins of the scenario. */
void trace_start(void);
/* Runs `function` on a stack of its own, so that what it leaves there can be searched. */
void trace_run(void (*function)(void));
/* Searches the image's data, the heap (freed blocks too), the objects and the stack; counts into world->hits_*. `windows`: any 8 bytes in a row count. */
void trace_search(int windows);
/* Writes the password and the key into each of those places, to prove that the search finds them. */
void trace_plant(const char *place);

#endif
