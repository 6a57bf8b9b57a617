/*
 * /bin/launchctl for the system domain. Texts and statuses: public reports (nix-installer issues 960, 1148, 1157, 1187)
 * and launchctl(1). Loaded jobs are copies of their property lists in the state; nothing is started here.
 *
 * Facts: `busyAfterBootout=N`: `print` answers as loaded and `bootstrap` fails for N calls after a bootout.
 */
#include "standin.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ESRCH_STATUS = 3, EIO_STATUS = 5, NOT_FOUND = 113 };

static char *state(const char *label, const char *suffix) {
	char *path = NULL;
	if (strchr(label, '/') || asprintf(&path, STATE "/launchd/%s%s", label, suffix) < 0) return strdup(STATE "/none");
	return path;
}

/* Counts down the calls for which a booted-out job still looks loaded. */
static bool still_leaving(const char *label) {
	text left = {0};
	if (!read_file(state(label, ".leaving"), &left)) return false;
	long calls = atol(left.bytes);
	text next = {0};
	text_printf(&next, "%ld", calls - 1);
	if (calls <= 1) unlink(state(label, ".leaving"));
	else write_file(state(label, ".leaving"), next.bytes, next.size, 0600);
	return calls > 0;
}

static int bootstrap_failed(void) {
	complain("Bootstrap failed: 5: Input/output error\nTry re-running the command as root for richer errors.\n");
	return EIO_STATUS;
}

static const char *label_in(const char *path, text *bytes) {
	plist *job = read_file(path, bytes) ? plist_parse(bytes->bytes, bytes->size, NULL, NULL) : NULL;
	plist *label = job ? plist_get(job, "Label") : NULL;
	return label && label->type == P_STRING ? label->bytes : NULL;
}

static int bootstrap(const call *c, const char *path) {
	text bytes = {0};
	struct stat s;
	const char *label = label_in(path, &bytes);
	if (*path != '/') unknown(c, "relative path of a job");
	if (geteuid() != 0) return complain("Bootstrap failed: 1: Operation not permitted\n"), 1;
	if (!label || lstat(path, &s) || !S_ISREG(s.st_mode) || s.st_uid != 0 || s.st_gid != 0 || (s.st_mode & 022)) return bootstrap_failed();
	if (!access(state(label, ""), F_OK) || still_leaving(label) || !access(state(label, ".disabled"), F_OK)) return bootstrap_failed();
	if (swallow) return 0;
	return write_file(state(label, ""), bytes.bytes, bytes.size, 0600) ? bootstrap_failed() : 0;
}

/* Ends the job's running script as launchd does: SIGTERM, then SIGKILL; here at once. */
static void end_script(const char *label) {
	text number = {0};
	if (!read_file(state(label, ".pid"), &number)) return;
	unlink(state(label, ".pid"));
	long group = atol(number.bytes);
	if (group > 1) kill(-(pid_t)group, SIGKILL);
}

static int bootout(const char *label) {
	if (access(state(label, ""), F_OK)) return complain("Boot-out failed: 3: No such process\n"), ESRCH_STATUS;
	unlink(state(label, ""));
	const char *leaving = fact("busyAfterBootout", "");
	if (*leaving) write_file(state(label, ".leaving"), leaving, strlen(leaving), 0600);
	end_script(label);
	return *leaving ? complain("Boot-out failed: 36: Operation now in progress\n"), 36 : 0;
}

static int print(const char *label) {
	if (!access(state(label, ""), F_OK) || still_leaving(label)) {
		text_printf(&out, "system/%s = {\n\tactive count = 0\n\tstate = not running\n}\n", label);
		return 0;
	}
	complain("Could not find service \"%s\" in domain for system\n", label);
	return NOT_FOUND;
}

int launchctl(const call *c) {
	char **words = c->argv + 2;
	int count = c->argc - 2;
	const char *verb = c->argc > 1 ? c->argv[1] : "";
	if (count < 1) unknown(c, "form not known");
	refine(verb);
	if (!strcmp(verb, "bootstrap") && count == 2 && !strcmp(words[0], "system")) return bootstrap(c, words[1]);
	if (!strcmp(verb, "bootout") && count == 2 && !strcmp(words[0], "system")) {
		text bytes = {0};
		const char *label = label_in(words[1], &bytes);
		return label ? bootout(label) : (complain("Boot-out failed: 2: No such file or directory\n"), 2);
	}
	if (count != 1 || strncmp(words[0], "system/", 7)) unknown(c, "only the system domain is simulated");
	const char *label = words[0] + 7;
	if (!strcmp(verb, "bootout")) return bootout(label);
	if (!strcmp(verb, "print")) return print(label);
	if (!strcmp(verb, "enable")) return unlink(state(label, ".disabled")), 0;
	if (!strcmp(verb, "disable")) return write_file(state(label, ".disabled"), "", 0, 0600), 0;
	unknown(c, "verb not used by scripts of ours");
}
