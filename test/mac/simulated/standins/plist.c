/* Property list values, texts, and the reader that chooses among formats. */
#include "plist.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void text_add(text *to, const char *bytes, size_t size) {
	if (to->size + size + 1 > to->room) {
		to->room = (to->size + size + 1) * 2;
		to->bytes = realloc(to->bytes, to->room);
		if (!to->bytes) abort();
	}
	if (size) memcpy(to->bytes + to->size, bytes, size);
	to->size += size;
	to->bytes[to->size] = 0;
}

void text_puts(text *to, const char *string) {
	text_add(to, string, strlen(string));
}

void text_printf(text *to, const char *format, ...) {
	char *made = NULL;
	va_list arguments;
	va_start(arguments, format);
	int size = vasprintf(&made, format, arguments);
	va_end(arguments);
	if (size < 0) abort();
	text_add(to, made, (size_t)size);
	free(made);
}

plist *plist_new(plist_type type) {
	plist *value = calloc(1, sizeof *value);
	if (!value) abort();
	value->type = type;
	return value;
}

plist *plist_bytes(plist_type type, const char *bytes, size_t size) {
	plist *value = plist_new(type);
	value->bytes = malloc(size + 1);
	if (!value->bytes) abort();
	if (size) memcpy(value->bytes, bytes, size);
	value->bytes[size] = 0;
	value->size = size;
	return value;
}

plist *plist_string(const char *string) {
	return plist_bytes(P_STRING, string, strlen(string));
}

plist *plist_integer(int64_t number) {
	plist *value = plist_new(P_INTEGER);
	value->integer = number;
	return value;
}

plist *plist_real(double number) {
	plist *value = plist_new(P_REAL);
	value->real = number;
	return value;
}

plist *plist_boolean(bool flag) {
	plist *value = plist_new(P_BOOLEAN);
	value->integer = flag;
	return value;
}

static void make_room(plist *container) {
	if (container->size < container->room) return;
	container->room = container->room ? container->room * 2 : 16;
	container->items = realloc(container->items, container->room * sizeof *container->items);
	container->keys = realloc(container->keys, container->room * sizeof *container->keys);
	if (!container->items || !container->keys) abort();
}

void plist_insert(plist *array, size_t index, plist *value) {
	make_room(array);
	memmove(array->items + index + 1, array->items + index, (array->size - index) * sizeof *array->items);
	array->items[index] = value;
	array->size++;
}

void plist_append(plist *array, plist *value) {
	plist_insert(array, array->size, value);
}

void plist_remove(plist *container, size_t index) {
	size_t behind = container->size - index - 1;
	memmove(container->items + index, container->items + index + 1, behind * sizeof *container->items);
	if (container->type == P_DICTIONARY)
		memmove(container->keys + index, container->keys + index + 1, behind * sizeof *container->keys);
	container->size--;
}

long plist_find(const plist *dictionary, const char *key, size_t size) {
	if (!dictionary || dictionary->type != P_DICTIONARY) return -1;
	for (size_t i = 0; i < dictionary->size; i++)
		if (dictionary->keys[i]->size == size && !memcmp(dictionary->keys[i]->bytes, key, size)) return (long)i;
	return -1;
}

plist *plist_get(const plist *dictionary, const char *key) {
	long index = plist_find(dictionary, key, strlen(key));
	return index < 0 ? NULL : dictionary->items[index];
}

void plist_set(plist *dictionary, const char *key, size_t size, plist *value) {
	long index = plist_find(dictionary, key, size);
	if (index >= 0) {
		dictionary->items[index] = value;
		return;
	}
	make_room(dictionary);
	dictionary->keys[dictionary->size] = plist_bytes(P_STRING, key, size);
	dictionary->items[dictionary->size++] = value;
}

bool plist_equals_string(const plist *value, const char *string) {
	return value && value->type == P_STRING && value->size == strlen(string) && !memcmp(value->bytes, string, value->size);
}

bool plist_same(const plist *a, const plist *b) {
	if (!a || !b) return a == b;
	if (a->type != b->type || a->size != b->size || a->integer != b->integer || a->real != b->real) return false;
	if (a->type == P_STRING || a->type == P_DATA) return !memcmp(a->bytes, b->bytes, a->size);
	for (size_t i = 0; i < a->size; i++) {
		const plist *other = b->items[i];
		if (a->type == P_DICTIONARY) {
			long found = plist_find(b, a->keys[i]->bytes, a->keys[i]->size);
			if (found < 0) return false;
			other = b->items[found];
		}
		if (!plist_same(a->items[i], other)) return false;
	}
	return true;
}

static const plist *sorting;

static int by_key(const void *a, const void *b) {
	const plist *x = sorting->keys[*(const size_t *)a], *y = sorting->keys[*(const size_t *)b];
	size_t shorter = x->size < y->size ? x->size : y->size;
	int order = memcmp(x->bytes, y->bytes, shorter);
	return order ? order : (x->size > y->size) - (x->size < y->size);
}

