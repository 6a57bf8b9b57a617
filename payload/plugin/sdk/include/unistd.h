#ifndef SDK_UNISTD_H
#define SDK_UNISTD_H

#include <sys/types.h>

#define STDIN_FILENO 0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2

int pipe(int ends[2]);
int close(int descriptor);
ssize_t read(int descriptor, void *to, size_t length);
ssize_t write(int descriptor, const void *from, size_t length);

#endif
