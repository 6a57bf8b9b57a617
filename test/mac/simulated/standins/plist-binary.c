/* Binary property lists, version 00. Source of the layout: apple-oss-distributions/CF, CFBinaryPList.c (head comment). */
#include "plist.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
	const uint8_t *bytes;
	size_t size;         /* of the object and offset tables: the document without its trailer */
	uint8_t offset_size; /* bytes of one offset */
	uint8_t reference_size;
	uint64_t count;
	uint64_t offsets; /* where the offset table begins */
	int depth;
} document;

static bool number_at(const document *d, uint64_t at, uint8_t size, uint64_t *value) {
	if (at > d->size || size > d->size - at) return false;
	*value = 0;
	for (uint8_t i = 0; i < size; i++) *value = *value << 8 | d->bytes[at + i];
	return true;
}

/* Reads the count of an object whose marker is at *at; leaves *at behind it. */
static bool count_at(const document *d, uint64_t *at, uint64_t *count) {
	uint64_t marker, width;
	if (!number_at(d, *at, 1, &marker)) return false;
	*at += 1;
	*count = marker & 15;
	if (*count != 15) return true;
	if (!number_at(d, *at, 1, &width) || width >> 4 != 1) return false;
	uint8_t size = (uint8_t)(1 << (width & 15));
	if (size > 8 || !number_at(d, *at + 1, size, count)) return false;
	*at += 1 + size;
	return *count <= d->size;
}

static plist *read_object(document *d, uint64_t reference);

static plist *read_container(document *d, uint64_t at, bool dictionary) {
	uint64_t count, reference;
	if (!count_at(d, &at, &count)) return NULL;
	plist *value = plist_new(dictionary ? P_DICTIONARY : P_ARRAY);
	for (uint64_t i = 0; i < count; i++) {
		plist *key = NULL;
		if (dictionary) {
			if (!number_at(d, at + i * d->reference_size, d->reference_size, &reference)) return NULL;
			key = read_object(d, reference);
			if (!key || key->type != P_STRING) return NULL;
		}
		uint64_t place = at + (i + (dictionary ? count : 0)) * d->reference_size;
		if (!number_at(d, place, d->reference_size, &reference)) return NULL;
		plist *item = read_object(d, reference);
		if (!item) return NULL;
		if (dictionary) plist_set(value, key->bytes, key->size, item);
		else plist_append(value, item);
	}
	return value;
}

static plist *read_utf16(document *d, uint64_t at, uint64_t count) {
	text out = {0};
	text_add(&out, "", 0);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t unit, low;
		char encoded[4];
		if (!number_at(d, at + 2 * i, 2, &unit)) return NULL;
		if (unit >= 0xd800 && unit < 0xdc00 && i + 1 < count && number_at(d, at + 2 * i + 2, 2, &low)) {
			unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
			i++;
		}
		text_add(&out, encoded, utf8_encode((uint32_t)unit, encoded));
	}
	return plist_bytes(P_STRING, out.bytes, out.size);
}

static plist *read_object(document *d, uint64_t reference) {
	uint64_t at, marker, raw = 0, count;
	if (reference >= d->count || ++d->depth > 64) return NULL;
	if (!number_at(d, d->offsets + reference * d->offset_size, d->offset_size, &at)) return NULL;
	if (at >= d->offsets || !number_at(d, at, 1, &marker)) return NULL;
	plist *value = NULL;
	double real;
	float single;
	switch (marker >> 4) {
	case 0: value = marker == 8 || marker == 9 ? plist_boolean(marker == 9) : NULL; break;
	case 1:
		if ((marker & 15) > 4 || !number_at(d, at + 1, (uint8_t)(1 << (marker & 15)), &raw)) break;
		value = plist_integer((int64_t)raw);
		break;
	case 2:
	case 3:
		if (!number_at(d, at + 1, (marker & 15) == 2 ? 4 : 8, &raw)) break;
		memcpy(&real, &raw, 8);
		if ((marker & 15) == 2) {
			uint32_t bits = (uint32_t)raw;
			memcpy(&single, &bits, 4);
			real = (double)single;
		}
		value = plist_real(real);
		if (marker >> 4 == 3) value->type = P_DATE;
		break;
	case 4:
	case 5:
		if (!count_at(d, &at, &count) || count > d->offsets - at) break;
		value = plist_bytes(marker >> 4 == 4 ? P_DATA : P_STRING, (const char *)d->bytes + at, count);
		break;
	case 6:
		if (count_at(d, &at, &count)) value = read_utf16(d, at, count);
		break;
	case 10: value = read_container(d, at, false); break;
	case 13: value = read_container(d, at, true); break;
	}
	d->depth--;
	return value;
}

