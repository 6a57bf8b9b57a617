/*
 * See requirement.h. The language of requirements.grammar (Security, OSX/libsecurity_codesigning), read by recursive descent;
 * src/code-signature/requirement/grammar.ts is the same in TypeScript, and test/mac/requirement.test.ts holds both together.
 */
#include "requirement.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

typedef enum { WORD, STRING, INTEGER, HASH, HEX, SIGN, END, BAD } kind;

typedef struct {
	kind kind;
	char *text;
	const char *behind;
} token;

typedef struct {
	token next;
	const signer *of;
	bool bad;
} reader;

static const char *const keywords[] = {"absent", "always", "anchor", "and", "apple", "cdhash", "cert", "certificate", "designated",
	"entitlement", "exists", "false", "generic", "guest", "host", "identifier", "info", "leaf", "legacy", "library", "never", "notarized",
	"or", "platform", "plugin", "root", "timestamp", "true", "trusted", NULL};

static const char *skip_fluff(const char *at) {
	for (;;) {
		if (*at && strchr(" \t\r\n", *at)) at++;
		else if (*at == '#' || !strncmp(at, "//", 2)) at += strcspn(at, "\n");
		else if (!strncmp(at, "/*", 2) && strstr(at + 2, "*/")) at = strstr(at + 2, "*/") + 2;
		else return at;
	}
}

static token make(kind k, const char *text, size_t size, const char *behind) {
	return (token){k, strndup(text, size), behind};
}

/* A string in quotes, in which a backslash may only stand before a quote. */
static token read_string(const char *at) {
	text value = {0};
	text_add(&value, "", 0);
	for (at++; *at && *at != '"'; at++) {
		if (*at == '\\' && *++at != '"') return make(BAD, "", 0, at);
		text_add(&value, at, 1);
	}
	return *at ? make(STRING, value.bytes, value.size, at + 1) : make(BAD, "", 0, at);
}

static token read_word(const char *at) {
	const char *end = at;
	while (isalnum((unsigned char)*end)) end++;
	while (*end == '.' && isalnum((unsigned char)end[1])) {
		bool digits = isdigit((unsigned char)end[1]);
		end++;
		while (digits ? isdigit((unsigned char)*end) : isalnum((unsigned char)*end)) end++;
	}
	return make(WORD, at, (size_t)(end - at), end);
}

static token read_token(const char *at) {
	static const char hexadecimal[] = "0123456789abcdefABCDEF";
	at = skip_fluff(at);
	if (!*at) return make(END, "", 0, at);
	if (!strncmp(at, "H\"", 2)) {
		size_t digits = strspn(at + 2, hexadecimal);
		if (at[2 + digits] == '"') return make(HASH, at + 2, digits, at + 3 + digits);
	}
	if (!strncmp(at, "0x", 2) && strspn(at + 2, hexadecimal)) return make(HEX, at + 2, strspn(at + 2, hexadecimal), at + 2 + strspn(at + 2, hexadecimal));
	if (isalpha((unsigned char)*at)) return read_word(at);
	if (isdigit((unsigned char)*at)) return make(INTEGER, at, strspn(at, "0123456789"), at + strspn(at, "0123456789"));
	if (*at == '"') return read_string(at);
	if (!strncmp(at, "==", 2) || !strncmp(at, "<=", 2) || !strncmp(at, ">=", 2)) return make(SIGN, at, 2, at + 2);
	return strchr("=()[]!~<>*;-", *at) ? make(SIGN, at, 1, at + 1) : make(BAD, "", 0, at);
}

static void advance(reader *r) {
	r->next = read_token(r->next.behind);
}

static bool is(const reader *r, const char *word) {
	return (r->next.kind == SIGN || r->next.kind == WORD) && !strcmp(r->next.text, word);
}

static bool takes(reader *r, const char *word) {
	if (!is(r, word)) return false;
	advance(r);
	return true;
}

static void require(reader *r, const char *sign) {
	if (!takes(r, sign)) r->bad = true;
}

