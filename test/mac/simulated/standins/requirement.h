/* Code requirements in Apple's language, checked for the signer of a bundle. */
#ifndef SIMULATED_REQUIREMENT_H
#define SIMULATED_REQUIREMENT_H

#include "plist.h"

/* What is known of a signature. */
typedef struct {
	const char *identifier, *team;
	const char *root; /* SHA-1 of the root certificate, 40 lower-case digits; NULL: ad hoc, no certificates */
	bool apple;       /* the root is Apple's */
} signer;

typedef enum { NOT_MET, MET, NOT_KNOWN, NO_REQUIREMENT } verdict;

/* NO_REQUIREMENT: codesign would not parse it. NOT_KNOWN: it asks for what no simulated bundle can show. */
verdict check_requirement(const char *requirement, const signer *of);

#endif
