/* Source: xnu bsd/sys/fcntl.h. */
#ifndef SDK_FCNTL_H
#define SDK_FCNTL_H

#include <sys/types.h>

#define O_RDONLY 0x0000
#define O_WRONLY 0x0001
#define O_NONBLOCK 0x0004
#define F_SETFD 2
#define F_SETFL 4
#define F_DUPFD_CLOEXEC 67
#define F_SETNOSIGPIPE 73
#define FD_CLOEXEC 1

/* Variadic in truth, and so here: on Apple silicon the third argument travels on the stack. */
int fcntl(int descriptor, int command, ...);

#endif