static const char *take(reader *r, kind k) {
	const char *found = r->next.text;
	if (r->next.kind != k) return r->bad = true, "";
	advance(r);
	return found;
}

static bool has_name(const reader *r) {
	if (r->next.kind != WORD) return r->next.kind == STRING;
	for (const char *const *word = keywords; *word; word++)
		if (!strcmp(*word, r->next.text)) return false;
	return true;
}

static const char *name(reader *r) {
	return has_name(r) ? take(r, r->next.kind) : take(r, STRING);
}

static void equals(reader *r) {
	if (!takes(r, "=")) takes(r, "==");
}

static const char *hash(reader *r) {
	char *digits = (char *)take(r, HASH);
	if (strlen(digits) != 40) r->bad = true;
	for (char *c = digits; *c; c++) *c = (char)tolower((unsigned char)*c);
	return digits;
}

static const char *bracketed(reader *r) {
	require(r, "[");
	const char *key = name(r);
	require(r, "]");
	return key;
}

static verdict either(bool met) {
	return met ? MET : NOT_MET;
}

static const char *data_value(reader *r) {
	if (r->next.kind != HEX) return name(r);
	const char *digits = take(r, HEX);
	text value = {0};
	text_add(&value, "", 0);
	if (strlen(digits) % 2) r->bad = true;
	for (; *digits && digits[1]; digits += 2) {
		char pair[3] = {digits[0], digits[1], 0}, byte = (char)strtol(pair, NULL, 16);
		text_add(&value, &byte, 1);
	}
	return value.bytes;
}

/* `found`: the value, NULL when there is none. `known`: whether it is known what the value is. */
static verdict match_suffix(reader *r, const char *found, bool known) {
	verdict met = NOT_KNOWN;
	if (takes(r, "absent")) met = either(!found);
	else if (is(r, "=") || is(r, "==")) {
		advance(r);
		bool front = takes(r, "*");
		const char *value = data_value(r);
		bool behind = takes(r, "*");
		size_t size = strlen(value), all = found ? strlen(found) : 0;
		if (!found) met = NOT_MET;
		else if (front && behind) met = either(strstr(found, value) != NULL);
		else if (front) met = either(all >= size && !strcmp(found + all - size, value));
		else if (behind) met = either(!strncmp(found, value, size));
		else met = either(!strcmp(found, value));
	} else if (takes(r, "~")) {
		const char *value = data_value(r);
		met = either(found && strstr(found, value));
	} else if (is(r, "<") || is(r, ">") || is(r, "<=") || is(r, ">=")) {
		advance(r);
		data_value(r);
		met = found ? NOT_KNOWN : NOT_MET;
	} else takes(r, "exists"), met = either(found != NULL);
	return known ? met : NOT_KNOWN;
}

static bool is_oid(const char *oid) {
	if (*oid < '0' || *oid > '2' || oid[1] != '.') return false;
	for (const char *at = oid + 1; *at; at++) {
		if (*at == '.' ? !isdigit((unsigned char)at[1]) : !isdigit((unsigned char)*at)) return false;
	}
	return true;
}

enum { LEAF = 0, AUTHORITY = 1, ROOT = -1, CHAIN = 3 };

/* Slots of a chain of three: 0 and -3 the leaf, 1 and -2 its issuer, 2 and -1 the root. */
static long place_of(long slot, const signer *of) {
	if (!of->root) return CHAIN;
	long place = slot < 0 ? CHAIN + slot : slot;
	return place >= 0 && place < CHAIN ? place : CHAIN;
}

