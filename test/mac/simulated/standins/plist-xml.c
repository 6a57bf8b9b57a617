/*
 * XML property lists as CoreFoundation reads and writes them.
 *
 * Source: apple-oss-distributions/CF, CFPropertyList.c (parseXMLPropertyList and friends). Kept from it: text after the
 * first root element is ignored, text before it is refused; only the five XML entities and numeric ones are known;
 * comments may stand between elements but not inside a string; the last of two equal keys wins.
 */
#include "plist.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	const char *at, *end, *begin;
	const char *error;
} reader;

static plist *fail(reader *r, const char *why) {
	if (!r->error) {
		int line = 1;
		for (const char *p = r->begin; p < r->at && p < r->end; p++) line += *p == '\n';
		char *made = NULL;
		if (asprintf(&made, "%s on line %d", why, line) < 0) abort();
		r->error = made;
	}
	return NULL;
}

static bool starts(const reader *r, const char *word) {
	size_t size = strlen(word);
	return (size_t)(r->end - r->at) >= size && !memcmp(r->at, word, size);
}

static const char *find(const reader *r, const char *word) {
	return r->at < r->end ? memmem(r->at, (size_t)(r->end - r->at), word, strlen(word)) : NULL;
}

static void skip_space(reader *r) {
	while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at) r->at++;
}

/* Skips white space, comments, processing instructions and the DOCTYPE with its inline part. */
static bool skip_misc(reader *r) {
	for (;;) {
		skip_space(r);
		const char *close = NULL;
		size_t extra = 0;
		if (starts(r, "<!--")) close = find(r, "-->"), extra = 3;
		else if (starts(r, "<?")) close = find(r, "?>"), extra = 2;
		else if (starts(r, "<!DOCTYPE")) {
			const char *inline_part = find(r, "["), *end = find(r, ">");
			if (inline_part && end && inline_part < end) close = find(r, "]>"), extra = 2;
			else close = end, extra = 1;
		} else return true;
		if (!close) return r->at = r->end, fail(r, "Encountered unexpected EOF"), false;
		r->at = close + extra;
	}
}

