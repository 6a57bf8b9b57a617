/*
 * pkgutil: receipts in /var/db/receipts. Texts: homebrew-cask issue 72013, openradar 16386 and 8219, pkgutil(1).
 * The Bom beside a receipt is a list of paths here; nothing but pkgutil reads it.
 */
#include "standin.h"

#include <regex.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *receipt(const char *volume, const char *id, const char *suffix) {
	char *path = NULL;
	if (asprintf(&path, "%s/private/var/db/receipts/%s%s", strcmp(volume, "/") ? volume : "", id, suffix) < 0) abort();
	return path;
}

static int no_receipt(const char *volume, const char *id) {
	complain("No receipt for '%s' found at '%s'.\n", id, volume);
	return 1;
}

static const char *word(const plist *of, const char *key) {
	const plist *value = plist_get(of, key);
	return value && value->type == P_STRING ? value->bytes : "";
}

static int info(const char *volume, const char *id) {
	text bytes = {0};
	plist *r = read_file(receipt(volume, id, ".plist"), &bytes) ? plist_parse(bytes.bytes, bytes.size, NULL, NULL) : NULL;
	if (!r) return no_receipt(volume, id);
	plist *when = plist_get(r, "InstallDate");
	text_printf(&out, "package-id: %s\nversion: %s\nvolume: %s\nlocation: %s\ninstall-time: %lld\n", id, word(r, "PackageVersion"),
	            volume, word(r, "InstallPrefixPath"), when ? (long long)(when->real + 978307200.0) : 0LL);
	return 0;
}

static int files(const char *volume, const char *id) {
	if (!read_file(receipt(volume, id, ".bom"), &out)) return no_receipt(volume, id);
	return 0;
}

static int forget(const char *volume, const char *id) {
	if (geteuid() != 0) return complain("You must be root to forget a package.\n"), 1;
	if (access(receipt(volume, id, ".plist"), F_OK)) return no_receipt(volume, id);
	if (!strcmp(fact("forget", ""), "damaged")) {
		/* The receipt stays, and yet the tool says it is forgotten and ends with 0. */
		complain("Unknown error Error Domain=NSCocoaErrorDomain Code=4 \"The file doesn\xe2\x80\x99t exist.\"\n");
	} else if (!swallow) {
		unlink(receipt(volume, id, ".plist"));
		unlink(receipt(volume, id, ".bom"));
	}
	text_printf(&out, "Forgot package '%s' on '%s'.\n", id, volume);
	return 0;
}

static int list(const call *c, const char *volume, const char *pattern) {
	regex_t expression;
	char whole[1024];
	snprintf(whole, sizeof whole, "^(%s)$", pattern ? pattern : ".*");
	if (regcomp(&expression, whole, REG_EXTENDED | REG_NOSUB)) unknown(c, "bad expression");
	DIR *folder = opendir(receipt(volume, "", ""));
	struct dirent *entry;
	int status = 1;
	while (folder && (entry = readdir(folder))) {
		char *dot = strrchr(entry->d_name, '.');
		if (!dot || strcmp(dot, ".plist")) continue;
		*dot = 0;
		if (!regexec(&expression, entry->d_name, 0, NULL, 0)) text_printf(&out, "%s\n", entry->d_name), status = 0;
	}
	return pattern ? status : 0;
}

/* The words of a package that is signed, from the fact `packageSigner`: who is named first in its chain. */
static int check_signature(const char *path) {
	const char *signer = fact("packageSigner", ""), *name = strrchr(path, '/');
	text_printf(&out, "Package \"%s\":\n   Status: ", name ? name + 1 : path);
	if (!*signer) return text_puts(&out, "no signature\n"), 1;
	text_printf(&out, "signed by a developer certificate issued by Apple for distribution\n"
	            "   Notarization: trusted by the Apple notary service\n   Certificate Chain:\n    1. %s\n"
	            "       Expires: 2031-01-01 00:00:00 +0000\n    2. Developer ID Certification Authority\n    3. Apple Root CA\n", signer);
	return 0;
}

int pkgutil(const call *c) {
	const char *volume = "/";
	int at = 1;
	if (c->argc > 2 && !strcmp(c->argv[1], "--volume")) volume = c->argv[2], at = 3;
	const char *verb = at < c->argc ? c->argv[at] : "", *id = at + 1 < c->argc ? c->argv[at + 1] : NULL;
	if (at + 2 < c->argc) unknown(c, "more than one package");
	refine(*verb ? verb + 2 : "");
	if (!strcmp(verb, "--pkgs") && !id) return list(c, volume, NULL);
	if (!strncmp(verb, "--pkgs=", 7) && !id) return list(c, volume, verb + 7);
	if (id && !strcmp(verb, "--pkg-info")) return info(volume, id);
	if (id && !strcmp(verb, "--check-signature")) return check_signature(id);
	if (id && !strcmp(verb, "--files")) return files(volume, id);
	if (id && !strcmp(verb, "--forget")) return forget(volume, id);
	unknown(c, "verb not used by scripts of ours");
}
