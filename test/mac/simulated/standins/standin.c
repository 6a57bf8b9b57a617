/*
 * One program that is every tool: argv[0] says which.
 *
 * A fault line is `SELECTOR KIND [ARGUMENT]`. SELECTOR: `12` (the 12th external command since the state was made),
 * `security:2` (the second call of that tool), `security-write:1` (the first `authorizationdb write`). KIND:
 *   fail STATUS      end at once with STATUS, doing nothing
 *   kill             SIGKILL to the whole process group (the script and all it started), before doing anything
 *   hang             never end
 *   empty-output     do it, print nothing
 *   truncate BYTES   do it, print the first BYTES of standard output
 *   swallow          report success, change nothing
 *   late             change, then report failure
 *   between HOOK     before the tool acts: run hooks/HOOK if executable, else make it system.login.console
 *   stale HOOK       (defaults) answer from hooks/HOOK, as a slow cfprefsd does
 */
#include "standin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

text out;
bool swallow, late;
static bool print_nothing;
static long truncate_at = -1;
static const char *hook, *stale_hook;
static const call *current;
static char stdin_hash[32];

/* Counters shared by all stand-ins of one simulated Mac. */
typedef struct {
	uint32_t total;
	struct {
		char name[44];
		uint32_t count;
	} tools[80];
} counters;

bool read_file(const char *path, text *to) {
	int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0) return false;
	char part[65536];
	ssize_t got;
	text_add(to, "", 0);
	while ((got = read(file, part, sizeof part)) > 0) text_add(to, part, (size_t)got);
	close(file);
	return got == 0;
}

text read_stdin(void) {
	text all = {0};
	char part[65536];
	ssize_t got;
	text_add(&all, "", 0);
	while ((got = read(0, part, sizeof part)) > 0) text_add(&all, part, (size_t)got);
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a, 64 bit: enough to tell two inputs apart in a record */
	for (size_t i = 0; i < all.size; i++) hash = (hash ^ (uint8_t)all.bytes[i]) * 0x100000001b3;
	snprintf(stdin_hash, sizeof stdin_hash, "%016llx:%zu", (unsigned long long)hash, all.size);
	return all;
}

int write_file(const char *path, const char *bytes, size_t size, unsigned mode) {
	char *beside = NULL;
	if (asprintf(&beside, "%s.%d~", path, (int)getpid()) < 0) abort();
	int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (file < 0) return errno;
	bool whole = write(file, bytes, size) == (ssize_t)size && fchmod(file, mode) == 0;
	int problem = errno;
	close(file);
	if (whole && rename(beside, path) == 0) return 0;
	problem = whole ? errno : problem;
	unlink(beside);
	return problem ? problem : EIO;
}

