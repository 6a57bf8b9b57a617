/* Source: xnu bsd/sys/signal.h. A signal set is a word, bit number signal - 1. */
#ifndef SDK_SIGNAL_H
#define SDK_SIGNAL_H

#include <sys/types.h>

#define SIGKILL 9
#define SIGTERM 15
#define SIGSTOP 17

int kill(pid_t pid, int signal);

#endif
