/* The tools of time: sleep(1) and date(1), on the clock of virtual-time.h. */
#include "standin.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What the clock of a new disk shows: 2026-11-18 08:00 UTC. */
static const double FIRST_SECOND = 1794988800;

static double elapsed(void) {
	text seconds = {0};
	return read_file(STATE "/clock", &seconds) ? atof(seconds.bytes) : 0;
}

double now(void) {
	return FIRST_SECOND + elapsed();
}

/* Registers the second at which it ends, and waits for the signal that this second has come. */
int sleep_tool(const call *c) {
	char path[64], until[32];
	char *stop = NULL;
	double seconds = c->argc == 2 ? strtod(c->argv[1], &stop) : -1;
	if (seconds < 0 || !stop || *stop) return complain("usage: sleep number[unit] [...]\n"), 1;
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	snprintf(path, sizeof path, STATE "/sleepers/%d", (int)getpid());
	int size = snprintf(until, sizeof until, "%.3f", elapsed() + seconds);
	if (write_file(path, until, (size_t)size, 0600)) unknown(c, "no clock on this disk");
	while (sigwaitinfo(&signals, NULL) < 0 && errno == EINTR) continue;
	return 0;
}

int date_tool(const call *c) {
	char shown[256];
	int at = 1;
	if (at < c->argc && !strcmp(c->argv[at], "-u")) at++; /* the simulated Mac stands at Greenwich */
	if (c->argc - at != 1 || c->argv[at][0] != '+') unknown(c, "date: only [-u] +FORMAT");
	time_t seconds = (time_t)now();
	size_t size = strftime(shown, sizeof shown, c->argv[at] + 1, gmtime(&seconds));
	shown[size] = 0;
	return text_printf(&out, "%s\n", shown), 0;
}
