/*
 * Access control lists, which the host's file system does not know: chmod +a ENTRY, chmod -N, ls -lde.
 *
 * They are kept as lines PATH, tab, ENTRY. Source: chmod(1) and ls(1) of macOS, sections on ACLs; the form that ls -e prints
 * is `INDEX: ENTRY`, one a line, below each file's own line, whose mode ends in `+`.
 */
#include "standin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char LIST[] = STATE "/acls";

/* The lines of LIST but those of `path`. */
static text without(const char *path) {
	text all = {0}, kept = {0};
	size_t size = strlen(path);
	text_add(&kept, "", 0);
	if (!read_file(LIST, &all)) return kept;
	char *rest = all.bytes, *line;
	while ((line = strsep(&rest, "\n")))
		if (*line && (strncmp(line, path, size) || line[size] != '\t')) text_printf(&kept, "%s\n", line);
	return kept;
}

static int change(const call *c, const char *entry, int at) {
	struct stat s;
	int status = 0;
	for (; at < c->argc; at++) {
		if (lstat(c->argv[at], &s) || access(c->argv[at], W_OK)) {
			complain("chmod: %s: cannot be changed\n", c->argv[at]);
			status = 1;
			continue;
		}
		text lines = entry ? (text){0} : without(c->argv[at]);
		if (entry) read_file(LIST, &lines), text_printf(&lines, "%s\t%s\n", c->argv[at], entry);
		write_file(LIST, lines.bytes, lines.size, 0600);
	}
	return status;
}

static int list(const call *c, int at) {
	int status = 0;
	for (; at < c->argc; at++) {
		struct stat s;
		text all = {0};
		size_t size = strlen(c->argv[at]);
		int index = 0;
		if (lstat(c->argv[at], &s)) {
			complain("ls: %s: No such file or directory\n", c->argv[at]);
			status = 1;
			continue;
		}
		text entries = {0};
		text_add(&entries, "", 0);
		char *rest = read_file(LIST, &all) ? all.bytes : NULL, *line;
		while ((line = strsep(&rest, "\n")))
			if (!strncmp(line, c->argv[at], size) && line[size] == '\t') text_printf(&entries, " %d: %s\n", index++, line + size + 1);
		text_printf(&out, "%crw-r--r--%s 1 root  wheel  0 Nov 18 08:00 %s\n%s", S_ISDIR(s.st_mode) ? 'd' : '-', index ? "+" : "", c->argv[at], entries.bytes);
	}
	return status;
}

void forget_access(const char *path) {
	if (access(LIST, F_OK)) return;
	text lines = without(path);
	write_file(LIST, lines.bytes, lines.size, 0600);
}

int access_control(const call *c) {
	if (!strcmp(c->tool, "chmod") && c->argc > 2 && !strcmp(c->argv[1], "-N")) return change(c, NULL, 2);
	if (!strcmp(c->tool, "chmod") && c->argc > 3 && !strcmp(c->argv[1], "+a")) return change(c, c->argv[2], 3);
	if (!strcmp(c->tool, "ls") && c->argc > 2 && !strcmp(c->argv[1], "-lde")) return list(c, strcmp(c->argv[2], "--") ? 2 : 3);
	return -1;
}
