/*
 * The plain tools: those scripts call most are done here, the rest by the host's own below /.host. Either way only
 * options the Mac's tool has are let through, so that a GNU habit does not pass unseen.
 */
#include "standin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Short options of macOS that the GNU tool takes with the same meaning. A colon marks an argument, as in getopt. */
static const struct {
	const char *tool, *options;
} allowed[] = {
	{"awk", "F:v:f:"}, {"basename", ""}, {"cat", "benstuv"}, {"chgrp", "RHLPfhv"}, {"chmod", "RHLPfhv"}, {"chown", "RHLPfhv"},
	{"cksum", ""}, {"cmp", "lsxz"}, {"comm", "123i"}, {"cp", "RHLPafipv"}, {"cut", "b:c:d:f:ns"}, {"dd", ""},
	{"diff", "abiqru"}, {"dirname", ""}, {"echo", "n"}, {"env", "i"}, {"expr", ""}, {"false", ""}, {"find", ""}, {"grep", "A:B:C:EFHILcef:hilm:noqrsvwx"},
	{"head", "c:n:"}, {"kill", ""}, {"ln", "Pfinsv"}, {"ls", "1ACFLRSacdfgiklmnopqrstuxh"}, {"mkdir", "m:pv"}, {"mkfifo", "m:"}, {"mv", "finv"},
	{"readlink", "n"}, {"od", "A:N:bcdot:vx"}, {"paste", "d:s"}, {"printf", ""}, {"ps", "axo:p:"}, {"pwd", "LP"}, {"rm", "Rdfirv"}, {"rmdir", "pv"},
	{"sed", "Ee:nf:"}, {"sort", "bdfk:nrst:u"}, {"sync", ""}, {"tail", "c:n:r"}, {"tee", "ai"}, {"test", ""}, {"touch", "achmr:t:"},
	{"tr", "Ccdsu"}, {"true", ""}, {"uniq", "cdf:s:u"}, {"wc", "clmw"}, {"xargs", "0I:n:"}, {"zsh", "c:"},
};

/* Tools whose words may begin with `-` without being options. */
static bool free_words(const char *tool) {
	return !strcmp(tool, "echo") || !strcmp(tool, "expr") || !strcmp(tool, "test") || !strcmp(tool, "find") || !strcmp(tool, "printf") ||
	       !strcmp(tool, "kill") || !strcmp(tool, "dd") || !strcmp(tool, "false") || !strcmp(tool, "true");
}

static int failed(const call *c, const char *path) {
	complain("%s: %s: %s\n", c->tool, path, strerror(errno));
	return 1;
}

static int cat(const call *c, int at) {
	int status = 0;
	for (; at < c->argc; at++) {
		if (!strcmp(c->argv[at], "-")) {
			text input = read_stdin();
			text_add(&out, input.bytes, input.size);
		} else if (!read_file(c->argv[at], &out)) status = failed(c, c->argv[at]);
	}
	return status;
}

/* A path of the state `undeletable`, one a line: as with the flag uchg. */
static bool undeletable(const char *path) {
	text paths = {0};
	if (!read_file(STATE "/undeletable", &paths)) return false;
	char *rest = paths.bytes, *line;
	while ((line = strsep(&rest, "\n")))
		if (*line && !strcmp(line, path)) return true;
	return false;
}

static int remove_tree(const call *c, const char *path, bool force, bool tree) {
	struct stat s;
	if (undeletable(path)) return errno = EPERM, failed(c, path);
	forget_access(path);
	if (lstat(path, &s)) return force && errno == ENOENT ? 0 : failed(c, path);
	if (!S_ISDIR(s.st_mode)) return unlink(path) ? failed(c, path) : 0;
	if (!tree) return complain("rm: %s: is a directory\n", path), 1;
	DIR *folder = opendir(path);
	if (!folder) return failed(c, path);
	int status = 0;
	struct dirent *entry;
	while ((entry = readdir(folder))) {
		char *below = NULL;
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
		if (asprintf(&below, "%s/%s", path, entry->d_name) < 0) abort();
		status |= remove_tree(c, below, force, tree);
		free(below);
	}
	closedir(folder);
	return rmdir(path) ? failed(c, path) : status;
}

static int make_folder(const call *c, char *path, mode_t mode, bool parents, bool has_mode) {
	struct stat s;
	for (char *slash = strchr(path + 1, '/'); parents && slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(path, 0777) && errno != EEXIST) return failed(c, path);
		*slash = '/';
	}
	if (mkdir(path, 0777)) return parents && errno == EEXIST && !stat(path, &s) && S_ISDIR(s.st_mode) ? 0 : failed(c, path);
	return has_mode && chmod(path, mode) ? failed(c, path) : 0;
}

static int same_bytes(const call *c, int at, bool quiet) {
	text a = {0}, b = {0};
	if (c->argc - at != 2) unknown(c, "two files expected");
	if (!read_file(c->argv[at], &a)) return failed(c, c->argv[at]), 2;
	if (!read_file(c->argv[at + 1], &b)) return failed(c, c->argv[at + 1]), 2;
	if (a.size == b.size && !memcmp(a.bytes, b.bytes, a.size)) return 0;
	if (!quiet) text_printf(&out, "%s %s differ\n", c->argv[at], c->argv[at + 1]);
	return 1;
}

static int pass_on(const call *c) {
	static const char *const folders[] = {"/.host/bin/", "/.host/sbin/"};
	note_passed_on();
	/* `awk` is a link into /etc on Debian: name the programs it may lead to. */
	const char *const names[] = {c->tool, strcmp(c->tool, "awk") ? c->tool : "mawk", strcmp(c->tool, "awk") ? c->tool : "gawk"};
	for (size_t i = 0; i < 6; i++) {
		char path[256];
		snprintf(path, sizeof path, "%s%s", folders[i % 2], names[i / 2]);
		execv(path, c->argv);
	}
	complain("simulated %s: the host has none\n", c->tool);
	return UNKNOWN_CALL;
}

