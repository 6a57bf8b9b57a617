/*
 * Property lists for the stand-ins: one value type, four readers, three writers.
 *
 * Nothing is ever freed: a stand-in lives for a millisecond.
 */
#ifndef SIMULATED_PLIST_H
#define SIMULATED_PLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { P_STRING, P_INTEGER, P_REAL, P_BOOLEAN, P_DATE, P_DATA, P_ARRAY, P_DICTIONARY } plist_type;

typedef struct plist plist;
struct plist {
	plist_type type;
	char *bytes;     /* P_STRING (UTF-8, may hold NUL) and P_DATA */
	size_t size;     /* bytes in `bytes`, or elements in `items` */
	int64_t integer; /* P_INTEGER; P_BOOLEAN: 0 or 1 */
	double real;     /* P_REAL; P_DATE: seconds since 2001-01-01 UTC */
	plist **items;   /* P_ARRAY, and values of P_DICTIONARY */
	plist **keys;    /* P_DICTIONARY: strings, in the order of arrival */
	size_t room;
};

/* A growing text. */
typedef struct {
	char *bytes;
	size_t size;
	size_t room;
} text;

void text_add(text *to, const char *bytes, size_t size);
void text_puts(text *to, const char *string);
void text_printf(text *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

plist *plist_new(plist_type type);
plist *plist_bytes(plist_type type, const char *bytes, size_t size);
plist *plist_string(const char *string);
plist *plist_integer(int64_t value);
plist *plist_real(double value);
plist *plist_boolean(bool value);
void plist_insert(plist *array, size_t index, plist *value);
void plist_append(plist *array, plist *value);
void plist_remove(plist *container, size_t index);
/* Index of `key`, or -1. */
long plist_find(const plist *dictionary, const char *key, size_t size);
plist *plist_get(const plist *dictionary, const char *key);
/* Adds or replaces. */
void plist_set(plist *dictionary, const char *key, size_t size, plist *value);
bool plist_equals_string(const plist *value, const char *string);
bool plist_same(const plist *a, const plist *b);
/* Indices of the keys, sorted by their bytes as CoreFoundation's writer sorts them. */
size_t *plist_sorted(const plist *dictionary);

/* Each reader answers NULL and sets *error to a static or fresh text. */
plist *plist_parse_xml(const char *bytes, size_t size, const char **error);
plist *plist_parse_binary(const char *bytes, size_t size, const char **error);
plist *plist_parse_old_style(const char *bytes, size_t size, const char **error);
plist *plist_parse_json(const char *bytes, size_t size, const char **error);
/* What CFPropertyListCreateWithData takes: binary, then XML, then old style; never JSON. */
plist *plist_parse(const char *bytes, size_t size, const char **error, const char **format);

void plist_render_xml(const plist *value, text *to);
void plist_render_binary(const plist *value, text *to);
/* The text `defaults read` prints for a container. */
void plist_render_old_style(const plist *value, int depth, text *to);
/* Answers false where JSON has no word for a value (dates, data). */
bool plist_render_json(const plist *value, text *to);

bool utf8_valid(const char *bytes, size_t size);
size_t utf8_encode(uint32_t point, char out[4]);
/* "2026-11-24T18:00:00Z" to seconds since 2001; false when it is none. */
bool date_parse(const char *bytes, size_t size, double *seconds);
void date_render(double seconds, char out[32]);
text base64_encode(const char *bytes, size_t size);
bool base64_decode(const char *bytes, size_t size, text *to);

#endif
