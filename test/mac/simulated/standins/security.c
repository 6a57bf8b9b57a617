/*
 * /usr/bin/security, the one command `authorizationdb`, with authd behind it.
 *
 * Sources: apple-oss-distributions/Security, SecurityTool/macOS/authz.c (command line, streams, statuses),
 * OSX/authd/{server.m,rule.c,mechanism.c,authdb.c} (what a write stores), tag Security-61901.0.87.0.1.
 */
#include "standin.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { DENIED = -60005, INTERACTION_NOT_ALLOWED = -60007, INTERNAL = -60008 };

/* main() returns -1 for every failure. */
enum { FAILED = 255 };

static bool quiet;

static int report(int status) {
	if (late && status == 0) status = INTERNAL;
	if (!quiet) complain(status ? "NO (%d)\n" : "YES (%d)\n", status);
	return status ? FAILED : 0;
}

static char *path_of(const char *folder, const char *name) {
	char *path = NULL;
	if (strchr(name, '/') || asprintf(&path, STATE "/%s/%s", folder, name) < 0) return strdup(STATE "/none");
	return path;
}

static plist *stored(const char *folder, const char *right) {
	text bytes = {0};
	return read_file(path_of(folder, right), &bytes) ? plist_parse(bytes.bytes, bytes.size, NULL, NULL) : NULL;
}

static int read_right(const char *right) {
	between();
	text told = {0}, answer = {0};
	char *exit_file = NULL;
	if (asprintf(&exit_file, STATE "/rights/%s.exit", right) < 0) abort();
	bool there = read_file(path_of("rights", right), &out) || read_file(path_of("rules", right), &out);
	if (read_file(exit_file, &told)) {
		char *words = NULL;
		long status = strtol(told.bytes, &words, 10);
		if (*words == ' ' && words[1] && !quiet) text_puts(&answer, words + 1);
		complain("%s", answer.bytes ? answer.bytes : "");
		return (int)status;
	}
	return report(there ? 0 : DENIED);
}

/*
 * Appends a mechanism as authd stores and prints it: split at `:` and `,`, empty parts dropped, only plug-in, name and
 * the word `privileged` kept. Answers 0, DENIED (no name: a database constraint fails) or INTERNAL (no plug-in: authd
 * crashes).
 */
static int add_mechanism(plist *to, const plist *given) {
	char *parts[3] = {0}, *rest, *word;
	int count = 0;
	if (given->type != P_STRING || !memchr(given->bytes, ':', given->size)) return 0;
	rest = strndup(given->bytes, given->size);
	while (count < 3 && (word = strsep(&rest, ":,")))
		if (*word) parts[count++] = word;
	if (!parts[0]) return INTERNAL;
	if (!parts[1]) return DENIED;
	text made = {0};
	text_printf(&made, "%s:%s%s", parts[0], parts[1], parts[2] && !strcasecmp(parts[2], "privileged") ? ",privileged" : "");
	plist_append(to, plist_bytes(P_STRING, made.bytes, made.size));
	return 0;
}

static void copy_key(plist *to, const plist *from, const char *key, plist_type type) {
	plist *value = plist_get(from, key);
	if (value && value->type == type) plist_set(to, key, strlen(key), value);
}

static void set(plist *to, const char *key, plist *value) {
	plist_set(to, key, strlen(key), value);
}

static double now_since_2001(void) {
	return now() - 978307200.0;
}

static int add_mechanisms(plist *right, const plist *given) {
	plist *kept = plist_new(P_ARRAY), *list = plist_get(given, "mechanisms");
	for (size_t i = 0; list && list->type == P_ARRAY && i < list->size; i++) {
		int status = add_mechanism(kept, list->items[i]);
		if (status) return status;
	}
	if (kept->size) set(right, "mechanisms", kept); /* authd prints no key for an empty list */
	return 0;
}

static int add_rules(plist *right, const plist *given) {
	plist *rules = plist_get(given, "rule"), *kept = plist_new(P_ARRAY);
	if (rules && rules->type == P_STRING) plist_append(kept, rules);
	for (size_t i = 0; rules && rules->type == P_ARRAY && i < rules->size; i++) plist_append(kept, rules->items[i]);
	for (size_t i = 0; i < kept->size; i++)
		if (kept->items[i]->type != P_STRING || access(path_of("rules", kept->items[i]->bytes), F_OK)) return DENIED;
	if (kept->size) set(right, "rule", kept);
	return 0;
}

