/* Source: xnu bsd/sys/wait.h, wait(2). */
#ifndef SDK_SYS_WAIT_H
#define SDK_SYS_WAIT_H

#include <sys/types.h>

#define WNOHANG 1

pid_t waitpid(pid_t pid, int *status, int options);

#endif