static bool add_entity(reader *r, text *to) {
	static const struct { const char *name, *value; } known[] = {
		{"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}, {"&apos;", "'"}, {"&quot;", "\""}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (starts(r, known[i].name)) {
			r->at += strlen(known[i].name);
			text_puts(to, known[i].value);
			return true;
		}
	if (starts(r, "&#")) {
		bool hex = r->end - r->at > 2 && r->at[2] == 'x';
		char *stop;
		unsigned long point = strtoul(r->at + (hex ? 3 : 2), &stop, hex ? 16 : 10);
		char encoded[4];
		if (*stop == ';' && point <= 0x10ffff) {
			text_add(to, encoded, utf8_encode((uint32_t)point, encoded));
			r->at = stop + 1;
			return true;
		}
	}
	fail(r, "Encountered unknown ampersand-escape sequence");
	return false;
}

/* Text up to the next tag, entities resolved. */
static bool read_text(reader *r, text *to) {
	text_add(to, "", 0);
	while (r->at < r->end) {
		if (starts(r, "<![CDATA[")) {
			const char *close = find(r, "]]>");
			if (!close) return fail(r, "Encountered unexpected EOF"), false;
			text_add(to, r->at + 9, (size_t)(close - r->at) - 9);
			r->at = close + 3;
		} else if (*r->at == '<') {
			if (utf8_valid(to->bytes, to->size)) return true;
			return fail(r, "Unable to convert string to correct encoding"), false;
		} else if (*r->at == '&') {
			if (!add_entity(r, to)) return false;
		} else text_add(to, r->at++, 1);
	}
	return fail(r, "Encountered unexpected EOF"), false;
}

static bool read_close(reader *r, const char *name, size_t size) {
	if (!starts(r, "</") || (size_t)(r->end - r->at) < size + 3 || memcmp(r->at + 2, name, size))
		return fail(r, "Close tag does not match open tag"), false;
	r->at += size + 2;
	skip_space(r);
	if (r->at >= r->end || *r->at != '>') return fail(r, "Encountered unexpected character"), false;
	r->at++;
	return true;
}

static plist *read_element(reader *r);

static plist *read_array(reader *r) {
	plist *array = plist_new(P_ARRAY);
	for (;;) {
		if (!skip_misc(r)) return NULL;
		if (starts(r, "</")) return read_close(r, "array", 5) ? array : NULL;
		plist *item = read_element(r);
		if (!item) return NULL;
		plist_append(array, item);
	}
}

static plist *read_dictionary(reader *r) {
	plist *dictionary = plist_new(P_DICTIONARY);
	for (;;) {
		if (!skip_misc(r)) return NULL;
		if (starts(r, "</")) return read_close(r, "dict", 4) ? dictionary : NULL;
		text key = {0};
		if (!starts(r, "<key>") && !starts(r, "<key/>")) return fail(r, "Found non-key inside <dict>");
		bool empty = starts(r, "<key/>");
		r->at += empty ? 6 : 5;
		if (!empty && (!read_text(r, &key) || !read_close(r, "key", 3))) return NULL;
		if (!skip_misc(r)) return NULL;
		if (starts(r, "</")) return fail(r, "Value missing for key inside <dict>");
		plist *value = read_element(r);
		if (!value) return NULL;
		plist_set(dictionary, key.size ? key.bytes : "", key.size, value);
	}
}

static plist *number(reader *r, const text *from, bool integer) {
	char *stop;
	const char *start = from->bytes;
	while (isspace((unsigned char)*start)) start++;
	if (integer) {
		bool hex = strstr(start, "0x") || strstr(start, "0X");
		int64_t value = strtoll(start, &stop, hex ? 16 : 10);
		if (stop == start || *stop) return fail(r, "Encountered unknown character in <integer>");
		return plist_integer(value);
	}
	double value = strtod(start, &stop);
	if (stop == start || *stop) return fail(r, "Encountered misformatted real");
	return plist_real(value);
}

static plist *leaf(reader *r, const char *name, size_t size) {
	text content = {0};
	if (!read_text(r, &content) || !read_close(r, name, size)) return NULL;
	if (size == 6 && !memcmp(name, "string", 6)) return plist_bytes(P_STRING, content.bytes, content.size);
	if (size == 7 && !memcmp(name, "integer", 7)) return number(r, &content, true);
	if (size == 4 && !memcmp(name, "real", 4)) return number(r, &content, false);
	if (size == 4 && !memcmp(name, "date", 4)) {
		plist *date = plist_new(P_DATE);
		return date_parse(content.bytes, content.size, &date->real) ? date : fail(r, "Could not interpret <date>");
	}
	if (size == 4 && !memcmp(name, "data", 4)) {
		text decoded = {0};
		if (!base64_decode(content.bytes, content.size, &decoded)) return fail(r, "Could not interpret <data>");
		return plist_bytes(P_DATA, decoded.bytes, decoded.size);
	}
	return fail(r, "Encountered unknown tag");
}

static plist *empty_element(reader *r, const char *name, size_t size) {
	if (size == 4 && !memcmp(name, "true", 4)) return plist_boolean(true);
	if (size == 5 && !memcmp(name, "false", 5)) return plist_boolean(false);
	if (size == 5 && !memcmp(name, "array", 5)) return plist_new(P_ARRAY);
	if (size == 4 && !memcmp(name, "dict", 4)) return plist_new(P_DICTIONARY);
	if (size == 6 && !memcmp(name, "string", 6)) return plist_string("");
	if (size == 4 && !memcmp(name, "data", 4)) return plist_bytes(P_DATA, "", 0);
	return fail(r, "Encountered empty or unknown tag");
}

/* Reads one element; the reader stands at its `<`. */
static plist *read_element(reader *r) {
	if (r->at >= r->end) return fail(r, "Encountered unexpected EOF");
	if (*r->at != '<') return fail(r, "Encountered unexpected character");
	const char *name = ++r->at;
	while (r->at < r->end && isalpha((unsigned char)*r->at)) r->at++;
	size_t size = (size_t)(r->at - name);
	while (r->at < r->end && *r->at != '>' && *r->at != '/') r->at++;
	if (r->at >= r->end) return fail(r, "Encountered unexpected EOF");
	if (*r->at == '/') {
		r->at++;
		if (r->at >= r->end || *r->at != '>') return fail(r, "Encountered unexpected character");
		r->at++;
		return empty_element(r, name, size);
	}
	r->at++;
	if (size == 5 && !memcmp(name, "array", 5)) return read_array(r);
	if (size == 4 && !memcmp(name, "dict", 4)) return read_dictionary(r);
	if ((size == 4 && !memcmp(name, "true", 4)) || (size == 5 && !memcmp(name, "false", 5))) {
		skip_space(r);
		return read_close(r, name, size) ? plist_boolean(size == 4) : NULL;
	}
	return leaf(r, name, size);
}

plist *plist_parse_xml(const char *bytes, size_t size, const char **error) {
	reader r = {bytes, bytes + size, bytes, NULL};
	if (size >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3)) r.at += 3;
	plist *root = NULL;
	if (skip_misc(&r)) {
		if (starts(&r, "<plist")) {
			while (r.at < r.end && *r.at != '>') r.at++;
			if (r.at < r.end) r.at++;
			if (skip_misc(&r)) root = read_element(&r);
			if (root && (!skip_misc(&r) || !read_close(&r, "plist", 5))) root = NULL;
		} else root = read_element(&r);
	}
	*error = r.error;
	return root;
}