plist *plist_parse_binary(const char *bytes, size_t size, const char **error) {
	document d = {(const uint8_t *)bytes, size, 0, 0, 0, 0, 0};
	uint64_t top;
	*error = "Property list is corrupt or truncated (binary)";
	if (size < 40) return NULL;
	const uint8_t *trailer = d.bytes + size - 32;
	d.offset_size = trailer[6];
	d.reference_size = trailer[7];
	if (!number_at(&d, size - 24, 8, &d.count) || !number_at(&d, size - 16, 8, &top)) return NULL;
	if (!number_at(&d, size - 8, 8, &d.offsets)) return NULL;
	d.size = size - 32;
	if (!d.offset_size || d.offset_size > 8 || !d.reference_size || d.reference_size > 8) return NULL;
	if (d.count > d.size || d.offsets > d.size || d.count * d.offset_size != d.size - d.offsets) return NULL;
	return read_object(&d, top);
}

typedef struct {
	const plist **objects;
	size_t count, room;
} flat;

static size_t flatten(flat *f, const plist *value) {
	if (f->count == f->room) {
		f->room = f->room ? f->room * 2 : 64;
		f->objects = realloc(f->objects, f->room * sizeof *f->objects);
		if (!f->objects) abort();
	}
	size_t own = f->count++;
	f->objects[own] = value;
	return own;
}

static void put_number(text *to, uint64_t value, int size) {
	for (int i = size - 1; i >= 0; i--) {
		char byte = (char)(value >> (8 * i));
		text_add(to, &byte, 1);
	}
}

static void put_marker(text *to, int kind, uint64_t count) {
	put_number(to, (uint64_t)kind << 4 | (count < 15 ? count : 15), 1);
	if (count >= 15) put_number(to, 0x12, 1), put_number(to, count, 4);
}

static void put_string(text *to, const plist *value) {
	bool ascii = true;
	for (size_t i = 0; i < value->size; i++) ascii = ascii && (uint8_t)value->bytes[i] < 0x80;
	if (ascii) {
		put_marker(to, 5, value->size);
		text_add(to, value->bytes, value->size);
		return;
	}
	text units = {0};
	for (size_t i = 0; i < value->size;) {
		uint8_t first = (uint8_t)value->bytes[i];
		int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
		uint32_t point = more ? first & (0x3f >> more) : first;
		for (int k = 1; k <= more; k++) point = point << 6 | ((uint8_t)value->bytes[i + (size_t)k] & 63);
		i += (size_t)more + 1;
		if (point >= 0x10000) {
			put_number(&units, 0xd800 + ((point - 0x10000) >> 10), 2);
			point = 0xdc00 + ((point - 0x10000) & 0x3ff);
		}
		put_number(&units, point, 2);
	}
	put_marker(to, 6, units.size / 2);
	text_add(to, units.bytes, units.size);
}

static void put_object(text *to, flat *f, const plist *value) {
	uint64_t bits;
	memcpy(&bits, &value->real, 8);
	switch (value->type) {
	case P_STRING: put_string(to, value); break;
	case P_INTEGER: put_number(to, 0x13, 1), put_number(to, (uint64_t)value->integer, 8); break;
	case P_REAL: put_number(to, 0x23, 1), put_number(to, bits, 8); break;
	case P_DATE: put_number(to, 0x33, 1), put_number(to, bits, 8); break;
	case P_BOOLEAN: put_number(to, value->integer ? 9 : 8, 1); break;
	case P_DATA: put_marker(to, 4, value->size), text_add(to, value->bytes, value->size); break;
	case P_ARRAY:
		put_marker(to, 10, value->size);
		for (size_t i = 0; i < value->size; i++) put_number(to, flatten(f, value->items[i]), 2);
		break;
	case P_DICTIONARY:
		put_marker(to, 13, value->size);
		for (size_t i = 0; i < value->size; i++) put_number(to, flatten(f, value->keys[i]), 2);
		for (size_t i = 0; i < value->size; i++) put_number(to, flatten(f, value->items[i]), 2);
	}
}

void plist_render_binary(const plist *value, text *to) {
	flat f = {0};
	text out = {0}, offsets = {0};
	text_puts(&out, "bplist00");
	flatten(&f, value);
	for (size_t i = 0; i < f.count; i++) {
		put_number(&offsets, out.size, 4);
		put_object(&out, &f, f.objects[i]);
	}
	uint64_t table = out.size;
	text_add(&out, offsets.bytes, offsets.size);
	put_number(&out, 0, 6), put_number(&out, 4, 1), put_number(&out, 2, 1);
	put_number(&out, f.count, 8), put_number(&out, 0, 8), put_number(&out, table, 8);
	text_add(to, out.bytes, out.size);
}
