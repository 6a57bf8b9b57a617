/*
 * Verifies what a code signature seals: every page and special slot of each slice, and each file of CodeResources.
 *
 * Signatures themselves (CMS) and trust are not looked at: damage is. Sources: apple-oss-distributions/Security,
 * OSX/libsecurity_codesigning (codedirectory.h, StaticCode.cpp), messages from CSCommon.h; mach-o/loader.h and fat.h.
 */
#include "seal.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char UNSIGNED[] = "code object is not signed at all";
static const char ALTERED[] = "a sealed resource is missing or invalid";
static const char CHANGED[] = "invalid signature (code or signature have been modified)";
static const char INFO_PLIST[] = "invalid Info.plist (plist or signature have been modified)";

static uint32_t big(const char *p) {
	const uint8_t *b = (const uint8_t *)p;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static uint32_t little(const char *p) {
	return __builtin_bswap32(big(p));
}

typedef struct {
	text info, resources; /* special slots 1 and 3 */
} special;

seal_signer sealed_by;

/* The text at `offset` of a CodeDirectory, "" for none. */
static char *directory_text(const char *cd, size_t size, uint32_t offset) {
	return offset && offset < size ? strndup(cd + offset, size - offset) : strdup("");
}

static void note_signer(const char *cd, size_t size) {
	bool has_team = big(cd + 8) >= 0x20200 && size >= 52;
	sealed_by.identifier = directory_text(cd, size, big(cd + 20));
	sealed_by.team = directory_text(cd, size, has_team ? big(cd + 48) : 0);
	sealed_by.ad_hoc = big(cd + 12) & 2;
}

/* Checks one CodeDirectory (SHA-256 only) against the slice it signs. */
static const char *check_directory(const char *slice, size_t slice_size, const char *cd, size_t size, const special *s) {
	if (size < 44 || big(cd) != 0xfade0c02) return CHANGED;
	uint32_t hashes = big(cd + 16), specials = big(cd + 24), slots = big(cd + 28), limit = big(cd + 32);
	uint8_t hash_size = (uint8_t)cd[36], hash_type = (uint8_t)cd[37];
	uint64_t page = 1ull << (uint8_t)cd[39];
	uint8_t digest[32];
	if (hash_type != 2) return NULL; /* a SHA-1 directory stands beside a SHA-256 one */
	if (hash_size != 32 || limit > slice_size || (uint64_t)hashes + (uint64_t)slots * 32 > size || hashes < specials * 32) return CHANGED;
	if ((uint64_t)slots * page < limit) return CHANGED;
	for (uint32_t i = 0; i < slots; i++) {
		uint64_t from = i * page, to = from + page < limit ? from + page : limit;
		sha256(slice + from, (size_t)(to - from), digest);
		if (memcmp(digest, cd + hashes + 32 * i, 32)) return CHANGED;
	}
	sha256(s->info.bytes, s->info.size, digest);
	if (specials < 1 || memcmp(digest, cd + hashes - 32, 32)) return INFO_PLIST;
	sha256(s->resources.bytes, s->resources.size, digest);
	if (specials < 3 || memcmp(digest, cd + hashes - 96, 32)) return ALTERED;
	note_signer(cd, size);
	return NULL;
}

static const char *check_slice(const char *slice, size_t size, const special *s) {
	if (size < 32 || little(slice) != 0xfeedfacf) return UNSIGNED;
	size_t at = 32;
	for (uint32_t i = 0, count = little(slice + 16); i < count && at + 16 <= size; i++) {
		uint32_t kind = little(slice + at), length = little(slice + at + 4);
		if (kind == 0x1d) { /* LC_CODE_SIGNATURE */
			uint32_t from = little(slice + at + 8), signature = little(slice + at + 12);
			if ((uint64_t)from + signature > size || signature < 12 || big(slice + from) != 0xfade0cc0) return CHANGED;
			uint32_t blobs = big(slice + from + 8);
			const char *found = CHANGED;
			for (uint32_t k = 0; k < blobs && 12 + 8 * (k + 1) <= signature; k++) {
				uint32_t type = big(slice + from + 12 + 8 * k), offset = big(slice + from + 16 + 8 * k);
				/* SLOT_CMS: a blob's header of eight bytes, then the CMS. */
				if (type == 0x10000 && offset + 8ull <= signature) sealed_by.root = cms_root(slice + from + offset + 8, signature - offset - 8);
				if ((type != 0 && type != 0x1000) || offset + 44 > signature) continue;
				found = check_directory(slice, size, slice + from + offset, signature - offset, s);
				if (found) return found;
			}
			return found;
		}
		if (length < 8) break;
		at += length;
	}
	return UNSIGNED;
}

static const char *check_executable(const text *code, const special *s) {
	if (code->size < 8) return UNSIGNED;
	if (big(code->bytes) != 0xcafebabe) return check_slice(code->bytes, code->size, s);
	uint32_t slices = big(code->bytes + 4);
	if (!slices || slices > 16 || code->size < 8 + 20ull * slices) return UNSIGNED;
	for (uint32_t i = 0; i < slices; i++) {
		uint32_t from = big(code->bytes + 16 + 20 * i), size = big(code->bytes + 20 + 20 * i);
		if ((uint64_t)from + size > code->size) return CHANGED;
		const char *problem = check_slice(code->bytes + from, size, s);
		if (problem) return problem;
	}
	return NULL;
}

/* Looks for files that the seal does not name: everything below Contents but the executable and the signature. */
static const char *find_added(const char *contents, const char *below, const plist *files, const char *executable, const char **detail) {
	char path[8200];
	snprintf(path, sizeof path, "%s/%s", contents, below);
	DIR *folder = opendir(path);
	struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		char name[4096];
		struct stat s;
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
		snprintf(name, sizeof name, "%s%s%s", below, *below ? "/" : "", entry->d_name);
		snprintf(path, sizeof path, "%s/%s", contents, name);
		if (lstat(path, &s) || !strcmp(name, "_CodeSignature") || !strcmp(name, "Info.plist") || !strcmp(name, "CodeResources")) continue;
		if (S_ISDIR(s.st_mode)) {
			const char *problem = find_added(contents, name, files, executable, detail);
			if (problem) return problem;
		} else if (!plist_get(files, name) && strcmp(name, executable)) {
			*detail = strdup(path);
			return ALTERED;
		}
	}
	if (folder) closedir(folder);
	return NULL;
}

