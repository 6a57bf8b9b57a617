/* Tools that answer from facts, and the BSD forms of stat, mktemp, logger. Sources beside each. */
#include "standin.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* sw_vers(1). With SYSTEM_VERSION_COMPAT=1 in its environment it says 10.16. */
int sw_vers(const call *c) {
	const char *version = fact("productVersion", "15.6.1"), *build = fact("buildVersion", "24G90"), *compat = getenv("SYSTEM_VERSION_COMPAT");
	if (compat && !strcmp(compat, "1")) version = "10.16";
	if (c->argc == 1) return text_printf(&out, "ProductName:\t\tmacOS\nProductVersion:\t\t%s\nBuildVersion:\t\t%s\n", version, build), 0;
	if (c->argc != 2) unknown(c, "one option at most");
	const char *option = c->argv[1] + (!strncmp(c->argv[1], "--", 2) && atoi(version) >= 13);
	if (!strcasecmp(option, "-productName")) text_puts(&out, "macOS\n");
	else if (!strcasecmp(option, "-productVersion")) text_printf(&out, "%s\n", version);
	else if (!strcasecmp(option, "-buildVersion")) text_printf(&out, "%s\n", build);
	else unknown(c, "unknown option");
	return 0;
}

int uname_tool(const call *c) {
	const char *option = c->argc == 1 ? "-s" : c->argc == 2 ? c->argv[1] : "";
	if (!strcmp(option, "-m")) text_printf(&out, "%s\n", fact("machine", "arm64"));
	else if (!strcmp(option, "-s")) text_puts(&out, "Darwin\n");
	else if (!strcmp(option, "-r")) text_puts(&out, "24.6.0\n");
	else unknown(c, "unknown option");
	return 0;
}

int id_tool(const call *c) {
	if (c->argc != 2) unknown(c, "form not used by scripts of ours");
	if (!strcmp(c->argv[1], "-u")) text_printf(&out, "%u\n", geteuid());
	else if (!strcmp(c->argv[1], "-g")) text_printf(&out, "%u\n", getegid());
	else if (!strcmp(c->argv[1], "-un")) text_puts(&out, geteuid() ? "alex\n" : "root\n");
	else unknown(c, "form not used by scripts of ours");
	return 0;
}

/* profiles(1), macOS 11 to 15; wording of an empty list UNCERTAIN. hooks/profiles.plist is what -output stdout-xml prints. */
int profiles(const call *c) {
	const char *verb = c->argc > 1 ? c->argv[1] : "", *type = "", *output = "";
	for (int i = 2; i + 1 < c->argc; i += 2) {
		if (!strcmp(c->argv[i], "-type")) type = c->argv[i + 1];
		else if (!strcmp(c->argv[i], "-output") || !strcmp(c->argv[i], "-o")) output = c->argv[i + 1];
		else unknown(c, "unknown option");
	}
	if (c->argc % 2) unknown(c, "option without value");
	refine(verb);
	if (!strcmp(verb, "status") && !strcmp(type, "enrollment") && !*output) {
		text_printf(&out, "Enrolled via DEP: %s\nMDM enrollment: %s\n", fact("dep", "No"), fact("mdm", "No"));
		return 0;
	}
	if ((strcmp(verb, "show") && strcmp(verb, "list")) || strcmp(type, "configuration")) unknown(c, "form not known");
	text listed = {0};
	bool any = read_file(STATE "/hooks/profiles.plist", &listed);
	if (!*output && any) unknown(c, "plain text of profiles is not simulated: use -output stdout-xml");
	if (*output && strcmp(output, "stdout-xml")) unknown(c, "writes a file");
	if (any) text_add(&out, listed.bytes, listed.size);
	else if (*output) plist_render_xml(plist_new(P_DICTIONARY), &out);
	else text_puts(&out, "There are no configuration profiles installed in the system domain\n");
	return 0;
}

/* fdesetup(8): status and isactive alone. Facts filevaultText and filevaultExit overrule. */
int fdesetup(const call *c) {
	bool on = !strcmp(fact("filevault", "on"), "on");
	if (c->argc != 2) unknown(c, "only the plug-in may call this form");
	refine(c->argv[1]);
	const char *said = fact("filevaultText", on ? "FileVault is On." : "FileVault is Off.");
	if (!strcmp(c->argv[1], "status")) return text_printf(&out, "%s\n", said), atoi(fact("filevaultExit", "0"));
	if (!strcmp(c->argv[1], "isactive")) return text_puts(&out, on ? "true\n" : "false\n"), atoi(fact("isactiveExit", on ? "0" : "1"));
	unknown(c, "only the plug-in may call this form");
}

