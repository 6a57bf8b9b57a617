/* codesign --verify, spctl and file(1). Sources: codesign(1); texts of Security CSCommon.h; file 5.41 as macOS ships it. */
#include "standin.h"
#include "seal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int codesign(const call *c) {
	bool verify = false;
	int verbose = 0;
	const char *requirement = NULL, *path = NULL;
	for (int i = 1; i < c->argc; i++) {
		const char *word = c->argv[i];
		if (!strcmp(word, "--verify") || !strcmp(word, "-v")) verbose += verify && word[1] == 'v', verify = true;
		else if (!strcmp(word, "-vv") || !strcmp(word, "--verbose")) verbose = 2, verify = verify || word[1] == 'v';
		else if (!strcmp(word, "--strict") || !strcmp(word, "--deep") || !strcmp(word, "--all-architectures") || !strcmp(word, "--")) continue;
		else if (!strncmp(word, "-R=", 3)) requirement = word + 2;
		else if (!strcmp(word, "-R") && i + 1 < c->argc) requirement = c->argv[++i];
		else if (!strncmp(word, "--test-requirement=", 19)) requirement = word + 19;
		else if (*word == '-' || path) unknown(c, "option not used by scripts of ours");
		else path = word;
	}
	if (!verify || !path) return complain("Usage: codesign -v[v] [path]\n"), 2;
	between();
	const char *detail = NULL, *problem = seal_problem(path, &detail);
	const char *word = fact("codesign", "");
	if (!problem && *word) problem = word; /* a verdict about trust that no file shows, e.g. CSSMERR_TP_CERT_REVOKED */
	if (problem) {
		complain("%s: %s\n", path, problem);
		if (detail) complain("file %s: %s\n", access(detail, F_OK) ? "missing" : "modified", detail);
		return 1;
	}
	const char *team = fact("team", "");
	if (requirement && *requirement != '=') unknown(c, "requirement from a file");
	if (requirement && *team && !strstr(requirement, team))
		return complain("test-requirement: code failed to satisfy specified code requirement(s)\n"), 3;
	if (verbose) complain("%s: valid on disk\n%s: satisfies its Designated Requirement\n", path, path);
	return 0;
}

int spctl(const call *c) {
	if (c->argc == 2 && !strcmp(c->argv[1], "--status")) return text_puts(&out, "assessments enabled\n"), 0;
	unknown(c, "assessments belong to release checks, not to scripts of ours");
}

int file_tool(const call *c) {
	bool brief = false;
	const char *path = NULL;
	for (int i = 1; i < c->argc; i++) {
		if (!strcmp(c->argv[i], "-b") || !strcmp(c->argv[i], "--brief")) brief = true;
		else if (!strcmp(c->argv[i], "--")) continue;
		else if (*c->argv[i] == '-' || path) unknown(c, "option or second file");
		else path = c->argv[i];
	}
	if (!path) return complain("Usage: file [-bcCdEhikLlNnprsSvzZ0] [file ...]\n"), 1;
	text bytes = {0};
	struct stat s;
	const char *said;
	/* A missing file is an answer, not a failure: exit 0 (file(1), without -E). */
	if (lstat(path, &s)) {
		text message = {0};
		text_printf(&message, "cannot open `%s' (%s)", path, strerror(errno));
		said = message.bytes;
	} else if (S_ISDIR(s.st_mode)) said = "directory";
	else if (S_ISLNK(s.st_mode)) said = "symbolic link";
	else if (S_ISFIFO(s.st_mode)) said = "fifo (named pipe)";
	else if (!s.st_size) said = "empty";
	else {
		read_file(path, &bytes);
		said = macho_description(bytes.bytes, bytes.size);
		if (!said) said = bytes.size > 1 && !memcmp(bytes.bytes, "#!", 2) ? "POSIX shell script text executable, ASCII text" : "data";
	}
	if (brief) text_printf(&out, "%s\n", said);
	else text_printf(&out, "%s: %s\n", path, said);
	return 0;
}
