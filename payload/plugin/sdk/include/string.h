#ifndef SDK_STRING_H
#define SDK_STRING_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t length);
int memcmp(const void *a, const void *b, size_t length);
int strcmp(const char *a, const char *b);

/* C11 Annex K; never optimised away. Source: memset_s(3). */
int memset_s(void *to, size_t size, int value, size_t count);

#endif
