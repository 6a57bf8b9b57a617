/*
 * /usr/bin/plutil.
 *
 * Source: swiftlang/swift-corelibs-foundation, Sources/plutil (Apple's rewrite in Swift), and plutil(1). `raw`, `-type`,
 * `-expect` and `-append` exist from macOS 12: the fact `productVersion` decides.
 */
#include "standin.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const char *verb, *key_path, *format, *output, *value_type, *value_text, *expected;
static bool silent, no_newline, from_twelve;

static int problem(const char *path, const char *message) {
	complain("%s: %s\n", strcmp(path, "-") ? path : "<stdin>", message);
	return 1;
}

static int problem_at(const char *path, const char *before, const char *after) {
	char *message = NULL;
	if (asprintf(&message, "%s%s%s", before, key_path, after) < 0) abort();
	return problem(path, message);
}

static size_t split(const char *path, char *keys[64]) {
	size_t count = 0;
	while (count < 64) {
		text key = {0};
		text_add(&key, "", 0);
		for (; *path && *path != '.'; path++) {
			if (*path == '\\' && path[1] == '.') path++;
			text_add(&key, path, 1);
		}
		keys[count++] = key.bytes;
		if (!*path++) break;
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

/* Container of the last key, or NULL. */
static plist *parent_of(plist *root, char **last) {
	char *keys[64];
	size_t count = split(key_path, keys);
	plist *at = root;
	for (size_t i = 0; i + 1 < count && at; i++) at = child(at, keys[i]);
	*last = keys[count - 1];
	return at;
}

static const char *type_name(const plist *value) {
	static const char *const names[] = {"string", "integer", "float", "bool", "date", "data", "array", "dictionary"};
	return names[value->type];
}

static void render_raw(const plist *value) {
	char date[32];
	switch (value->type) {
	case P_STRING: text_add(&out, value->bytes, value->size); break;
	case P_INTEGER: text_printf(&out, "%lld", (long long)value->integer); break;
	case P_REAL: text_printf(&out, "%f", value->real); break;
	case P_BOOLEAN: text_puts(&out, value->integer ? "true" : "false"); break;
	case P_DATE: date_render(value->real, date), text_puts(&out, date); break;
	case P_DATA: out = base64_encode(value->bytes, value->size); break;
	case P_ARRAY: text_printf(&out, "%zu", value->size); break;
	case P_DICTIONARY: {
		size_t *order = plist_sorted(value);
		for (size_t i = 0; i < value->size; i++) text_printf(&out, "%s%s", i ? "\n" : "", value->keys[order[i]]->bytes);
	}
	}
	if (!no_newline) text_puts(&out, "\n");
}

static int save(const plist *value, const char *to, const char *path) {
	text bytes = {0};
	if (!strcmp(to, "binary1")) plist_render_binary(value, &bytes);
	else if (!strcmp(to, "json")) {
		if (!plist_render_json(value, &bytes)) return problem(path, "invalid object in plist for destination format");
	} else plist_render_xml(value, &bytes);
	const char *target = output ? output : path;
	if (!strcmp(target, "-")) return text_add(&out, bytes.bytes, bytes.size), 0;
	struct stat s;
	unsigned mode = stat(target, &s) == 0 ? s.st_mode & 07777 : 0644;
	return write_file(target, bytes.bytes, bytes.size, mode) ? problem(target, "The file could not be saved.") : 0;
}

static int extract(plist *root, const char *path) {
	char *last;
	plist *parent = parent_of(root, &last), *value = parent ? child(parent, last) : NULL;
	if (!value) return problem_at(path, "Could not extract value, error: No value at that key path or invalid key path: ", "");
	if (expected && strcmp(expected, type_name(value))) {
		char *message = NULL;
		if (asprintf(&message, "Value at [%s] expected to be %s but is %s", key_path, expected, type_name(value)) < 0) abort();
		return problem(path, message);
	}
	if (!strcmp(verb, "-type")) return text_printf(&out, "%s\n", type_name(value)), 0;
	if (!strcmp(format, "raw")) return render_raw(value), 0;
	return save(value, format, path);
}

static plist *given_value(void) {
	plist *date;
	const char *error;
	if (!value_type) return NULL;
	if (!strcmp(value_type, "-array")) return plist_new(P_ARRAY);
	if (!strcmp(value_type, "-dictionary")) return plist_new(P_DICTIONARY);
	if (!value_text) return NULL;
	if (!strcmp(value_type, "-string")) return plist_string(value_text);
	if (!strcmp(value_type, "-integer")) return plist_integer(strtoll(value_text, NULL, 10));
	if (!strcmp(value_type, "-float")) return plist_real(strtod(value_text, NULL));
	if (!strcmp(value_type, "-bool")) return plist_boolean(!strcasecmp(value_text, "YES") || !strcasecmp(value_text, "true"));
	if (!strcmp(value_type, "-xml")) return plist_parse_xml(value_text, strlen(value_text), &error);
	if (!strcmp(value_type, "-json")) return plist_parse_json(value_text, strlen(value_text), &error);
	date = plist_new(P_DATE);
	return !strcmp(value_type, "-date") && date_parse(value_text, strlen(value_text), &date->real) ? date : NULL;
}

/* -replace inserts as well: it does not overwrite an element of an array (insertValue in Apple's Swift source). */
static int insert(plist *root, const char *path, bool replace) {
	char *last;
	size_t index;
	plist *parent = parent_of(root, &last), *value = given_value();
	if (!value) return problem(path, "invalid object given");
	if (!parent) return problem_at(path, "No value to insert at key path ", "");
	if (parent->type == P_DICTIONARY) {
		if (!replace && plist_get(parent, last)) return problem_at(path, "Value already exists at key path ", "");
		plist_set(parent, last, strlen(last), value);
		return 0;
	}
	if (parent->type != P_ARRAY || !index_of(last, &index)) return problem_at(path, "Unable to use key path ", "");
	if (index > parent->size) {
		char *before = NULL;
		if (asprintf(&before, "Index %zu out of bounds in array at key path ", index) < 0) abort();
		return problem_at(path, before, "");
	}
	plist_insert(parent, index, value);
	return 0;
}

static int remove_value(plist *root, const char *path) {
	char *last;
	size_t index;
	plist *parent = parent_of(root, &last);
	if (!parent || !child(parent, last)) return problem_at(path, "No value to remove at key path ", "");
	if (parent->type == P_DICTIONARY) plist_remove(parent, (size_t)plist_find(parent, last, strlen(last)));
	else if (index_of(last, &index)) plist_remove(parent, index);
	return 0;
}

static int append(plist *root, const char *path) {
	char *last;
	plist *parent = parent_of(root, &last), *array = parent ? child(parent, last) : NULL, *value = given_value();
	if (!array || array->type != P_ARRAY || !value) return problem_at(path, "Could not append to array at key path ", "");
	plist_append(array, value);
	return 0;
}

static int one_file(const call *c, const char *path) {
	text bytes = {0};
	const char *error = NULL, *kind = "xml1";
	if (!strcmp(path, "-")) bytes = read_stdin();
	else if (!read_file(path, &bytes)) {
		char *message = NULL;
		if (asprintf(&message, "file does not exist or is not readable or is not a regular file") < 0) abort();
		return problem(path, message);
	}
	plist *root = plist_parse(bytes.bytes, bytes.size, &error, &kind);
	if (!strcmp(verb, "-lint")) {
		if (!root) return silent ? 1 : problem(path, error ? error : "Unexpected character");
		if (!silent) text_printf(&out, "%s: OK\n", strcmp(path, "-") ? path : "<stdin>");
		return 0;
	}
	if (!root && (root = plist_parse_json(bytes.bytes, bytes.size, &error))) kind = "json";
	if (!root) return problem(path, "Property List error: Unexpected character / JSON error: JSON text did not start with array or object");
	if (!strcmp(verb, "-p")) unknown(c, "output of -p is for eyes only");
	if (!strcmp(verb, "-convert")) return save(root, format, path);
	if (!strcmp(verb, "-extract") || !strcmp(verb, "-type")) return extract(root, path);
	int status = !strcmp(verb, "-remove") ? remove_value(root, path) : !strcmp(verb, "-append") ? append(root, path) :
		insert(root, path, !strcmp(verb, "-replace"));
	return status ? status : save(root, strcmp(kind, "old-style") ? kind : "xml1", path);
}

static bool known_format(const char *name) {
	return name && (!strcmp(name, "xml1") || !strcmp(name, "binary1") || !strcmp(name, "json") ||
	                (from_twelve && !strcmp(verb, "-extract") && !strcmp(name, "raw")));
}

static int bad_format(const char *name) {
	complain("Unknown format specifier: %s\n", name ? name : "");
	return 1;
}

int plutil(const call *c) {
	char **argv = c->argv;
	int at = 2;
	from_twelve = atoi(fact("productVersion", "15.6.1")) >= 12;
	verb = c->argc > 1 ? argv[1] : "";
	if (*verb != '-') verb = "-lint", at = 1;
	static const char *const known[] = {"-lint", "-convert", "-extract", "-insert", "-replace", "-remove", "-p", "-type", "-append"};
	bool found = false;
	for (size_t i = 0; i < (from_twelve ? 9 : 7); i++) found = found || !strcmp(known[i], verb);
	if (!found) return complain("unrecognized option: %s\n", verb), 1;
	refine(verb + 1);
	if (!strcmp(verb, "-convert")) format = at < c->argc ? argv[at++] : NULL;
	else if (strcmp(verb, "-lint") && strcmp(verb, "-p")) key_path = at < c->argc ? argv[at++] : "";
	if (!strcmp(verb, "-extract")) format = at < c->argc ? argv[at++] : NULL;
	if ((!strcmp(verb, "-convert") || !strcmp(verb, "-extract")) && !known_format(format)) return bad_format(format);
	if (!strcmp(verb, "-insert") || !strcmp(verb, "-replace") || !strcmp(verb, "-append")) {
		value_type = at < c->argc ? argv[at++] : NULL;
		if (value_type && strcmp(value_type, "-array") && strcmp(value_type, "-dictionary")) value_text = at < c->argc ? argv[at++] : NULL;
	}
	for (; at < c->argc && argv[at][0] == '-' && argv[at][1]; at++) {
		if (!strcmp(argv[at], "--")) {
			at++;
			break;
		}
		if (!strcmp(argv[at], "-s")) silent = true;
		else if (!strcmp(argv[at], "-n") && from_twelve) no_newline = true;
		else if (!strcmp(argv[at], "-o") && strcmp(verb, "-lint") && at + 1 < c->argc) output = argv[++at];
		else if (!strcmp(argv[at], "-expect") && from_twelve && at + 1 < c->argc) expected = argv[++at];
		else return complain("unrecognized option: %s\n", argv[at]), 1;
	}
	if (at >= c->argc) return complain("No files specified.\n"), 1;
	int status = 0;
	for (; at < c->argc; at++) status |= one_file(c, argv[at]);
	return status;
}