static bool in_list(const char *word, const char *const *list) {
	for (; *list; list++)
		if (!strcasecmp(*list, word)) return true;
	return false;
}

/* apple-oss-distributions/shell_cmds, logger.c: options f i p s t only; without text it reads standard input. */
int logger(const call *c) {
	static const char *const facilities[] = {"auth", "authpriv", "cron", "daemon", "ftp", "kern", "lpr", "mail", "news", "security",
		"syslog", "user", "uucp", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7", NULL};
	static const char *const levels[] = {"alert", "crit", "debug", "emerg", "err", "error", "info", "notice", "panic", "warn", "warning", NULL};
	const char *tag = "root";
	bool to_stderr = false;
	int option;
	opterr = 0;
	while ((option = getopt(c->argc, c->argv, "+f:ip:st:")) != -1) {
		if (option == 't') tag = optarg;
		else if (option == 's') to_stderr = true;
		else if (option == 'p') {
			char *priority = strdup(optarg), *dot = strchr(priority, '.');
			if (!dot) return complain("logger: unknown facility name: %s\n", priority), 1;
			*dot = 0;
			if (!in_list(priority, facilities)) return complain("logger: unknown facility name: %s\n", priority), 1;
			if (!in_list(dot + 1, levels)) return complain("logger: unknown priority name: %s\n", dot + 1), 1;
		} else if (option != 'i') return complain("usage: logger [-is] [-f file] [-p pri] [-t tag] [message ...]\n"), 1;
	}
	text line = {0};
	text_printf(&line, "%s:", tag);
	if (optind >= c->argc) {
		text input = read_stdin();
		text_printf(&line, " %s", input.bytes);
	}
	for (int i = optind; i < c->argc; i++) text_printf(&line, " %s", c->argv[i]);
	text_puts(&line, "\n");
	if (to_stderr) complain("%s", line.bytes);
	FILE *log = fopen(STATE "/syslog", "ae");
	if (log) fwrite(line.bytes, 1, line.size, log), fclose(log);
	return 0;
}

/* apple-oss-distributions/shell_cmds, mktemp.c. Without a template Darwin's own per-user folder wins over TMPDIR. */
int mktemp_tool(const call *c) {
	bool folder = false, quiet = false, plain = false;
	int option;
	opterr = 0;
	while ((option = getopt(c->argc, c->argv, "+dqt:")) != -1) {
		if (option == 'd') folder = true;
		else if (option == 'q') quiet = true;
		else if (option == 't') plain = true;
		else unknown(c, "option not used by scripts of ours");
	}
	char *template = NULL;
	if (plain || optind >= c->argc) {
		if (asprintf(&template, "/private/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T/%s.XXXXXXXX", plain ? "prefix" : "tmp") < 0) abort();
	} else template = strdup(c->argv[optind]);
	if (optind + 1 < c->argc) unknown(c, "more than one template");
	umask(077);
	const char *asked = strdup(template);
	int file = folder ? (mkdtemp(template) ? 0 : -1) : mkstemp(template);
	if (file < 0) {
		if (!quiet) complain("mktemp: %s failed on %s: %s\n", folder ? "mkdtemp" : "mkstemp", asked, strerror(errno));
		return 1;
	}
	text_printf(&out, "%s\n", template);
	return 0;
}

static const char *type_of(mode_t mode) {
	return S_ISDIR(mode) ? "Directory" : S_ISREG(mode) ? "Regular File" : S_ISLNK(mode) ? "Symbolic Link" : S_ISFIFO(mode) ? "Fifo File" :
		S_ISSOCK(mode) ? "Socket" : S_ISBLK(mode) ? "Block Device" : "Character Device";
}

static void permissions(mode_t mode) {
	static const char bits[] = "rwxrwxrwx";
	char word[11] = "?---------";
	word[0] = S_ISDIR(mode) ? 'd' : S_ISLNK(mode) ? 'l' : S_ISFIFO(mode) ? 'p' : S_ISREG(mode) ? '-' : '?';
	for (int i = 0; i < 9; i++)
		if (mode & (0400u >> i)) word[i + 1] = bits[i];
	if (mode & S_ISUID) word[3] = word[3] == 'x' ? 's' : 'S';
	if (mode & S_ISGID) word[6] = word[6] == 'x' ? 's' : 'S';
	if (mode & S_ISVTX) word[9] = word[9] == 'x' ? 't' : 'T';
	text_puts(&out, word);
}

/* One conversion of stat -f; answers the characters taken, 0 when it is not known. */
static size_t convert(const char *at, const struct stat *s, const char *path) {
	static const struct { const char *word; int what; } known[] = {
		{"%", '%'}, {"u", 'u'}, {"g", 'g'}, {"Du", 'u'}, {"Dg", 'g'}, {"Su", 'U'}, {"Sg", 'G'}, {"p", 'p'}, {"Op", 'p'}, {"Lp", 'P'},
		{"OLp", 'P'}, {"Mp", 'M'}, {"OMp", 'M'}, {"Sp", 'S'}, {"m", 'm'}, {"Dm", 'm'}, {"c", 'c'}, {"Dc", 'c'}, {"z", 'z'}, {"Dz", 'z'}, {"HT", 'T'}, {"l", 'l'},
		{"Dl", 'l'}, {"i", 'i'}, {"d", 'd'}, {"N", 'N'}, {"Sf", 'f'}, {"f", 'F'}, {"n", 'n'}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		size_t size = strlen(known[i].word);
		if (strncmp(at, known[i].word, size)) continue;
		switch (known[i].what) {
		case '%': text_puts(&out, "%"); break;
		case 'n': text_puts(&out, "\n"); break;
		case 'u': text_printf(&out, "%u", s->st_uid); break;
		case 'g': text_printf(&out, "%u", s->st_gid); break;
		case 'U': text_puts(&out, s->st_uid == 0 ? "root" : s->st_uid == 501 ? "alex" : "nobody"); break;
		case 'G': text_puts(&out, s->st_gid == 0 ? "wheel" : s->st_gid == 20 ? "staff" : "nogroup"); break;
		case 'p': text_printf(&out, "%o", s->st_mode); break;
		case 'P': text_printf(&out, "%o", s->st_mode & 0777); break;
		case 'M': text_printf(&out, "%o", s->st_mode >> 9 & 7); break;
		case 'S': permissions(s->st_mode); break;
		case 'm': text_printf(&out, "%lld", (long long)s->st_mtime); break;
		case 'c': text_printf(&out, "%lld.%09ld", (long long)s->st_ctim.tv_sec, s->st_ctim.tv_nsec); break;
		case 'z': text_printf(&out, "%lld", (long long)s->st_size); break;
		case 'T': text_puts(&out, type_of(s->st_mode)); break;
		case 'l': text_printf(&out, "%llu", (unsigned long long)s->st_nlink); break;
		case 'i': text_printf(&out, "%llu", (unsigned long long)s->st_ino); break;
		case 'd': text_printf(&out, "%llu", (unsigned long long)s->st_dev); break;
		case 'N': text_puts(&out, path); break;
		case 'f': text_puts(&out, "-"); break;
		case 'F': text_puts(&out, "0"); break;
		}
		return size;
	}
	return 0;
}

/* apple-oss-distributions/file_cmds, stat.c: lstat unless -L; -f FORMAT, -q silent, -n no line end. */
int stat_tool(const call *c) {
	bool follow = false, quiet = false, no_newline = false;
	const char *format = NULL;
	int option, status = 0;
	opterr = 0;
	while ((option = getopt(c->argc, c->argv, "+Lf:nq")) != -1) {
		if (option == 'L') follow = true;
		else if (option == 'q') quiet = true;
		else if (option == 'n') no_newline = true;
		else if (option == 'f') format = optarg;
		else unknown(c, "option not used by scripts of ours");
	}
	if (!format || optind >= c->argc) unknown(c, "form not used by scripts of ours");
	for (int i = optind; i < c->argc; i++) {
		struct stat s;
		if ((follow ? stat : lstat)(c->argv[i], &s) != 0) {
			if (!quiet) complain("stat: %s: stat: %s\n", c->argv[i], strerror(errno));
			status = 1;
			continue;
		}
		for (const char *at = format; *at; at++) {
			if (*at != '%') text_add(&out, at, 1);
			else {
				size_t taken = convert(at + 1, &s, c->argv[i]);
				if (!taken) unknown(c, "conversion of -f not known");
				at += taken;
			}
		}
		if (!no_newline) text_puts(&out, "\n");
	}
	return status;
}
