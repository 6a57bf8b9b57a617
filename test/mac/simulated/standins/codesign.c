/* codesign --verify, spctl and file(1). Sources: codesign(1); texts of Security CSCommon.h; file 5.41 as macOS ships it. */
#include "standin.h"
#include "requirement.h"
#include "seal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Apple Root CA, whose certificates are in every Developer ID chain. */
static const char APPLE_ROOT[] = "611e5b662c593a08ff58d14ae22452d198df6c60";

/*
 * What the value of -R says, as codesign.cpp and cs_utils.cpp of security_systemkeychain read it: after one `=` the
 * requirement itself, else the path of a file that holds it. NULL when there is no such file.
 */
static const char *requirement_text(const call *c, const char *value) {
	text bytes = {0};
	if (*value == '=') return value + 1;
	if (!read_file(value, &bytes)) return NULL;
	if (bytes.size > 1 && (unsigned char)*bytes.bytes == 0xfa) unknown(c, "a compiled requirement");
	return bytes.bytes;
}

/* Without certificates in it, as in a sealed bundle of the tests, a signature with a team counts as Apple's chain. */
static signer signer_of_bundle(void) {
	const char *team = fact("team", sealed_by.team ? sealed_by.team : "");
	const char *root = sealed_by.ad_hoc ? NULL : sealed_by.root ? sealed_by.root : APPLE_ROOT;
	return (signer){sealed_by.identifier ? sealed_by.identifier : "", team, root, root && !strcmp(root, APPLE_ROOT)};
}

static int test_requirement(const call *c, const char *requirement) {
	signer by = signer_of_bundle();
	switch (check_requirement(requirement, &by)) {
	case MET: return 0;
	case NOT_MET: return complain("test-requirement: code failed to satisfy specified code requirement(s)\n"), 3;
	case NO_REQUIREMENT: return complain("error: invalid requirement specification\n"), 1; /* UNCERTAIN wording */
	default: unknown(c, "the requirement asks for what is not simulated");
	}
}

int codesign(const call *c) {
	static const char *const plain[] = {"--strict", "--deep", "--all-architectures", "--", NULL};
	bool verify = false;
	int verbose = 0;
	const char *requirement = NULL, *path = NULL;
	for (int i = 1; i < c->argc; i++) {
		const char *word = c->argv[i];
		bool known = false;
		for (const char *const *option = plain; *option; option++) known = known || !strcmp(word, *option);
		if (known) continue;
		if (!strcmp(word, "--verify") || !strcmp(word, "-v")) verbose += verify && word[1] == 'v', verify = true;
		else if (!strcmp(word, "-vv") || !strcmp(word, "--verbose")) verbose = 2, verify = verify || word[1] == 'v';
		else if (!strcmp(word, "-R") && i + 1 < c->argc) requirement = c->argv[++i];
		else if (!strncmp(word, "-R", 2)) requirement = word + 2; /* getopt_long: the value may follow at once */
		else if (!strncmp(word, "--test-requirement=", 19)) requirement = word + 19;
		else if (*word == '-' || path) unknown(c, "option not used by scripts of ours");
		else path = word;
	}
	if (!verify || !path) return complain("Usage: codesign -v[v] [path]\n"), 2;
	if (requirement && !(requirement = requirement_text(c, requirement))) return complain("error: No such file or directory\n"), 1;
	between();
	const char *detail = NULL, *problem = seal_problem(path, &detail);
	const char *word = fact("codesign", "");
	if (!problem && *word) problem = word; /* a verdict about trust that no file shows, e.g. CSSMERR_TP_CERT_REVOKED */
	if (problem) {
		complain("%s: %s\n", path, problem);
		if (detail) complain("file %s: %s\n", access(detail, F_OK) ? "missing" : "modified", detail);
		return 1;
	}
	int status = requirement ? test_requirement(c, requirement) : 0;
	if (verbose && !status) complain("%s: valid on disk\n%s: satisfies its Designated Requirement\n", path, path);
	return status;
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
