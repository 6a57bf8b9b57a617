/*
 * curl, shasum and installer, as the kit's install.sh calls them. Sources: curl(1) of 7.54 (macOS 10.14), shasum(1), installer(8).
 * What an address answers lies in /.sim/web, by the last part of the address; the fact `web` is the status it ends with instead.
 * Nothing is installed: installer ends with the fact `installer`, and the log says what it was given.
 */
#include "standin.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sha256(const char *bytes, size_t size, uint8_t digest[32]);

enum { TOO_LARGE = 63 };

static int refuse_download(const char *url, int status) {
	if (status == 6) complain("curl: (6) Could not resolve host: %s\n", url);
	else if (status == 22) complain("curl: (22) The requested URL returned error: 404\n");
	else complain("curl: (%d) %s\n", status, status == TOO_LARGE ? "Maximum file size exceeded" : "failed");
	return status;
}

int curl_tool(const call *c) {
	static const struct option known[] = {
		{"fail", 0, NULL, 'q'}, {"silent", 0, NULL, 'q'}, {"show-error", 0, NULL, 'q'}, {"location", 0, NULL, 'q'}, {"tlsv1.2", 0, NULL, 'q'},
		{"proto", 1, NULL, 'p'}, {"proto-redir", 1, NULL, 'p'}, {"retry", 1, NULL, 'q'}, {"max-filesize", 1, NULL, 'm'}, {"output", 1, NULL, 'o'}, {0},
	};
	const char *to = NULL;
	size_t most = SIZE_MAX;
	int option;
	opterr = 0;
	while ((option = getopt_long(c->argc, c->argv, "+", known, NULL)) != -1) {
		if (option == '?') unknown(c, "option not used by scripts of ours");
		if (option == 'p' && strcmp(optarg, "=https")) unknown(c, "protocol not used by scripts of ours");
		if (option == 'm') most = strtoull(optarg, NULL, 10);
		if (option == 'o') to = optarg;
	}
	if (!to || optind + 1 != c->argc || strncmp(c->argv[optind], "https://", 8)) unknown(c, "no file, or no address");
	const char *url = c->argv[optind];
	int status = atoi(fact("web", "0"));
	if (status) return refuse_download(url, status);
	char *place = NULL;
	text bytes = {0};
	if (asprintf(&place, STATE "/web%s", strrchr(url, '/')) < 0) abort();
	if (!read_file(place, &bytes)) return refuse_download(url, 22);
	if (bytes.size > most) return refuse_download(url, TOO_LARGE);
	return write_file(to, bytes.bytes, bytes.size, 0644) ? refuse_download(url, 23) : 0;
}

int shasum_tool(const call *c) {
	text bytes = {0};
	uint8_t digest[32];
	if (c->argc != 4 || strcmp(c->argv[1], "-a") || strcmp(c->argv[2], "256")) unknown(c, "not -a 256 and a file");
	if (!read_file(c->argv[3], &bytes)) return complain("shasum: %s: No such file or directory\n", c->argv[3]), 1;
	sha256(bytes.bytes, bytes.size, digest);
	for (size_t i = 0; i < sizeof digest; i++) text_printf(&out, "%02x", digest[i]);
	text_printf(&out, "  %s\n", c->argv[3]);
	return 0;
}

int installer_tool(const call *c) {
	text bytes = {0};
	if (c->argc != 5 || strcmp(c->argv[1], "-pkg") || strcmp(c->argv[3], "-target") || strcmp(c->argv[4], "/")) unknown(c, "not -pkg and -target /");
	if (!read_file(c->argv[2], &bytes)) return complain("installer: Error the package path specified was invalid: '%s'.\n", c->argv[2]), 1;
	int status = atoi(fact("installer", "0"));
	if (status) complain("installer: The install failed. (The Installer encountered an error that caused the installation to fail.)\n");
	else text_puts(&out, "installer: The install was successful.\n");
	return status;
}
