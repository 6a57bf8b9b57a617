/* See enter-root.h. Sources: unshare(2), mount(2), user_namespaces(7), pid_namespaces(7). */
#include "enter-root.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static bool write_map(const char *path, const char *format, unsigned id) {
	FILE *map = fopen(path, "we");
	if (!map) return false;
	bool well = fprintf(map, format, id) > 0;
	return fclose(map) == 0 && well;
}

static bool enter_namespaces(void) {
	uid_t uid = geteuid();
	gid_t gid = getegid();
	if (unshare(CLONE_NEWNS | CLONE_NEWPID | (uid ? CLONE_NEWUSER : 0))) return false;
	if (uid && (!write_map("/proc/self/setgroups", "deny", 0) || !write_map("/proc/self/uid_map", "0 %u 1\n", uid) ||
	            !write_map("/proc/self/gid_map", "0 %u 1\n", gid)))
		return false;
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static bool lay_over(const places *p, const char *from, const char *below, const char *name, unsigned long flags) {
	char source[4096], target[4096];
	snprintf(source, sizeof source, "%s%s", from, below);
	snprintf(target, sizeof target, "%s/%s", p->root, name);
	if (mount(source, target, NULL, MS_BIND | flags, NULL)) return false;
	/* Read-only is a courtesy that flags inherited from the host may refuse; owners and modes protect the rest. */
	if (!flags) mount("none", target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
	return true;
}

bool enter_root(const places *p) {
	return enter_namespaces() && lay_over(p, p->base, "/bin", "bin", 0) && lay_over(p, p->base, "/sbin", "sbin", 0) &&
	       lay_over(p, p->base, "/usr", "usr", 0) && lay_over(p, p->host, "", ".host", 0) && lay_over(p, "/dev", "", "dev", MS_REC);
}

static const char *const MAC_ENVIRONMENT[] = {"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/var/root", "USER=root", "LOGNAME=root", "SHELL=/bin/sh"};

/* A Mac's own variables, each unless the caller gives another value. */
static void set_environment(char **environment) {
	extern char **environ;
	static char *kept[128];
	size_t count = 0;
	while (*environment && count < 100) kept[count++] = *environment++;
	for (size_t i = 0; i < sizeof MAC_ENVIRONMENT / sizeof *MAC_ENVIRONMENT; i++) {
		size_t name = strcspn(MAC_ENVIRONMENT[i], "=") + 1;
		bool given = false;
		for (size_t k = 0; k < count; k++) given = given || !strncmp(kept[k], MAC_ENVIRONMENT[i], name);
		if (!given) kept[count++] = strdup(MAC_ENVIRONMENT[i]);
	}
	environ = kept;
}

void run_on_disk(const places *p, const char *folder, char **environment, char **program) {
	/* A group of its own: a `kill` fault ends the script and all it started, and nothing else. */
	setpgid(0, 0);
	if (chroot(p->root) || chdir(folder)) {
		fprintf(stderr, "cannot enter %s in %s: %s\n", folder, p->root, strerror(errno));
		_exit(NO_ROOT);
	}
	umask(022);
	signal(SIGPIPE, SIG_DFL);
	set_environment(environment);
	execv(program[0], program);
	fprintf(stderr, "%s: %s\n", program[0], strerror(errno));
	_exit(127);
}
