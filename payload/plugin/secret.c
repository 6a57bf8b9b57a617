#define __STDC_WANT_LIB_EXT1__ 1 /* memset_s */
#include "secret.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Apple silicon's page; a multiple of Intel's. Locks do not nest (mlock(2)), so no page may be shared with others. */
enum { PAGE = 16384, PAGES = (sizeof(struct secret) + PAGE - 1) / PAGE };

struct secret *secret_create(void) {
  void *const allocation = calloc(PAGES + 1, PAGE);
  if (allocation == NULL) return NULL;
  struct secret *const secret = (struct secret *)(((uintptr_t)allocation + PAGE - 1) / PAGE * PAGE);
  secret->locked = mlock(secret, PAGES * PAGE) == 0;
  secret->allocation = allocation;
  return secret;
}

void secret_destroy(struct secret *secret) {
  if (secret == NULL) return;
  void *const allocation = secret->allocation;
  const bool locked = secret->locked;
  (void)memset_s(secret, sizeof *secret, 0, sizeof *secret);
  if (locked) (void)munlock(secret, PAGES * PAGE);
  free(allocation);
}