size_t *plist_sorted(const plist *dictionary) {
	size_t *order = malloc((dictionary->size + 1) * sizeof *order);
	if (!order) abort();
	for (size_t i = 0; i < dictionary->size; i++) order[i] = i;
	sorting = dictionary;
	qsort(order, dictionary->size, sizeof *order, by_key);
	return order;
}

plist *plist_parse(const char *bytes, size_t size, const char **error, const char **format) {
	const char *ignored;
	if (!error) error = &ignored;
	if (size == 0) {
		/* CF CFPropertyList.c: a zero-length document is an error, one of white space only is an empty dictionary. */
		*error = "Cannot parse a NULL or zero-length data";
		return NULL;
	}
	if (size >= 8 && !memcmp(bytes, "bplist0", 7)) {
		if (format) *format = "binary1";
		return plist_parse_binary(bytes, size, error);
	}
	plist *value = plist_parse_xml(bytes, size, error);
	if (format) *format = "xml1";
	if (value) return value;
	const char *ignored_old_style;
	value = plist_parse_old_style(bytes, size, &ignored_old_style);
	if (value && format) *format = "old-style";
	return value;
}

/* Seconds between 1970-01-01 and 2001-01-01, CFDate's origin. */
static const double CF_EPOCH = 978307200.0;

bool date_parse(const char *bytes, size_t size, double *seconds) {
	char copy[32], rest;
	if (size >= sizeof copy) return false;
	memcpy(copy, bytes, size);
	copy[size] = 0;
	struct tm t = {0};
	if (sscanf(copy, "%d-%d-%dT%d:%d:%dZ%c", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour, &t.tm_min, &t.tm_sec, &rest) != 6)
		return false;
	t.tm_year -= 1900;
	t.tm_mon -= 1;
	*seconds = (double)timegm(&t) - CF_EPOCH;
	return true;
}

void date_render(double seconds, char out[32]) {
	time_t when = (time_t)(seconds + CF_EPOCH);
	struct tm t;
	gmtime_r(&when, &t);
	strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &t);
}

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

text base64_encode(const char *bytes, size_t size) {
	text out = {0};
	text_add(&out, "", 0);
	for (size_t i = 0; i < size; i += 3) {
		uint32_t three = (uint32_t)(uint8_t)bytes[i] << 16;
		if (i + 1 < size) three |= (uint32_t)(uint8_t)bytes[i + 1] << 8;
		if (i + 2 < size) three |= (uint8_t)bytes[i + 2];
		char four[4] = {ALPHABET[three >> 18], ALPHABET[three >> 12 & 63], ALPHABET[three >> 6 & 63], ALPHABET[three & 63]};
		if (i + 1 >= size) four[2] = '=';
		if (i + 2 >= size) four[3] = '=';
		text_add(&out, four, 4);
	}
	return out;
}

bool base64_decode(const char *bytes, size_t size, text *to) {
	uint32_t bits = 0;
	int count = 0;
	text_add(to, "", 0);
	for (size_t i = 0; i < size; i++) {
		const char *place = bytes[i] ? strchr(ALPHABET, bytes[i]) : NULL;
		if (strchr(" \t\r\n=", bytes[i])) continue;
		if (!place) return false;
		bits = bits << 6 | (uint32_t)(place - ALPHABET);
		count += 6;
		if (count >= 8) {
			count -= 8;
			char byte = (char)(bits >> count);
			text_add(to, &byte, 1);
		}
	}
	return true;
}

bool utf8_valid(const char *bytes, size_t size) {
	const uint8_t *at = (const uint8_t *)bytes, *end = at + size;
	while (at < end) {
		if (*at < 0x80) {
			at++;
			continue;
		}
		int more = *at >= 0xf0 && *at < 0xf5 ? 3 : *at >= 0xe0 ? 2 : *at >= 0xc2 ? 1 : 0;
		if (!more || *at >= 0xf5 || end - at <= more) return false;
		uint32_t point = *at & (0x3f >> more);
		for (int i = 1; i <= more; i++) {
			if ((at[i] & 0xc0) != 0x80) return false;
			point = point << 6 | (at[i] & 0x3f);
		}
		if ((more == 2 && point < 0x800) || (more == 3 && point < 0x10000)) return false;
		if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return false;
		at += more + 1;
	}
	return true;
}

size_t utf8_encode(uint32_t point, char out[4]) {
	if (point < 0x80) return out[0] = (char)point, 1;
	if (point < 0x800) return out[0] = (char)(0xc0 | point >> 6), out[1] = (char)(0x80 | (point & 63)), 2;
	if (point < 0x10000)
		return out[0] = (char)(0xe0 | point >> 12), out[1] = (char)(0x80 | (point >> 6 & 63)),
		       out[2] = (char)(0x80 | (point & 63)), 3;
	return out[0] = (char)(0xf0 | point >> 18), out[1] = (char)(0x80 | (point >> 12 & 63)),
	       out[2] = (char)(0x80 | (point >> 6 & 63)), out[3] = (char)(0x80 | (point & 63)), 4;
}