static verdict certificate_in_slot(reader *r, long slot) {
	long place = place_of(slot, r->of);
	if (!is(r, "[")) {
		equals(r);
		const char *wanted = hash(r);
		if (place == CHAIN) return NOT_MET;
		return place == CHAIN - 1 ? either(!strcmp(wanted, r->of->root)) : NOT_KNOWN;
	}
	const char *key = bracketed(r), *dot = strchr(key, '.');
	size_t prefix = dot ? (size_t)(dot - key) : strlen(key);
	if (prefix == 7 && !strncmp(key, "subject", 7)) {
		bool unit = place == LEAF && !strcmp(key, "subject.OU");
		return match_suffix(r, unit ? r->of->team : NULL, unit || place == CHAIN);
	}
	bool policy = prefix == 6 && !strncmp(key, "policy", 6);
	bool field = (prefix == 5 && !strncmp(key, "field", 5)) || (prefix == 9 && !strncmp(key, "extension", 9));
	if ((!policy && !field) || !is_oid(dot + 1)) return r->bad = true, NOT_KNOWN;
	const char *mark = place == LEAF ? "1.2.840.113635.100.6.1.13" : place == AUTHORITY ? "1.2.840.113635.100.6.2.6" : "";
	return match_suffix(r, field && !strcmp(dot + 1, mark) ? "" : NULL, true);
}

static verdict anchor(reader *r) {
	if (takes(r, "trusted")) return NOT_KNOWN;
	if (takes(r, "generic")) return require(r, "apple"), either(r->of->apple);
	if (!takes(r, "apple")) return certificate_in_slot(r, ROOT);
	if (takes(r, "generic")) return either(r->of->apple);
	if (has_name(r)) return name(r), NOT_KNOWN;
	return NOT_MET; /* Apple's own software */
}

static verdict certificate(reader *r) {
	if (takes(r, "trusted")) return NOT_KNOWN;
	long slot = LEAF;
	if (takes(r, "root")) slot = ROOT;
	else if (!takes(r, "leaf")) {
		bool negative = takes(r, "-");
		slot = atol(take(r, INTEGER)) * (negative ? -1 : 1);
	}
	return takes(r, "trusted") ? NOT_KNOWN : certificate_in_slot(r, slot);
}

static verdict expression(reader *r);

/* A name alone in parentheses stands for a requirement of that name. */
static verdict parenthesized(reader *r) {
	token before = r->next;
	if (has_name(r)) {
		name(r);
		if (takes(r, ")")) return NOT_KNOWN;
		r->next = before;
	}
	verdict met = expression(r);
	require(r, ")");
	return met;
}

static verdict primary(reader *r) {
	if (r->bad) return NOT_KNOWN;
	if (takes(r, "!")) {
		verdict met = primary(r);
		return met == NOT_KNOWN ? met : either(met == NOT_MET);
	}
	if (takes(r, "(")) return parenthesized(r);
	if (takes(r, "always") || takes(r, "true")) return MET;
	if (takes(r, "never") || takes(r, "false")) return NOT_MET;
	if (takes(r, "notarized") || takes(r, "legacy")) return NOT_KNOWN;
	if (takes(r, "anchor")) return anchor(r);
	if (takes(r, "certificate") || takes(r, "cert")) return certificate(r);
	if (takes(r, "info") || takes(r, "entitlement")) return bracketed(r), match_suffix(r, NULL, false);
	if (takes(r, "identifier")) return equals(r), either(!strcmp(name(r), r->of->identifier));
	if (takes(r, "cdhash")) return equals(r), hash(r), NOT_KNOWN;
	if (takes(r, "platform")) return equals(r), take(r, INTEGER), NOT_KNOWN;
	return r->bad = true, NOT_KNOWN;
}

static verdict term(reader *r) {
	verdict all = primary(r);
	while (takes(r, "and")) {
		verdict one = primary(r);
		all = all == NOT_MET || one == NOT_MET ? NOT_MET : all == MET && one == MET ? MET : NOT_KNOWN;
	}
	return all;
}

static verdict expression(reader *r) {
	verdict any = term(r);
	while (takes(r, "or")) {
		verdict one = term(r);
		any = any == MET || one == MET ? MET : any == NOT_MET && one == NOT_MET ? NOT_MET : NOT_KNOWN;
	}
	return any;
}

verdict check_requirement(const char *requirement, const signer *of) {
	reader r = {read_token(requirement), of, false};
	verdict met = expression(&r);
	while (takes(&r, ";")) continue;
	return r.bad || r.next.kind != END ? NO_REQUIREMENT : met;
}