/* The octal mode in `word`, or -1: symbolic modes are left to the host's tool. */
static long octal(const char *word) {
	char *stop;
	long mode = strtol(word, &stop, 8);
	return *word && !*stop ? mode : -1;
}

/* cp of one file to one name, without a flag. */
static int plain_copy(const call *c, const bool flags[256], int at) {
	struct stat from, to;
	text bytes = {0};
	if (strcmp(c->tool, "cp") || c->argc - at != 2 || flags['R'] || flags['a'] || flags['p'] || flags['P'] || flags['f']) return -1;
	if (stat(c->argv[at], &from) || !S_ISREG(from.st_mode) || (!stat(c->argv[at + 1], &to) && !S_ISREG(to.st_mode))) return -1;
	if (!read_file(c->argv[at], &bytes)) return failed(c, c->argv[at]);
	int file = open(c->argv[at + 1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, from.st_mode & 0777);
	if (file < 0 || write(file, bytes.bytes, bytes.size) != (ssize_t)bytes.size || close(file)) return failed(c, c->argv[at + 1]);
	return 0;
}

/* Does the tool here when the call is simple enough; -1 leaves it to the host's. */
static int built_in(const call *c, bool flags[256], const char *mode, int at) {
	int status = 0;
	if (!strcmp(c->tool, "true")) return 0;
	if (!strcmp(c->tool, "false")) return 1;
	if (!strcmp(c->tool, "cat") && at < c->argc && !flags['n'] && !flags['b'] && !flags['s']) return cat(c, at);
	if (!strcmp(c->tool, "cmp") && !flags['l']) return same_bytes(c, at, flags['s']);
	if (!strcmp(c->tool, "rm") && !flags['i'] && !flags['v'] && at < c->argc) {
		for (; at < c->argc; at++) status |= remove_tree(c, c->argv[at], flags['f'], flags['r'] || flags['R']);
		return status;
	}
	if (!strcmp(c->tool, "rm") && flags['f'] && at >= c->argc) return 0;
	if (!strcmp(c->tool, "mkdir") && !flags['v'] && (!flags['m'] || octal(mode) >= 0) && at < c->argc) {
		for (; at < c->argc; at++) status |= make_folder(c, c->argv[at], (mode_t)octal(mode), flags['p'], flags['m']);
		return status;
	}
	if (!strcmp(c->tool, "rmdir") && !flags['p'] && !flags['v']) {
		for (; at < c->argc; at++)
			if (rmdir(c->argv[at])) status = failed(c, c->argv[at]);
		return status;
	}
	if (!strcmp(c->tool, "chmod") && !flags['R'] && at < c->argc && octal(c->argv[at]) >= 0) {
		for (int i = at + 1; i < c->argc; i++)
			if (chmod(c->argv[i], (mode_t)octal(c->argv[at]))) status = failed(c, c->argv[i]);
		return status;
	}
	if (!strcmp(c->tool, "mv") && c->argc - at == 2 && !flags['n'] && !flags['i']) {
		struct stat s;
		if (!stat(c->argv[at + 1], &s) && S_ISDIR(s.st_mode)) return -1;
		forget_access(c->argv[at + 1]);
		return rename(c->argv[at], c->argv[at + 1]) ? (errno == EXDEV ? -1 : failed(c, c->argv[at])) : 0;
	}
	if (!strcmp(c->tool, "readlink")) {
		char target[4096];
		ssize_t size = c->argc - at == 1 ? readlink(c->argv[at], target, sizeof target) : -1;
		if (size < 0) return 1; /* as on a Mac, without a word */
		text_add(&out, target, (size_t)size);
		if (!flags['n']) text_puts(&out, "\n");
		return 0;
	}
	if (!strcmp(c->tool, "ln") && flags['s'] && !flags['f'] && c->argc - at == 2) {
		struct stat s;
		if (!stat(c->argv[at + 1], &s) && S_ISDIR(s.st_mode)) return -1;
		return symlink(c->argv[at], c->argv[at + 1]) ? failed(c, c->argv[at + 1]) : 0;
	}
	return plain_copy(c, flags, at);
}

int coreutil(const call *c) {
	const char *options = NULL, *argument = "";
	int listed = access_control(c);
	if (listed >= 0) return listed;
	bool flags[256] = {false};
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
		if (!strcmp(allowed[i].tool, c->tool)) options = allowed[i].options;
	if (!options) unknown(c, "no such tool in the simulated Mac");
	int at = 1;
	if (free_words(c->tool)) {
		int status = built_in(c, flags, argument, at);
		return status >= 0 ? status : pass_on(c);
	}
	for (; at < c->argc && c->argv[at][0] == '-' && c->argv[at][1]; at++) {
		const char *word = c->argv[at] + 1;
		if (!strcmp(word, "-")) {
			at++;
			break;
		}
		if (*word == '-') unknown(c, "a long option: GNU only");
		if ((!strcmp(c->tool, "head") || !strcmp(c->tool, "tail")) && strspn(word, "0123456789") == strlen(word)) continue;
		for (; *word; word++) {
			const char *known = *word == ':' ? NULL : strchr(options, *word);
			if (!known) unknown(c, "option unknown to the Mac's tool, or another there than here");
			flags[(unsigned char)*word] = true;
			if (known[1] == ':') {
				argument = word[1] ? word + 1 : ++at < c->argc ? c->argv[at] : "";
				break;
			}
		}
	}
	int status = built_in(c, flags, argument, at);
	return status >= 0 ? status : pass_on(c);
}
