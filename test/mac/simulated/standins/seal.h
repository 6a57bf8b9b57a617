/* Whether a bundle's code signature still fits its contents; shared by the codesign stand-in and the invariant checks. */
#ifndef SIMULATED_SEAL_H
#define SIMULATED_SEAL_H

#include "plist.h"

/* Given by the program that links this. */
bool read_file(const char *path, text *to);
void sha256(const char *bytes, size_t size, uint8_t digest[32]);
/* NULL when `bundle` is sealed and whole, else codesign's message. *detail: a file, or NULL. */
const char *seal_problem(const char *bundle, const char **detail);
/*
 * Who signed the bundle that seal_problem() has last found whole: identifier, team (or ""), SHA-1 of the root that its CMS
 * holds (or NULL), and whether it is ad hoc.
 */
typedef struct {
	char *identifier, *team, *root;
	bool ad_hoc;
} seal_signer;
char *cms_root(const char *cms, size_t size);
extern seal_signer sealed_by;
/* What `file -b` says of a Mach-O file, or NULL when `bytes` are none. */
char *macho_description(const char *bytes, size_t size);

#endif