const char *fact(const char *key, const char *otherwise) {
	static text facts;
	if (!facts.bytes && !read_file(STATE "/facts", &facts)) text_add(&facts, "", 0);
	size_t size = strlen(key);
	for (const char *line = facts.bytes; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (!strncmp(line, key, size) && line[size] == '=') return strndup(line + size + 1, strcspn(line + size + 1, "\n"));
	return otherwise;
}

void complain(const char *format, ...) {
	text message = {0};
	char *made = NULL;
	va_list arguments;
	va_start(arguments, format);
	if (vasprintf(&made, format, arguments) < 0) abort();
	va_end(arguments);
	text_puts(&message, made);
	if (write(2, message.bytes, message.size) < 0) return;
}

static void json_word(text *to, const char *word) {
	plist *string = plist_string(word);
	plist_render_json(string, to);
}

/* Appends one line; a single write to an O_APPEND file does not mix with others. */
static void record(int status) {
	static char folder[4096];
	if (getenv("SIMULATED_HOOK")) return;
	text line = {0};
	text_puts(&line, "{\"argv\":[");
	for (int i = 0; i < current->argc; i++) {
		if (i) text_puts(&line, ",");
		json_word(&line, current->argv[i]);
	}
	text_printf(&line, "],\"uid\":%d,\"cwd\":", (int)geteuid());
	json_word(&line, getcwd(folder, sizeof folder) ? folder : "");
	if (*stdin_hash) text_printf(&line, ",\"stdin\":\"%s\"", stdin_hash);
	text_printf(&line, ",\"status\":%d}\n", status);
	int file = open(STATE "/log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (file >= 0 && write(file, line.bytes, line.size) >= 0) close(file);
}

void note_passed_on(void) {
	record(0);
}

void finish(int status) {
	size_t size = print_nothing ? 0 : truncate_at >= 0 && (size_t)truncate_at < out.size ? (size_t)truncate_at : out.size;
	for (size_t done = 0; done < size;) {
		ssize_t put = write(1, out.bytes + done, size - done);
		if (put < 0) break;
		done += (size_t)put;
	}
	record(status);
	_exit(status);
}

void unknown(const call *c, const char *why) {
	complain("simulated %s: %s:", c->tool, why);
	for (int i = 0; i < c->argc; i++) complain(" [%s]", c->argv[i]);
	complain("\n");
	int file = open(STATE "/unknown", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (file >= 0) dprintf(file, "%s: %s\n", c->tool, why);
	out.size = 0;
	finish(UNKNOWN_CALL);
}

const char *stale_file(void) {
	return stale_hook;
}

void between(void) {
	static bool done;
	if (!hook || done) return;
	done = true;
	struct stat s;
	if (stat(hook, &s) == 0 && (s.st_mode & 0111)) {
		pid_t child = fork();
		if (child == 0) {
			setenv("SIMULATED_HOOK", "1", 1);
			dup2(2, 1);
			execl("/bin/sh", "sh", hook, (char *)NULL);
			_exit(127);
		}
		waitpid(child, NULL, 0);
		return;
	}
	text bytes = {0};
	if (read_file(hook, &bytes)) write_file(STATE "/rights/system.login.console", bytes.bytes, bytes.size, 0600);
}

static void strike(const char *kind, const char *argument) {
	char *path = NULL;
	if (asprintf(&path, STATE "/hooks/%s", argument) < 0) abort();
	if (!strcmp(kind, "fail")) record(atoi(argument)), _exit(atoi(argument));
	else if (!strcmp(kind, "kill")) kill(0, SIGKILL);
	else if (!strcmp(kind, "hang")) for (;;) pause();
	else if (!strcmp(kind, "empty-output")) print_nothing = true;
	else if (!strcmp(kind, "truncate")) truncate_at = atol(argument);
	else if (!strcmp(kind, "swallow")) swallow = true;
	else if (!strcmp(kind, "late")) late = true;
	else if (!strcmp(kind, "between")) hook = path;
	else if (!strcmp(kind, "stale")) stale_hook = path;
	else unknown(current, "no such kind of fault");
}

/* Lets the faults strike that are meant for call number `count` of `name`; "" stands for all tools together. */
static void apply_faults(const char *name, uint32_t count) {
	text faults = {0};
	if (!read_file(STATE "/faults", &faults)) return;
	char *rest = faults.bytes, *line;
	while ((line = strsep(&rest, "\n"))) {
		char *selector = strsep(&line, " "), *kind = strsep(&line, " ");
		if (!kind) continue;
		char *colon = strchr(selector, ':');
		if (colon ? (!strncmp(selector, name, (size_t)(colon - selector)) && !name[colon - selector] &&
		             (uint32_t)atol(colon + 1) == count)
		          : (!*name && (uint32_t)atol(selector) == count))
			strike(kind, line ? line : "");
	}
}

static void count_call(const char *name) {
	if (getenv("SIMULATED_HOOK")) return;
	int file = open(STATE "/calls", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0) return;
	flock(file, LOCK_EX);
	counters c = {0};
	uint32_t number = 0;
	if (pread(file, &c, sizeof c, 0) < 0) c.total = 0;
	if (!*name) number = ++c.total;
	for (size_t i = 0; *name && i < sizeof c.tools / sizeof *c.tools; i++)
		if (!*c.tools[i].name || !strcmp(c.tools[i].name, name)) {
			snprintf(c.tools[i].name, sizeof c.tools[i].name, "%s", name);
			number = ++c.tools[i].count;
			break;
		}
	if (pwrite(file, &c, sizeof c, 0) < 0) number = 0;
	close(file);
	apply_faults(name, number);
}

void refine(const char *verb) {
	char name[44];
	snprintf(name, sizeof name, "%s-%s", current->tool, verb);
	count_call(name);
}

static const struct {
	const char *name;
	tool run;
} tools[] = {
	{"security", security}, {"PlistBuddy", plist_buddy}, {"plutil", plutil}, {"defaults", defaults},
	{"launchctl", launchctl}, {"codesign", codesign}, {"file", file_tool}, {"spctl", spctl},
	{"pkgutil", pkgutil}, {"sw_vers", sw_vers}, {"uname", uname_tool}, {"id", id_tool},
	{"profiles", profiles}, {"fdesetup", fdesetup}, {"logger", logger}, {"mktemp", mktemp_tool},
	{"stat", stat_tool}, {"sleep", sleep_tool}, {"date", date_tool}, {"dscl", dscl},
	{"sysadminctl", sysadminctl}, {"sysctl", sysctl_tool},
	{"curl", curl_tool}, {"shasum", shasum_tool}, {"installer", installer_tool},
};

int main(int argc, char **argv) {
	call c = {argv[0] ? argv[0] : "", argc, argv};
	const char *slash = strrchr(c.tool, '/');
	if (slash) c.tool = slash + 1;
	current = &c;
	text_add(&out, "", 0);
	count_call("");
	count_call(c.tool);
	if (swallow && strcmp(c.tool, "security") && strcmp(c.tool, "defaults")) finish(0);
	for (size_t i = 0; i < sizeof tools / sizeof *tools; i++)
		if (!strcmp(tools[i].name, c.tool)) {
			int status = tools[i].run(&c);
			finish(late && status == 0 ? 1 : status);
		}
	if (print_nothing) {
		int nowhere = open("/dev/null", O_WRONLY);
		dup2(nowhere, 1);
	}
	between();
	int status = coreutil(&c);
	finish(late && status == 0 ? 1 : status);
}
