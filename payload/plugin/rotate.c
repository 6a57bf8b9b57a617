#include "rotate.h"

#include <stddef.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "deadline.h"
#include "scrub.h"

enum {
  RECORD_WAIT_MS = 2000, /* how long after exit status 0 the record may take; unknown in the field, seen within 1 s */
  RECORD_STEP_US = 50000
};

static bool key_becomes_recorded(struct key_record before, uint64_t deadline_ms) {
  const uint64_t until_ms = earlier_ms(deadline_ms, deadline_after(monotonic_ms(), RECORD_WAIT_MS));
  for (int steps = RECORD_WAIT_MS * 1000 / RECORD_STEP_US; !key_recorded_since(read_key_record(), before); steps--) {
    if (steps <= 0 || deadline_left(until_ms, monotonic_ms()) == 0) return false;
    nap_us(RECORD_STEP_US);
  }
  return true;
}

/* A question to fdesetup takes ten seconds at most, within the login's own limit. */
static uint64_t asking_deadline(const struct login *login) {
  return earlier_ms(login->deadline_ms, deadline_after(monotonic_ms(), ASKING_MOST_MS));
}

enum filevault ask_filevault(const struct login *login) {
  const os_log_t log = login->logs.mechanism;
  uint8_t scratch[256];
  char *const arguments[] = {(char[]){"fdesetup"}, (char[]){"isactive"}, NULL};
  const struct child_run run = {arguments, {NULL, 0},      STDERR_FILENO,          NULL,        0,
                                scratch,   sizeof scratch, asking_deadline(login), OVERDUE_KILL};
  LOG_DEFAULT(log, "Getting FileVault status");
  const struct child_result result = run_child(&run);
  const enum filevault filevault = filevault_after(result.end, result.status);
  switch (filevault) {
  case FILEVAULT_ON: LOG_DEFAULT(log, "FileVault is ON"); break;
  case FILEVAULT_OFF: LOG_ERROR(log, "FileVault is OFF"); break;
  case FILEVAULT_BUSY: LOG_ERROR(log, "FileVault is BUSY"); break;
  case FILEVAULT_NOT_STARTED:
    LOG_ERROR(log, "ERROR: fdesetup isactive could not be started: %d", result.status);
    break;
  case FILEVAULT_UNKNOWN: LOG_ERROR(log, "ERROR: The exit status of fdesetup isactive is unknown"); break;
  case FILEVAULT_UNREAD:
  case FILEVAULT_TIMED_OUT:
  case FILEVAULT_UNCLEAR: LOG_ERROR(log, "ERROR: fdesetup isactive gave no answer: %d", result.status); break;
  }
  return filevault;
}

/* True when fdesetup knows not one user who may unlock FileVault: then nobody has a SecureToken yet, and no password
 * could have changed the key. Names are private, so they are read into the buffer that is wiped. */
static bool nobody_has_token(const struct login *login) {
  struct secret *const secret = login->secret;
  char *const arguments[] = {(char[]){"fdesetup"}, (char[]){"list"}, NULL};
  const struct child_run run = {arguments,       {NULL, 0},    STDOUT_FILENO,          secret->capture, CAPTURE_MOST,
                                secret->scratch, SCRATCH_SIZE, asking_deadline(login), OVERDUE_KILL};
  const struct child_result result = run_child(&run);
  const struct bytes output = {secret->capture, result.capture_length};
  return result.end == CHILD_EXITED && result.status == 0 && !lists_a_user(output);
}

/* The child's words, without secrets, for whoever reads the log. */
static void log_failure(const struct login *login, const struct child_result *result, struct bytes escaped_password) {
  const os_log_t log = login->logs.invoke;
  struct secret *const secret = login->secret;
  const struct secrets secrets = {{secret->password, secret->password_length},
                                  escaped_password,
                                  {secret->username, secret->username_length}};
  switch (result->end) {
  case CHILD_EXITED:
    LOG_ERROR(log, "ERROR: fdesetup terminated with a non-zero exit status: %d", result->status);
    break;
  case CHILD_SIGNALLED: LOG_ERROR(log, "ERROR: fdesetup was ended by signal %d", result->status); break;
  case CHILD_TIMED_OUT: LOG_ERROR(log, "ERROR: No time is left to begin a key change in this login"); break;
  case CHILD_NOT_AWAITED: LOG_ERROR(log, "ERROR: fdesetup did not end in time; it goes on without this login"); break;
  case CHILD_LOST: LOG_ERROR(log, "ERROR: The exit status of fdesetup is unknown"); break;
  case CHILD_NOT_STARTED: LOG_ERROR(log, "ERROR: fdesetup could not be started: %d", result->status); break;
  }
  const struct bytes captured = {secret->capture, result->capture_length};
  if (scrub(secret->log_text, LOG_TEXT_MOST, captured, &secrets) > 0)
    LOG_ERROR(log, "fdesetup Standard Error: %{public}s", secret->log_text);
}

/* The time that the change gets: its own, of which what came before takes nothing unless that hung. 0, a time already
 * over, when it would be too little. */
static uint64_t change_deadline(const struct login *login) {
  const uint64_t now_ms = monotonic_ms();
  const uint64_t left_ms = earlier_ms(login->timeout_ms, deadline_left(login->deadline_ms, now_ms));
  return left_ms < CHANGE_LEAST_MS ? 0 : deadline_after(now_ms, left_ms);
}

void rotate(const struct login *login, struct key_record before, struct attempt *attempt) {
  struct secret *const secret = login->secret;
  char *const arguments[] = {(char[]){"fdesetup"}, (char[]){"changerecovery"}, (char[]){"-personal"},
                             (char[]){"-inputplist"}, NULL};
  struct bytes escaped_password;
  const size_t length = write_input_plist(secret->document, sizeof secret->document,
                                          (struct bytes){secret->username, secret->username_length},
                                          (struct bytes){secret->password, secret->password_length}, &escaped_password);
  if (length == 0) return;
  const struct child_run run = {arguments,       {secret->document, length}, STDERR_FILENO,          secret->capture,
                                CAPTURE_MOST,    secret->scratch,            SCRATCH_SIZE,           change_deadline(login),
                                OVERDUE_LEAVE};
  const struct child_result result = run_child(&run);
  const bool succeeded = result.end == CHILD_EXITED && result.status == 0;
  const bool recorded =
      (succeeded || result.end == CHILD_LOST) && key_becomes_recorded(before, login->deadline_ms);
  attempt->outcome = outcome_of_rotation(result.end, result.status, recorded);
  attempt->has_status = result.end == CHILD_EXITED || result.end == CHILD_SIGNALLED;
  attempt->status = result.end == CHILD_EXITED ? result.status : -result.status;
  if (!succeeded) log_failure(login, &result, escaped_password);
  /* A record of a key tells that somebody had a token; without one it is worth the question. */
  if (before.state == RECORD_ABSENT && may_lack_token(result.end, result.status) && nobody_has_token(login))
    attempt->outcome = OUTCOME_NO_TOKEN_YET;
}
