#ifndef SDK_STDLIB_H
#define SDK_STDLIB_H

#include <stddef.h>

void *calloc(size_t count, size_t size);
void free(void *allocation);

#endif