static const char *check_resources(const char *contents, const plist *resources, const char *executable, const char **detail) {
	const plist *files = plist_get(resources, "files2");
	for (size_t i = 0; files && i < files->size; i++) {
		const plist *entry = files->items[i], *wanted = entry->type == P_DATA ? entry : plist_get(entry, "hash2");
		char path[8200];
		text bytes = {0};
		uint8_t digest[32];
		if (!wanted) continue;
		snprintf(path, sizeof path, "%s/%s", contents, files->keys[i]->bytes);
		bool there = read_file(path, &bytes);
		sha256(bytes.bytes, bytes.size, digest);
		if (there && wanted->size == 32 && !memcmp(digest, wanted->bytes, 32)) continue;
		*detail = strdup(path);
		return ALTERED;
	}
	return find_added(contents, "", files, executable, detail);
}

const char *seal_problem(const char *bundle, const char **detail) {
	char contents[4096], path[8192], executable[512];
	special s = {{0}, {0}};
	text code = {0};
	*detail = NULL;
	snprintf(contents, sizeof contents, "%s/Contents", bundle);
	if (access(bundle, F_OK)) return "No such file or directory";
	snprintf(path, sizeof path, "%s/Info.plist", contents);
	if (!read_file(path, &s.info)) return "bundle format unrecognized, invalid, or unsuitable";
	plist *info = plist_parse(s.info.bytes, s.info.size, NULL, NULL), *name = info ? plist_get(info, "CFBundleExecutable") : NULL;
	if (!name || name->type != P_STRING) return "bundle format unrecognized, invalid, or unsuitable";
	snprintf(executable, sizeof executable, "MacOS/%s", name->bytes);
	snprintf(path, sizeof path, "%s/%s", contents, executable);
	if (!read_file(path, &code)) return UNSIGNED;
	snprintf(path, sizeof path, "%s/_CodeSignature/CodeResources", contents);
	if (!read_file(path, &s.resources)) return UNSIGNED;
	const char *problem = check_executable(&code, &s);
	if (problem) return problem;
	plist *resources = plist_parse(s.resources.bytes, s.resources.size, NULL, NULL);
	return resources ? check_resources(contents, resources, executable, detail) : ALTERED;
}

static const char *architecture(uint32_t type) {
	return type == 0x0100000c ? "arm64" : type == 0x01000007 ? "x86_64" : type == 7 ? "i386" : "unknown";
}

static const char *kind_of(const char *slice) {
	uint32_t type = little(slice + 12);
	return type == 8 ? "bundle" : type == 2 ? "executable" : type == 6 ? "dynamically linked shared library" : "object";
}

char *macho_description(const char *bytes, size_t size) {
	text line = {0}, more = {0};
	if (size >= 32 && little(bytes) == 0xfeedfacf) {
		text_printf(&line, "Mach-O 64-bit %s %s", kind_of(bytes), architecture(little(bytes + 4)));
		return line.bytes;
	}
	if (size < 8 || big(bytes) != 0xcafebabe || big(bytes + 4) > 16) return NULL;
	uint32_t slices = big(bytes + 4);
	text_printf(&line, "Mach-O universal binary with %u architecture%s:", slices, slices == 1 ? "" : "s");
	text_add(&more, "", 0);
	for (uint32_t i = 0; i < slices && 28 + 20ull * i <= size; i++) {
		uint32_t from = big(bytes + 16 + 20 * i);
		const char *name = architecture(big(bytes + 8 + 20 * i));
		if ((uint64_t)from + 32 > size) break;
		text_printf(&line, " [%s:Mach-O 64-bit %s %s]", name, kind_of(bytes + from), name);
		text_printf(&more, "\n- Mach-O 64-bit %s %s", kind_of(bytes + from), name);
	}
	text_puts(&line, more.bytes);
	return line.bytes;
}
