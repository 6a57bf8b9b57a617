/* Makes a folder the root of programs: namespaces, read-only folders laid over it, chroot. */
#ifndef SIMULATED_ENTER_ROOT_H
#define SIMULATED_ENTER_ROOT_H

#include <stdbool.h>

/* The exit status when no root could be entered. */
enum { NO_ROOT = 125 };

typedef struct {
	const char *root; /* the disk of one simulated Mac */
	const char *base; /* bin, sbin and usr of every simulated Mac */
	const char *host; /* the host's /usr, for shells and rarer tools */
} places;

/*
 * Enters mount and process namespaces (and, when not root, a user namespace in which the caller is root) and lays the
 * read-only folders over the disk. The caller's next child is process 1. Answers false when the system forbids it.
 */
bool enter_root(const places *p);

/* In a child: the disk becomes `/`; `environment` (NULL-ended) is added to a Mac's own. Does not return. */
void run_on_disk(const places *p, const char *folder, char **environment, char **program) __attribute__((noreturn));

#endif
