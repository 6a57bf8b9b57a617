/* Source: xnu bsd/sys/errno.h. */
#ifndef SDK_ERRNO_H
#define SDK_ERRNO_H

int *__error(void);
#define errno (*__error())

#define ENOENT 2
#define EINTR 4
#define ECHILD 10
#define EAGAIN 35

#endif
