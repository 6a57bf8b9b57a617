/*
 * run-in-root ROOT BASE HOST -- PROGRAM [ARGUMENT...]
 *
 * Runs PROGRAM on the disk ROOT, once, for use by hand. SIM_ENV_NAME=VALUE in the environment becomes NAME=VALUE there,
 * SIM_ENV_PWD the working folder. Exit status: PROGRAM's, 128 + signal, 124 when it waited for ever, or
 * 125 when no root could be entered.
 */
#include "enter-root.h"
#include "virtual-time.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIME_UP = 124 };

static int ended(int status) {
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int wait_for(pid_t child) {
	int status = 0;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
	return ended(status);
}

int main(int argc, char **argv) {
	extern char **environ;
	char *kept[128] = {0};
	size_t count = 0;
	if (argc < 6 || strcmp(argv[4], "--")) {
		fprintf(stderr, "usage: run-in-root ROOT BASE HOST -- PROGRAM [ARGUMENT...]\n");
		return NO_ROOT;
	}
	places p = {argv[1], argv[2], argv[3]};
	for (char **variable = environ; *variable && count < 100; variable++)
		if (!strncmp(*variable, "SIM_ENV_", 8)) kept[count++] = *variable + 8;
	const char *folder = getenv("SIM_ENV_PWD");
	if (!enter_root(&p)) {
		fprintf(stderr, "run-in-root: no namespaces for %s: %s\n", p.root, strerror(errno));
		return NO_ROOT;
	}
	/* The first child is process 1 of its namespace, which no signal from inside reaches: the script is its child. */
	pid_t first = fork();
	if (first == 0) {
		forget_sleepers(p.root);
		pid_t script = fork();
		if (script == 0) run_on_disk(&p, folder ? folder : "/", kept, argv + 5);
		_exit(wait_in_virtual_time(p.root, script, 86400) ? wait_for(script) : TIME_UP);
	}
	return wait_for(first);
}
