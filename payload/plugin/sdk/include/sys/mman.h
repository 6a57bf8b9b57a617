/* Source: mlock(2). */
#ifndef SDK_SYS_MMAN_H
#define SDK_SYS_MMAN_H

#include <sys/types.h>

int mlock(const void *address, size_t length);
int munlock(const void *address, size_t length);

#endif
