/* Old-style (OpenStep) property lists, .strings files and JSON. Source: CF, CFOldStylePList.c; RFC 8259. */
#include "plist.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
	const char *at, *end;
	const char *error;
} reader;

static plist *fail(reader *r, const char *why) {
	if (!r->error) r->error = why;
	return NULL;
}

/* Skips white space and both kinds of comments; false at the end. */
static bool skip(reader *r) {
	while (r->at < r->end) {
		if (isspace((unsigned char)*r->at)) r->at++;
		else if (r->end - r->at > 1 && !memcmp(r->at, "//", 2)) {
			while (r->at < r->end && *r->at != '\n') r->at++;
		} else if (r->end - r->at > 1 && !memcmp(r->at, "/*", 2)) {
			const char *close = memmem(r->at + 2, (size_t)(r->end - r->at) - 2, "*/", 2);
			r->at = close ? close + 2 : r->end;
		} else return true;
	}
	return false;
}

static bool bare(char c) {
	return isalnum((unsigned char)c) || (c && strchr("_$/:.-", c));
}

static plist *quoted(reader *r) {
	char quote = *r->at++;
	text out = {0};
	text_add(&out, "", 0);
	while (r->at < r->end && *r->at != quote) {
		char c = *r->at++;
		if (c == '\\' && r->at < r->end) {
			c = *r->at++;
			if (c == 'n') c = '\n';
			else if (c == 't') c = '\t';
			else if (c == 'U') {
				char encoded[4], hex[5] = {0};
				memcpy(hex, r->at, r->end - r->at < 4 ? (size_t)(r->end - r->at) : 4);
				r->at += strlen(hex);
				text_add(&out, encoded, utf8_encode((uint32_t)strtoul(hex, NULL, 16), encoded));
				continue;
			}
		}
		text_add(&out, &c, 1);
	}
	if (r->at >= r->end) return fail(r, "Unterminated quoted string");
	r->at++;
	return plist_bytes(P_STRING, out.bytes, out.size);
}

static plist *word(reader *r) {
	if (*r->at == '"' || *r->at == '\'') return quoted(r);
	const char *start = r->at;
	while (r->at < r->end && bare(*r->at)) r->at++;
	if (r->at == start) return fail(r, "Unexpected character");
	return plist_bytes(P_STRING, start, (size_t)(r->at - start));
}

static plist *value_at(reader *r);

/* Pairs up to `}`, or to the end of a .strings file. */
static plist *pairs(reader *r, bool braces) {
	plist *dictionary = plist_new(P_DICTIONARY);
	for (;;) {
		if (!skip(r)) return braces ? fail(r, "Expected terminating '}'") : dictionary;
		if (braces && *r->at == '}') return r->at++, dictionary;
		plist *key = word(r), *value = key;
		if (!key || !skip(r)) return fail(r, "Unexpected end");
		if (*r->at == '=') {
			r->at++;
			value = value_at(r);
			if (!value || !skip(r)) return fail(r, "Missing ';' on line");
		}
		if (*r->at != ';') return fail(r, "Missing ';' on line");
		r->at++;
		plist_set(dictionary, key->bytes, key->size, value);
	}
}

static plist *list(reader *r) {
	plist *array = plist_new(P_ARRAY);
	for (;;) {
		if (!skip(r)) return fail(r, "Expected terminating ')'");
		if (*r->at == ')') return r->at++, array;
		plist *item = value_at(r);
		if (!item || !skip(r)) return fail(r, "Expected ')' or ','");
		plist_append(array, item);
		if (*r->at == ',') r->at++;
		else if (*r->at != ')') return fail(r, "Expected ')' or ','");
	}
}

