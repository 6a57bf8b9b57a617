/*
 * See virtual-time.h. Sources: proc(5) for task/TID/children, State and the context switches; pidfd_open(2).
 *
 * All waits when every process sleeps and none was switched to between two looks at all of them: a process that was woken in
 * between either runs at the second look, or went to sleep again, which counts.
 */
#include "virtual-time.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * Looks are a millisecond apart, three while anything works, and several in a row have to see the same: the kernel calls a
 * child a zombie a moment before it wakes the parent, and a busy host can stretch that moment. A hang is not a hurry.
 */
enum { LOOK_MS = 1, LOOK_AT_WORK_MS = 3, LOOKS_TO_JUMP = 3, LOOKS_TO_GIVE_UP = 100, LONGEST_WORK_SECONDS = 900 };

static bool read_text(const char *path, char *to, size_t room) {
	int file = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = file < 0 ? -1 : read(file, to, room - 1);
	if (file >= 0) close(file);
	to[got > 0 ? got : 0] = 0;
	return got > 0;
}

static uint64_t number_after(const char *in, const char *label) {
	const char *at = strstr(in, label);
	return at ? strtoull(at + strlen(label), NULL, 10) : 0;
}

/* Adds to *seen what a process and those below it look like; false when one of them works. */
static bool asleep(pid_t process, bool itself, uint64_t *seen) {
	char path[128], status[4096], children[4096];
	if (itself) {
		snprintf(path, sizeof path, "/proc/%d/status", (int)process);
		if (!read_text(path, status, sizeof status)) return false;
		const char *state = strstr(status, "\nState:\t");
		if (!state || !strchr("SZ", state[8])) return false;
		uint64_t switches = number_after(status, "\nvoluntary_ctxt_switches:") + number_after(status, "nonvoluntary_ctxt_switches:");
		*seen = (*seen ^ (uint64_t)process ^ switches << 20) * 0x100000001b3;
	}
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)process, (int)process);
	read_text(path, children, sizeof children);
	for (char *rest = children, *word; (word = strsep(&rest, " "));)
		if (*word && !asleep((pid_t)atoi(word), true, seen)) return false;
	return true;
}

/* A sum over all processes when all of them wait, else 0. */
static uint64_t picture_of_waiting(void) {
	char own[32] = "";
	uint64_t first = 0xcbf29ce484222325, second = first;
	/* The host's /proc, in which we have another number than in our namespace. */
	if (readlink("/proc/self", own, sizeof own - 1) < 0) return 0;
	return asleep((pid_t)atoi(own), false, &first) && asleep((pid_t)atoi(own), false, &second) && first == second ? first : 0;
}

/* The sleeper whose time comes first; 0 without any. */
static pid_t next_sleeper(const char *root, double *when) {
	char path[4096], text[64];
	pid_t first = 0;
	snprintf(path, sizeof path, "%s/.sim/sleepers", root);
	DIR *folder = opendir(path);
	struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		pid_t sleeper = (pid_t)atoi(entry->d_name);
		if (sleeper < 2) continue;
		snprintf(path, sizeof path, "%s/.sim/sleepers/%d", root, (int)sleeper);
		if (kill(sleeper, 0)) unlink(path);
		else if (read_text(path, text, sizeof text) && (!first || atof(text) < *when)) *when = atof(text), first = sleeper;
	}
	if (folder) closedir(folder);
	return first;
}

static double read_clock(const char *root) {
	char path[4096], text[64];
	snprintf(path, sizeof path, "%s/.sim/clock", root);
	return read_text(path, text, sizeof text) ? atof(text) : 0;
}

static void set_clock(const char *root, double now) {
	char path[4096];
	snprintf(path, sizeof path, "%s/.sim/clock", root);
	FILE *file = fopen(path, "we");
	if (file) fprintf(file, "%.3f", now), fclose(file);
}

/* Lets time jump to the next end of a sleep; false when there is none before `end`. */
static bool jump(const char *root, double end) {
	char path[4096];
	double when = 0;
	pid_t sleeper = next_sleeper(root, &when);
	if (!sleeper || when > end) return false;
	if (when > read_clock(root)) set_clock(root, when);
	snprintf(path, sizeof path, "%s/.sim/sleepers/%d", root, (int)sleeper);
	unlink(path);
	kill(sleeper, SIGUSR1);
	return true;
}

/* Takes away what ended and was nobody else's child: a dead sleeper is none. `child` is left for the caller. */
static void reap_others(pid_t child) {
	siginfo_t ended = {0};
	while (!waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) && ended.si_pid > 0 && ended.si_pid != child)
		waitpid(ended.si_pid, NULL, 0), ended.si_pid = 0;
}

void forget_sleepers(const char *root) {
	char path[4096];
	snprintf(path, sizeof path, "%s/.sim/sleepers", root);
	DIR *folder = opendir(path);
	struct dirent *entry;
	while (folder && (entry = readdir(folder)))
		if (*entry->d_name != '.') unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder) closedir(folder);
}

bool wait_in_virtual_time(const char *root, pid_t child, double seconds) {
	struct pollfd ended = {(int)syscall(SYS_pidfd_open, child, 0), POLLIN, 0};
	struct timespec start, now;
	double end = read_clock(root) + seconds, when = 0;
	uint64_t last = 0, seen;
	bool in_time = true;
	int same = 0;
	clock_gettime(CLOCK_MONOTONIC, &start);
	while (in_time && poll(&ended, 1, last ? LOOK_MS : LOOK_AT_WORK_MS) <= 0) {
		reap_others(child);
		clock_gettime(CLOCK_MONOTONIC, &now);
		in_time = now.tv_sec - start.tv_sec < LONGEST_WORK_SECONDS;
		seen = picture_of_waiting();
		same = seen && seen == last ? same + 1 : 0;
		last = seen;
		if (same < LOOKS_TO_JUMP || poll(&ended, 1, 0) > 0) continue;
		if (next_sleeper(root, &when)) in_time = jump(root, end), same = 0;
		else in_time = same < LOOKS_TO_GIVE_UP;
	}
	close(ended.fd);
	return in_time;
}