/* The right that authd makes of `given`; *status says why there is none. */
static plist *make_right(const plist *given, const plist *before, int *status) {
	plist *right = plist_new(P_DICTIONARY), *class = plist_get(given, "class"), *value;
	const char *classes[] = {"user", "rule", "evaluate-mechanisms", "deny", "allow"}, *name = "rule";
	for (size_t i = 0; i < 5; i++)
		if (plist_equals_string(class, classes[i])) name = classes[i];
	bool user = !strcmp(name, "user"), evaluate = !strcmp(name, "evaluate-mechanisms");
	set(right, "class", plist_string(name));
	copy_key(right, given, "comment", P_STRING);
	value = plist_get(given, "version");
	set(right, "version", value && value->type == P_INTEGER ? value : plist_integer(0));
	if (user || evaluate) {
		value = plist_get(given, "tries");
		set(right, "tries", value && value->type == P_INTEGER ? value : plist_integer(10000));
		value = plist_get(given, "shared");
		set(right, "shared", value && value->type == P_BOOLEAN ? value : plist_boolean(!user));
	}
	copy_key(right, given, "extract-password", P_BOOLEAN);
	copy_key(right, given, "entitled", P_BOOLEAN);
	copy_key(right, given, "require-apple-signed", P_BOOLEAN);
	copy_key(right, given, "default-prompt", P_DICTIONARY);
	copy_key(right, given, "default-button", P_DICTIONARY);
	*status = evaluate || user ? add_mechanisms(right, given) : !strcmp(name, "rule") ? add_rules(right, given) : 0;
	plist *created = plist_get(before, "created");
	set(right, "created", created && created->type == P_REAL ? created : plist_real(now_since_2001()));
	if (before) copy_key(right, before, "identifier", P_STRING), copy_key(right, before, "requirement", P_STRING);
	else {
		set(right, "identifier", plist_string("com.apple.security")); /* the writing process; UNCERTAIN which text */
		set(right, "requirement", plist_string("identifier \"com.apple.security\" and anchor apple"));
	}
	set(right, "modified", plist_real(now_since_2001()));
	return right;
}

static bool protected_right(const char *right) {
	text bytes = {0};
	if (!strcmp(right, "com.apple.trust-settings.admin")) return true;
	if (!read_file("/Library/Preferences/com.apple.security.authorization.plist", &bytes)) return false;
	plist *list = plist_get(plist_parse(bytes.bytes, bytes.size, NULL, NULL), "protectedRights");
	for (size_t i = 0; list && list->type == P_ARRAY && i < list->size; i++)
		if (plist_equals_string(list->items[i], right)) return true;
	return false;
}

static int write_right(const char *right, const char *rule) {
	const char *error = NULL;
	plist *given = NULL;
	if (rule) {
		given = plist_new(P_DICTIONARY);
		set(given, "class", plist_string("rule"));
		set(given, "rule", plist_string(rule));
	} else {
		text input = read_stdin();
		given = plist_parse(input.bytes, input.size, &error, NULL);
		if (!given) complain("Error Domain=NSCocoaErrorDomain Code=3840 \"%s\"\n", error ? error : "Unexpected character");
		else if (given->type != P_DICTIONARY) complain("This is not a dictionary.\n"), given = NULL;
		if (!given) {
			complain("Unable to read the right definition\n");
			return FAILED;
		}
	}
	between();
	if (swallow) return report(0);
	if (geteuid() != 0) return report(INTERACTION_NOT_ALLOWED);
	if (protected_right(right)) return report(DENIED);
	if (strcmp(right, "authenticate") && !access(path_of("rules", right), F_OK)) return report(DENIED);
	int status = 0;
	plist *made = make_right(given, stored("rights", right), &status);
	if (status) return report(status);
	text bytes = {0};
	plist_render_xml(made, &bytes);
	if (write_file(path_of("rights", right), bytes.bytes, bytes.size, 0600)) return report(INTERNAL);
	char *exit_file = NULL;
	if (asprintf(&exit_file, STATE "/rights/%s.exit", right) > 0) unlink(exit_file);
	return report(0);
}

static int usage(void) {
	complain("Usage: authorizationdb read <right-name>\n       authorizationdb remove <right-name>\n"
	         "       authorizationdb write <right-name> [allow|deny|<rulename>]\n");
	return 2;
}

int security(const call *c) {
	int at = 1;
	while (at < c->argc && !strcmp(c->argv[at], "-q")) quiet = true, at++;
	if (at >= c->argc || c->argv[at][0] == '-') unknown(c, "not used by scripts of ours");
	if (strcmp(c->argv[at], "authorizationdb")) {
		if (!strcmp(c->argv[at], "nonsense")) return complain("security: unknown command \"%s\"\n", c->argv[at]), 1;
		unknown(c, "not used by scripts of ours");
	}
	char **words = c->argv + at + 1;
	int count = c->argc - at - 1;
	if (count < 1 || words[0][0] == '-' || (count > 1 && words[1][0] == '-')) return usage();
	if (!strcmp(fact("authd", "yes"), "no")) return FAILED; /* no authorization reference: wholly silent */
	refine(words[0]);
	if (count < 2) return usage();
	if (!strcmp(words[0], "read")) return count == 2 ? read_right(words[1]) : usage();
	if (!strcmp(words[0], "write")) return count <= 3 ? write_right(words[1], count == 3 ? words[2] : NULL) : usage();
	if (!strcmp(words[0], "remove")) {
		if (geteuid() != 0) return report(INTERACTION_NOT_ALLOWED);
		between();
		if (!swallow) unlink(path_of("rights", words[1]));
		return report(0);
	}
	return count == 2 ? report(DENIED) : usage();
}