static void indent(text *to, int depth) {
	for (int i = 0; i < depth; i++) text_puts(to, "\t");
}

/* CF escapes these three and nothing else. */
static void escaped(text *to, const plist *string) {
	for (size_t i = 0; i < string->size; i++) {
		char c = string->bytes[i];
		if (c == '<') text_puts(to, "&lt;");
		else if (c == '>') text_puts(to, "&gt;");
		else if (c == '&') text_puts(to, "&amp;");
		else text_add(to, &c, 1);
	}
}

static void render_data(const plist *value, int depth, text *to) {
	/* CF breaks base64 so that a line, its tabs counted as eight, stays within 76 columns. */
	text encoded = base64_encode(value->bytes, value->size);
	size_t width = depth < 8 ? (size_t)(76 - depth * 8) / 4 * 4 : 4;
	text_puts(to, "<data>\n");
	for (size_t i = 0; i < encoded.size; i += width) {
		indent(to, depth);
		text_add(to, encoded.bytes + i, encoded.size - i < width ? encoded.size - i : width);
		text_puts(to, "\n");
	}
	indent(to, depth);
	text_puts(to, "</data>\n");
}

static void render_real(double value, text *to) {
	if (isnan(value)) text_puts(to, "<real>nan</real>\n");
	else if (isinf(value)) text_puts(to, value > 0 ? "<real>+infinity</real>\n" : "<real>-infinity</real>\n");
	else if (value == 0.0) text_puts(to, "<real>0.0</real>\n");
	else text_printf(to, "<real>%.17g</real>\n", value);
}

static void render(const plist *value, int depth, text *to) {
	char date[32];
	indent(to, depth);
	switch (value->type) {
	case P_STRING: text_puts(to, "<string>"), escaped(to, value), text_puts(to, "</string>\n"); break;
	case P_INTEGER: text_printf(to, "<integer>%lld</integer>\n", (long long)value->integer); break;
	case P_REAL: render_real(value->real, to); break;
	case P_BOOLEAN: text_puts(to, value->integer ? "<true/>\n" : "<false/>\n"); break;
	case P_DATE: date_render(value->real, date), text_printf(to, "<date>%s</date>\n", date); break;
	case P_DATA: render_data(value, depth, to); break;
	case P_ARRAY:
		if (!value->size) {
			text_puts(to, "<array/>\n");
			break;
		}
		text_puts(to, "<array>\n");
		for (size_t i = 0; i < value->size; i++) render(value->items[i], depth + 1, to);
		indent(to, depth), text_puts(to, "</array>\n");
		break;
	case P_DICTIONARY: {
		if (!value->size) {
			text_puts(to, "<dict/>\n");
			break;
		}
		size_t *order = plist_sorted(value);
		text_puts(to, "<dict>\n");
		for (size_t i = 0; i < value->size; i++) {
			indent(to, depth + 1), text_puts(to, "<key>");
			escaped(to, value->keys[order[i]]), text_puts(to, "</key>\n");
			render(value->items[order[i]], depth + 1, to);
		}
		indent(to, depth), text_puts(to, "</dict>\n");
	}
	}
}

void plist_render_xml(const plist *value, text *to) {
	text_puts(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	              "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
	              "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
	              "<plist version=\"1.0\">\n");
	render(value, 0, to);
	text_puts(to, "</plist>\n");
}