static plist *hex_data(reader *r) {
	text out = {0};
	text_add(&out, "", 0);
	for (r->at++; r->at < r->end && *r->at != '>';) {
		if (isspace((unsigned char)*r->at)) {
			r->at++;
			continue;
		}
		if (r->end - r->at < 2 || !isxdigit((unsigned char)r->at[0]) || !isxdigit((unsigned char)r->at[1]))
			return fail(r, "Malformed data byte group");
		char pair[3] = {r->at[0], r->at[1], 0}, byte = (char)strtoul(pair, NULL, 16);
		text_add(&out, &byte, 1);
		r->at += 2;
	}
	if (r->at >= r->end) return fail(r, "Expected terminating '>' for data");
	r->at++;
	return plist_bytes(P_DATA, out.bytes, out.size);
}

static plist *value_at(reader *r) {
	if (!skip(r)) return fail(r, "Unexpected EOF");
	if (*r->at == '{') return r->at++, pairs(r, true);
	if (*r->at == '(') return r->at++, list(r);
	if (*r->at == '<') return hex_data(r);
	return word(r);
}

plist *plist_parse_old_style(const char *bytes, size_t size, const char **error) {
	reader r = {bytes, bytes + size, NULL};
	if (!utf8_valid(bytes, size)) return *error = "Conversion of string failed", NULL;
	if (!skip(&r)) return plist_new(P_DICTIONARY);
	const char *start = r.at;
	plist *value = value_at(&r);
	if (value && skip(&r)) {
		/* Not one value alone: perhaps a .strings file. */
		value = NULL;
		if (start[0] != '{' && start[0] != '(' && start[0] != '<') {
			r.at = start;
			value = pairs(&r, false);
		} else fail(&r, "Junk after plist");
	}
	*error = r.error;
	return value;
}

static plist *json_value(reader *r);

static void json_space(reader *r) {
	while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at) r->at++;
}

static plist *json_string(reader *r) {
	text out = {0};
	text_add(&out, "", 0);
	for (r->at++; r->at < r->end && *r->at != '"';) {
		char c = *r->at++;
		if (c == '\\' && r->at < r->end) {
			static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
			c = *r->at++;
			const char *place = strchr(from, c);
			if (c == 'u' && r->end - r->at >= 4) {
				char hex[5] = {r->at[0], r->at[1], r->at[2], r->at[3], 0}, encoded[4];
				r->at += 4;
				text_add(&out, encoded, utf8_encode((uint32_t)strtoul(hex, NULL, 16), encoded));
				continue;
			}
			if (place && c) c = to[place - from];
		}
		text_add(&out, &c, 1);
	}
	if (r->at >= r->end) return fail(r, "Unterminated string");
	r->at++;
	return plist_bytes(P_STRING, out.bytes, out.size);
}

static plist *json_container(reader *r, bool object) {
	plist *value = plist_new(object ? P_DICTIONARY : P_ARRAY);
	char close = object ? '}' : ']';
	r->at++;
	json_space(r);
	if (r->at < r->end && *r->at == close) return r->at++, value;
	for (;;) {
		plist *key = NULL;
		json_space(r);
		if (object) {
			if (r->at >= r->end || *r->at != '"' || !(key = json_string(r))) return fail(r, "No string key");
			json_space(r);
			if (r->at >= r->end || *r->at++ != ':') return fail(r, "No ':'");
		}
		plist *item = json_value(r);
		if (!item) return NULL;
		if (object) plist_set(value, key->bytes, key->size, item);
		else plist_append(value, item);
		json_space(r);
		if (r->at >= r->end) return fail(r, "Unexpected end");
		if (*r->at == close) return r->at++, value;
		if (*r->at++ != ',') return fail(r, "Badly formed");
	}
}

static plist *json_value(reader *r) {
	json_space(r);
	if (r->at >= r->end) return fail(r, "Unexpected end");
	if (*r->at == '"') return json_string(r);
	if (*r->at == '{' || *r->at == '[') return json_container(r, *r->at == '{');
	if (r->end - r->at >= 4 && !memcmp(r->at, "true", 4)) return r->at += 4, plist_boolean(true);
	if (r->end - r->at >= 5 && !memcmp(r->at, "false", 5)) return r->at += 5, plist_boolean(false);
	const char *start = r->at;
	bool real = false;
	while (r->at < r->end && *r->at && strchr("+-0123456789.eE", *r->at)) real = real || strchr(".eE", *r->at), r->at++;
	if (r->at == start) return fail(r, "Badly formed");
	return real ? plist_real(strtod(start, NULL)) : plist_integer(strtoll(start, NULL, 10));
}

