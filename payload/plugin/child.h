/* One run of /usr/bin/fdesetup: fed, drained, reaped; ended by a deadline, or left to end by itself. */
#ifndef ESCROW_BUDDY_CHILD_H
#define ESCROW_BUDDY_CHILD_H

#include "bytes.h"
#include "decide.h"

/* What becomes of a child whose time is over. */
enum overdue {
  OVERDUE_KILL, /* it only asks: it and what it started are killed */
  OVERDUE_LEAVE /* it changes a key: cut short it could leave the MDM with a dead one, so nobody ever signals it */
};

struct child_run {
  char *const *arguments; /* argv, fixed text, NULL at the end */
  struct bytes input;     /* standard input; none: /dev/null */
  int captured;           /* the stream that is read: STDOUT_FILENO or STDERR_FILENO; the other leads to /dev/null */
  uint8_t *capture;       /* the first bytes of it; may be NULL */
  size_t capture_size;
  uint8_t *scratch; /* where the rest of it is read to */
  size_t scratch_size;
  uint64_t deadline_ms; /* on the clock of monotonic_ms() */
  enum overdue overdue;
};

struct child_result {
  enum child_end end;
  int status; /* exit status or signal, see enum child_end; with NOT_STARTED an errno value */
  size_t capture_length;
};

/* Runs it. Returns at the deadline at the latest, plus 1.5 s when the child has to be killed. */
struct child_result run_child(const struct child_run *run);

/* Takes the status of children that were left and have ended since, so that no zombie stays while the host lives. */
void reap_left_children(void);

#endif
