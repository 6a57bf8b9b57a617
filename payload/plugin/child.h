/* One run of /usr/bin/fdesetup: fed, drained, ended by a deadline, reaped. */
#ifndef ESCROW_BUDDY_CHILD_H
#define ESCROW_BUDDY_CHILD_H

#include "bytes.h"
#include "decide.h"

struct child_run {
  char *const *arguments; /* argv, fixed text, NULL at the end */
  struct bytes input;     /* standard input; none: /dev/null */
  uint8_t *capture;       /* the first bytes of standard error; may be NULL */
  size_t capture_size;
  uint8_t *scratch; /* where the rest of it is read to */
  size_t scratch_size;
  uint64_t deadline_ms; /* on the clock of monotonic_ms() */
};

struct child_result {
  enum child_end end;
  int status;            /* exit status or signal, see enum child_end; with NOT_STARTED an errno value */
  bool killed_status;    /* with TIMED_OUT: status is the signal that ended it */
  size_t capture_length;
};

/* Runs it. Returns at the deadline at the latest, plus 1.5 s when the child has to be killed. */
struct child_result run_child(const struct child_run *run);

#endif
