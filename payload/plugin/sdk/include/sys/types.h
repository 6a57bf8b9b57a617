/* Source: xnu bsd/sys/_types, bsd/arm/_types.h and bsd/i386/_types.h. */
#ifndef SDK_SYS_TYPES_H
#define SDK_SYS_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef int32_t pid_t;
typedef uint16_t mode_t;
typedef long ssize_t;
typedef uint32_t sigset_t;

#endif
