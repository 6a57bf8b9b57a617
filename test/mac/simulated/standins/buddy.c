/*
 * /usr/libexec/PlistBuddy, non-interactive (-c) only.
 *
 * Closed source: manual page of 2007, public reports, darlinghq/darling and facebookarchive/xcbuild. UNCERTAIN, chosen
 * here: a failing command among several does not stop the others; the file is saved when any command changed it; an
 * index beyond the end of an array appends; a binary file stays binary.
 */
#include "standin.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static plist *root;
static bool changed, as_xml;

/* Splits off the next word: quotes group and vanish, a backslash keeps one character. NULL at the end. */
static char *next_word(char **rest, bool *unclosed) {
	char *from = *rest;
	while (*from == ' ') from++;
	if (!*from) return NULL;
	text word = {0};
	text_add(&word, "", 0);
	char quote = 0;
	for (; *from && (quote || *from != ' '); from++) {
		if (quote ? *from == quote : *from == '\'' || *from == '"') quote = quote ? 0 : *from;
		else if (*from == '\\' && from[1] && !quote) text_add(&word, from, 2), from++;
		else text_add(&word, from, 1);
	}
	*unclosed = quote != 0;
	*rest = from;
	return word.bytes;
}

static char *rest_of_line(char *rest) {
	while (*rest == ' ') rest++;
	size_t size = strlen(rest);
	if (size >= 2 && (*rest == '\'' || *rest == '"') && rest[size - 1] == *rest) {
		rest[size - 1] = 0;
		return rest + 1;
	}
	return rest;
}

/* Splits `:a:b` into keys; `\:` and `\ ` are part of a key. */
static size_t split_entry(const char *entry, char *keys[64]) {
	size_t count = 0;
	if (*entry == ':') entry++;
	while (count < 64) {
		text key = {0};
		text_add(&key, "", 0);
		for (; *entry && *entry != ':'; entry++) {
			if (*entry == '\\' && entry[1]) entry++;
			text_add(&key, entry, 1);
		}
		keys[count++] = key.bytes;
		if (!*entry++) break;
	}
	return count;
}

static bool index_of(const char *key, size_t *index) {
	char *stop;
	if (!isdigit((unsigned char)*key)) return false;
	*index = strtoul(key, &stop, 10);
	return !*stop;
}

static plist *child(const plist *of, const char *key) {
	size_t index;
	if (of->type == P_DICTIONARY) return plist_get(of, key);
	if (of->type == P_ARRAY && index_of(key, &index) && index < of->size) return of->items[index];
	return NULL;
}

/* The value at `entry`, its container in *parent and its last key in *last. */
static plist *lookup(const char *entry, plist **parent, char **last) {
	char *keys[64];
	size_t count = split_entry(entry, keys);
	plist *value = root;
	*parent = NULL;
	*last = keys[count - 1];
	if (count == 1 && !*keys[0]) return root;
	for (size_t i = 0; i < count && value; i++) {
		*parent = value;
		value = child(value, keys[i]);
		if (!value && i + 1 < count) *parent = NULL;
	}
	return value;
}

static void print_value(const plist *value, int depth) {
	char date[32];
	switch (value->type) {
	case P_STRING:
	case P_DATA: text_add(&out, value->bytes, value->size); break;
	case P_INTEGER: text_printf(&out, "%lld", (long long)value->integer); break;
	case P_REAL: text_printf(&out, "%f", value->real); break;
	case P_BOOLEAN: text_puts(&out, value->integer ? "true" : "false"); break;
	case P_DATE: date_render(value->real, date), text_puts(&out, date); break;
	case P_ARRAY:
	case P_DICTIONARY:
		text_puts(&out, value->type == P_ARRAY ? "Array {\n" : "Dict {\n");
		for (size_t i = 0; i < value->size; i++) {
			text_printf(&out, "%*s", 4 * (depth + 1), "");
			if (value->type == P_DICTIONARY) text_printf(&out, "%s = ", value->keys[i]->bytes);
			print_value(value->items[i], depth + 1);
			text_puts(&out, "\n");
		}
		text_printf(&out, "%*s}", 4 * depth, "");
	}
}

static bool refuse(const char *format, const char *entry) {
	complain(format, entry);
	complain("\n");
	return false;
}

static bool print(const char *entry) {
	char *last;
	plist *parent, *value = lookup(entry ? entry : "", &parent, &last);
	if (!value) return refuse("Print: Entry, \"%s\", Does Not Exist", entry);
	if (as_xml) plist_render_xml(value, &out);
	else print_value(value, 0), text_puts(&out, "\n");
	return true;
}

/* A value of the named type, or NULL when there is no such type. */
static plist *make(const char *type, const char *from) {
	plist *date;
	if (!strcasecmp(type, "string")) return plist_string(from);
	if (!strcasecmp(type, "array")) return plist_new(P_ARRAY);
	if (!strcasecmp(type, "dict")) return plist_new(P_DICTIONARY);
	if (!strcasecmp(type, "bool")) return plist_boolean(!strcasecmp(from, "true") || !strcasecmp(from, "yes") || !strcmp(from, "1"));
	if (!strcasecmp(type, "integer")) return plist_integer(strtoll(from, NULL, 10));
	if (!strcasecmp(type, "real")) return plist_real(strtod(from, NULL));
	if (!strcasecmp(type, "data")) return plist_bytes(P_DATA, from, strlen(from));
	if (strcasecmp(type, "date")) return NULL;
	date = plist_new(P_DATE);
	return date_parse(from, strlen(from), &date->real) ? date : NULL;
}

