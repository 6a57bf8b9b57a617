/*
 * /usr/bin/defaults: read, read-type, write, delete.
 *
 * A domain with a slash first is a path, with or without `.plist`; any other is a file in root's own folder, merged for
 * reading with /Library/Preferences and the managed values. Texts: public reports quoted in many issue trackers.
 */
#include "standin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int stamp(const char *format, const char *a, const char *b) {
	char when[32];
	time_t seconds = (time_t)now();
	strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", gmtime(&seconds));
	complain("%s.000 defaults[%d:1000] ", when, (int)getpid());
	text message = {0};
	text_printf(&message, format, a, b);
	complain("%s\n", message.bytes);
	return 1;
}

static char *file_of(const char *folder, const char *domain) {
	char *path = NULL;
	size_t size = strlen(domain);
	bool suffix = size > 6 && !strcmp(domain + size - 6, ".plist") && *domain == '/';
	if (asprintf(&path, "%s%s%s%s", *domain == '/' ? "" : folder, *domain == '/' ? "" : "/", domain, suffix ? "" : ".plist") < 0) abort();
	return path;
}

static plist *load(const char *path) {
	text bytes = {0};
	plist *value = read_file(path, &bytes) ? plist_parse(bytes.bytes, bytes.size, NULL, NULL) : NULL;
	return value && value->type == P_DICTIONARY ? value : NULL;
}

/* Lays the values of `over` on those of `under`. */
static plist *merged(plist *under, const plist *over) {
	if (!under) under = over ? plist_new(P_DICTIONARY) : NULL;
	for (size_t i = 0; over && i < over->size; i++)
		plist_set(under, over->keys[i]->bytes, over->keys[i]->size, over->items[i]);
	return under;
}

static plist *domain_values(const char *domain) {
	if (stale_file()) return load(stale_file());
	if (*domain == '/') return load(file_of("", domain));
	plist *all = merged(NULL, load(file_of("/Library/Preferences", domain)));
	all = merged(all, load(file_of("/var/root/Library/Preferences", domain)));
	return merged(all, load(file_of("/Library/Managed Preferences", domain)));
}

static void print(const plist *value) {
	char date[32];
	if (value->type == P_STRING) text_add(&out, value->bytes, value->size);
	else if (value->type == P_DATE) date_render(value->real, date), text_printf(&out, "%.10s %.8s +0000", date, date + 11);
	else plist_render_old_style(value, 0, &out);
	text_puts(&out, "\n");
}

static int read_value(const char *domain, const char *key, bool type) {
	static const char *const names[] = {"string", "integer", "float", "boolean", "date", "data", "array", "dictionary"};
	plist *all = domain_values(domain), *value = key ? plist_get(all, key) : all;
	if (!key && !all) return stamp("\nDomain %s does not exist", domain, "");
	if (!value) return stamp("\nThe domain/default pair of (%s, %s) does not exist", domain, key);
	if (type) text_printf(&out, "Type is %s\n", names[value->type]);
	else print(value);
	return 0;
}

static plist *typed(const call *c, const char *type, const char *from) {
	plist *date;
	if (!strcmp(type, "-string")) return plist_string(from);
	if (!strcmp(type, "-int") || !strcmp(type, "-integer")) return plist_integer(strtoll(from, NULL, 10));
	if (!strcmp(type, "-float")) return plist_real(strtod(from, NULL));
	if (!strcmp(type, "-bool") || !strcmp(type, "-boolean")) {
		if (!strcasecmp(from, "true") || !strcasecmp(from, "yes")) return plist_boolean(true);
		if (!strcasecmp(from, "false") || !strcasecmp(from, "no")) return plist_boolean(false);
	}
	date = plist_new(P_DATE);
	if (!strcmp(type, "-date") && date_parse(from, strlen(from), &date->real)) return date;
	unknown(c, "type or value not known");
}

static int save(const char *domain, const plist *all) {
	char *path = file_of("/var/root/Library/Preferences", domain);
	struct stat s;
	text bytes = {0};
	if (swallow) return 0;
	plist_render_binary(all, &bytes);
	/* Owner and mode of a new file are UNCERTAIN (cfprefsd): 0600 root:wheel here. */
	if (!write_file(path, bytes.bytes, bytes.size, stat(path, &s) == 0 ? s.st_mode & 0777 : 0600)) return 0;
	return stamp("Could not write domain %s; exiting", domain, "");
}

static int write_value(const call *c, char **words, int count) {
	plist *all = load(file_of("/var/root/Library/Preferences", words[0]));
	if (!all) all = plist_new(P_DICTIONARY);
	const char *key = words[1];
	plist *value = NULL;
	if (count == 3 && *words[2] != '-') value = plist_string(words[2]); /* no type: a string */
	else if (count >= 3 && (!strcmp(words[2], "-array") || !strcmp(words[2], "-array-add"))) {
		value = !strcmp(words[2], "-array-add") ? plist_get(all, key) : NULL;
		if (!value) value = plist_new(P_ARRAY);
		for (int i = 3; i < count; i++) plist_append(value, plist_string(words[i]));
	} else if (count == 4) value = typed(c, words[2], words[3]);
	else unknown(c, "unknown form of write");
	plist_set(all, key, strlen(key), value);
	return save(words[0], all);
}

int defaults(const call *c) {
	if (c->argc < 2) return complain("Command line interface to a user's defaults.\n"), 255;
	char **words = c->argv + 2;
	int count = c->argc - 2;
	const char *verb = c->argv[1];
	if (*verb == '-' || count < 1) unknown(c, "option or form not used by scripts of ours");
	refine(verb);
	between();
	if (!strcmp(verb, "read") && count <= 2) return read_value(words[0], count == 2 ? words[1] : NULL, false);
	if (!strcmp(verb, "read-type") && count == 2) return read_value(words[0], words[1], true);
	if (!strcmp(verb, "write") && count >= 3) return write_value(c, words, count);
	if (strcmp(verb, "delete") || count > 2) unknown(c, "unknown verb");
	plist *all = load(file_of("/var/root/Library/Preferences", words[0]));
	long index = count == 2 ? plist_find(all, words[1], strlen(words[1])) : -1;
	if (!all || (count == 2 && index < 0)) return stamp("\nDomain (%s) not found.\nDefaults have not been changed.", words[0], "");
	if (count == 1) return unlink(file_of("/var/root/Library/Preferences", words[0])) ? 1 : 0;
	plist_remove(all, (size_t)index);
	return save(words[0], all);
}