plist *plist_parse_json(const char *bytes, size_t size, const char **error) {
	reader r = {bytes, bytes + size, NULL};
	plist *value = json_value(&r);
	json_space(&r);
	if (value && r.at != r.end) value = fail(&r, "Garbage at end");
	*error = r.error;
	return value;
}

static void json_quote(const plist *string, text *to) {
	text_puts(to, "\"");
	for (size_t i = 0; i < string->size; i++) {
		unsigned char c = (unsigned char)string->bytes[i];
		if (c == '"' || c == '\\' || c == '/') text_printf(to, "\\%c", c);
		else if (c == '\n') text_puts(to, "\\n");
		else if (c < 0x20) text_printf(to, "\\u%04x", c);
		else text_add(to, (const char *)&c, 1);
	}
	text_puts(to, "\"");
}

bool plist_render_json(const plist *value, text *to) {
	bool fits = value->type != P_DATE && value->type != P_DATA;
	switch (value->type) {
	case P_STRING: json_quote(value, to); break;
	case P_INTEGER: text_printf(to, "%lld", (long long)value->integer); break;
	case P_REAL: text_printf(to, "%.17g", value->real); break;
	case P_BOOLEAN: text_puts(to, value->integer ? "true" : "false"); break;
	case P_DATE:
	case P_DATA: break;
	case P_ARRAY:
	case P_DICTIONARY:
		text_puts(to, value->type == P_ARRAY ? "[" : "{");
		for (size_t i = 0; i < value->size; i++) {
			if (i) text_puts(to, ",");
			if (value->type == P_DICTIONARY) json_quote(value->keys[i], to), text_puts(to, ":");
			fits = plist_render_json(value->items[i], to) && fits;
		}
		text_puts(to, value->type == P_ARRAY ? "]" : "}");
	}
	return fits;
}

/* Unquoted only where every character is a plain one, as NSString's description does. */
static void old_style_word(const plist *string, text *to) {
	bool plain = string->size > 0;
	for (size_t i = 0; i < string->size; i++)
		plain = plain && (isalnum((unsigned char)string->bytes[i]) || strchr("_$/.", string->bytes[i]));
	if (plain) {
		text_add(to, string->bytes, string->size);
		return;
	}
	text_puts(to, "\"");
	for (size_t i = 0; i < string->size; i++) {
		char c = string->bytes[i];
		if (c == '"' || c == '\\') text_printf(to, "\\%c", c);
		else if (c == '\n') text_puts(to, "\\n");
		else text_add(to, &c, 1);
	}
	text_puts(to, "\"");
}

void plist_render_old_style(const plist *value, int depth, text *to) {
	char date[32];
	switch (value->type) {
	case P_STRING: old_style_word(value, to); break;
	case P_INTEGER:
	case P_BOOLEAN: text_printf(to, "%lld", (long long)value->integer); break;
	case P_REAL: text_printf(to, "%.17g", value->real); break;
	case P_DATE: date_render(value->real, date), text_printf(to, "\"%.10s %.8s +0000\"", date, date + 11); break;
	case P_DATA: text_printf(to, "{length = %zu, bytes = 0x}", value->size); break;
	case P_ARRAY:
	case P_DICTIONARY: {
		size_t *order = value->type == P_DICTIONARY ? plist_sorted(value) : NULL;
		text_puts(to, order ? "{\n" : "(\n");
		for (size_t i = 0; i < value->size; i++) {
			text_printf(to, "%*s", 4 * (depth + 1), "");
			if (order) old_style_word(value->keys[order[i]], to), text_puts(to, " = ");
			plist_render_old_style(value->items[order ? order[i] : i], depth + 1, to);
			text_puts(to, order ? ";\n" : i + 1 < value->size ? ",\n" : "\n");
		}
		text_printf(to, "%*s%s", 4 * depth, "", order ? "}" : ")");
	}
	}
}