static bool add(const char *entry, const char *type, const char *from) {
	char *keys[64];
	size_t count = split_entry(entry, keys), index;
	plist *at = root, *value = type ? make(type, from) : NULL;
	if (!value) return refuse("Unrecognized Type: %s", type ? type : "");
	for (size_t i = 0; i + 1 < count; i++) {
		plist *next = child(at, keys[i]);
		if (!next) {
			/* A missing container becomes a dictionary, whatever the next key looks like (calabash/run_loop#650). */
			if (at->type != P_DICTIONARY) return refuse("Add: Can't Add Entry, \"%s\", to Parent", entry);
			next = plist_new(P_DICTIONARY);
			plist_set(at, keys[i], strlen(keys[i]), next);
		}
		at = next;
	}
	const char *last = keys[count - 1];
	if (at->type == P_DICTIONARY) {
		if (plist_get(at, last)) return refuse("Add: \"%s\" Entry Already Exists", entry);
		plist_set(at, last, strlen(last), value);
	} else if (at->type == P_ARRAY && (!*last || index_of(last, &index))) {
		plist_insert(at, *last && index < at->size ? index : at->size, value);
	} else return refuse("Add: Can't Add Entry, \"%s\", to Parent", entry);
	return changed = true;
}

static bool set(const char *entry, const char *from) {
	char *last;
	plist *parent, *value = lookup(entry, &parent, &last);
	if (!value) return refuse("Set: Entry, \"%s\", Does Not Exist", entry);
	if (value->type == P_ARRAY || value->type == P_DICTIONARY) return refuse("Set: Cannot Perform Set On Containers", entry);
	static const char *const names[] = {"string", "integer", "real", "bool", "date", "data"};
	plist *made = make(names[value->type], from);
	if (!made) return refuse("Unrecognized Date Format", entry);
	*value = *made;
	return changed = true;
}

static bool delete_entry(const char *entry) {
	char *last;
	plist *parent, *value = lookup(entry, &parent, &last);
	if (!value || !parent) return refuse("Delete: Entry, \"%s\", Does Not Exist", entry);
	for (size_t i = 0; i < parent->size; i++)
		if (parent->items[i] == value) {
			plist_remove(parent, i);
			break;
		}
	return changed = true;
}

static bool run_command(const call *c, const char *line) {
	char *rest = strdup(line);
	bool unclosed = false;
	if (strpbrk(line, "\n\r")) unknown(c, "a line break inside a command: behaviour not known");
	char *verb = next_word(&rest, &unclosed);
	if (!verb) unknown(c, "empty command");
	bool is_print = !strcasecmp(verb, "Print"), is_set = !strcasecmp(verb, "Set");
	bool is_add = !strcasecmp(verb, "Add"), is_delete = !strcasecmp(verb, "Delete");
	if (!is_print && !is_set && !is_add && !is_delete) {
		static const char *const real[] = {"Help", "Exit", "Save", "Revert", "Clear", "Copy", "Merge", "Import"};
		for (size_t i = 0; i < sizeof real / sizeof *real; i++)
			if (!strcasecmp(verb, real[i])) unknown(c, "not used by scripts of ours");
		return refuse("Unrecognized Command", verb);
	}
	refine(verb);
	char *entry = next_word(&rest, &unclosed);
	if (unclosed) return refuse("Parse Error: Unclosed Quotes", verb);
	if (is_print) return print(entry);
	if (!entry) return refuse("Missing Argument", verb);
	if (is_delete) return delete_entry(entry);
	char *type = is_add ? next_word(&rest, &unclosed) : NULL;
	char *value = strdup(rest);
	while (*value == ' ') value++;
	size_t size = strlen(value);
	char quote = *value == '\'' || *value == '"' ? *value : 0;
	/* A quote opened anywhere and not closed stops the parser; an apostrophe inside double quotes too [R]. */
	if ((quote && (size < 2 || value[size - 1] != quote)) || (!quote && strpbrk(value, "'\"")) ||
	    (quote == '"' && strchr(value, '\'')))
		return refuse("Parse Error: Unclosed Quotes", verb);
	value = rest_of_line(value);
	return is_add ? add(entry, type, value) : set(entry, value);
}

static int load(const char *path, bool *binary) {
	text bytes = {0};
	struct stat s;
	const char *format = "";
	if (lstat(path, &s) != 0) {
		text_printf(&out, "File Doesn't Exist, Will Create: %s\n", path);
		root = plist_new(P_DICTIONARY);
		return 0;
	}
	if (read_file(path, &bytes)) root = plist_parse(bytes.bytes, bytes.size, NULL, &format);
	*binary = !strcmp(format, "binary1");
	if (root) return 0;
	complain("Error Reading File: %s\n", path);
	return 1;
}

int plist_buddy(const call *c) {
	const char *commands[64], *path = NULL;
	int count = 0;
	bool binary = false, well = true;
	for (int i = 1; i < c->argc; i++) {
		if (!strcmp(c->argv[i], "-x")) as_xml = true;
		else if (!strcmp(c->argv[i], "-l")) continue;
		else if (!strcmp(c->argv[i], "-c") && i + 1 < c->argc && count < 64) commands[count++] = c->argv[++i];
		else if (*c->argv[i] == '-' || path) unknown(c, "unknown option or second file");
		else path = c->argv[i];
	}
	if (!count || !path) unknown(c, "would be interactive and read standard input");
	if (load(path, &binary)) return 1;
	between();
	for (int i = 0; i < count; i++) well = run_command(c, commands[i]) && well;
	if (changed) {
		text bytes = {0};
		struct stat s;
		if (binary) plist_render_binary(root, &bytes);
		else plist_render_xml(root, &bytes);
		unsigned mode = stat(path, &s) == 0 ? s.st_mode & 07777 : 0644;
		if (write_file(path, bytes.bytes, bytes.size, mode)) return complain("Error Opening File: %s [Permission denied]\n", path), 1;
	}
	return well ? 0 : 1;
}
