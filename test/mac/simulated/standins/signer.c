/*
 * At which root a code signature's certificates end, read from its CMS.
 *
 * Nothing is verified: it is for requirements that name a root, as a rehearsal's do. Definite lengths only, as DER has them.
 * Sources: RFC 5652, section 5.1 (SignedData); RFC 5280, section 4.1 (Certificate); FIPS 180-4 (SHA-1).
 */
#include "seal.h"

#include <stdlib.h>
#include <string.h>

/* One element of DER: its first byte, and where its content lies. */
typedef struct {
	uint8_t tag;
	const uint8_t *start, *content, *end;
} element;

enum { SEQUENCE = 0x30, CONTEXT_0 = 0xa0 };

/* Reads the element at *at and moves behind it; false at the end, and for anything that is none. */
static bool next(const uint8_t **at, const uint8_t *end, element *e) {
	const uint8_t *p = *at;
	if (end - p < 2) return false;
	size_t size = p[1], bytes = 0;
	if (size & 0x80) {
		bytes = size & 0x7f;
		if (!bytes || bytes > 4 || (size_t)(end - p) < 2 + bytes) return false;
		size = 0;
		for (size_t i = 0; i < bytes; i++) size = size << 8 | p[2 + i];
	}
	if ((size_t)(end - p) - 2 - bytes < size) return false;
	*e = (element){p[0], p, p + 2 + bytes, p + 2 + bytes + size};
	*at = e->end;
	return true;
}

/* The n-th element (from 0) of `of`. */
static bool child(const element *of, size_t n, element *e) {
	const uint8_t *at = of->content;
	for (size_t i = 0; i <= n; i++)
		if (!next(&at, of->end, e)) return false;
	return true;
}

static uint32_t rotate(uint32_t x, int n) {
	return x << n | x >> (32 - n);
}

static void sha1_block(uint32_t h[5], const uint8_t *p) {
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
	for (int i = 0; i < 16; i++) w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
	for (int i = 16; i < 80; i++) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	for (int i = 0; i < 80; i++) {
		uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
		uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
		uint32_t t = rotate(a, 5) + f + e + k + w[i];
		e = d, d = c, c = rotate(b, 30), b = a, a = t;
	}
	h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

static char *sha1_hex(const uint8_t *bytes, size_t size) {
	uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	uint8_t last[128] = {0};
	size_t whole = size / 64 * 64, rest = size - whole, padded = rest < 56 ? 64 : 128;
	for (size_t i = 0; i < whole; i += 64) sha1_block(h, bytes + i);
	memcpy(last, bytes + whole, rest);
	last[rest] = 0x80;
	for (int i = 0; i < 8; i++) last[padded - 1 - i] = (uint8_t)((uint64_t)size * 8 >> 8 * i);
	for (size_t i = 0; i < padded; i += 64) sha1_block(h, last + i);
	text hex = {0};
	for (int i = 0; i < 5; i++) text_printf(&hex, "%08x", h[i]);
	return hex.bytes;
}

/* Issuer and subject of a root are the same bytes. */
static bool is_root(const element *certificate) {
	element tbs, version, issuer, subject;
	if (!child(certificate, 0, &tbs) || !child(&tbs, 0, &version)) return false;
	size_t first = version.tag == CONTEXT_0;
	if (!child(&tbs, first + 2, &issuer) || !child(&tbs, first + 4, &subject)) return false;
	size_t size = (size_t)(issuer.end - issuer.start);
	return size == (size_t)(subject.end - subject.start) && !memcmp(issuer.start, subject.start, size);
}

char *cms_root(const char *cms, size_t size) {
	const uint8_t *at = (const uint8_t *)cms;
	element info, wrapper, data, certificates, one;
	if (!next(&at, at + size, &info) || !child(&info, 1, &wrapper) || !child(&wrapper, 0, &data)) return NULL;
	if (!child(&data, 3, &certificates) || certificates.tag != CONTEXT_0) return NULL;
	for (at = certificates.content; next(&at, certificates.end, &one);)
		if (one.tag == SEQUENCE && is_root(&one)) return sha1_hex(one.start, (size_t)(one.end - one.start));
	return NULL;
}
