#include "rotate.h"

#include <stddef.h>
#include <sys/stat.h>

#include "child.h"
#include "clock.h"
#include "deadline.h"
#include "scrub.h"

/* Written when a new key is escrowed under a profile's certificate.
 * Source: apple/device-management, com.apple.security.FDERecoveryKeyEscrow. */
static const char KEY_FILE[] = "/var/db/FileVaultPRK.dat";

enum {
  ISACTIVE_MOST_MS = 10000, /* it answers at once; where it hangs, it does so at every login with a request */
  KEY_FILE_WAIT_MS = 2000, /* how long after exit status 0 the file may take; unknown in the field, seen within 1 s */
  KEY_FILE_STEP_US = 50000
};

struct modified {
  bool exists;
  int64_t seconds;
  int64_t nanoseconds;
};

static struct modified key_file_modified(void) {
  struct stat file;
  if (stat(KEY_FILE, &file) != 0) return (struct modified){false, 0, 0};
  return (struct modified){true, file.st_mtimespec.tv_sec, file.st_mtimespec.tv_nsec};
}

static bool is_newer(struct modified after, struct modified before) {
  if (!after.exists || !before.exists) return after.exists;
  return after.seconds != before.seconds ? after.seconds > before.seconds : after.nanoseconds > before.nanoseconds;
}

static bool key_file_becomes_newer(struct modified before, uint64_t deadline_ms) {
  const uint64_t until_ms = earlier_ms(deadline_ms, deadline_after(monotonic_ms(), KEY_FILE_WAIT_MS));
  for (int steps = KEY_FILE_WAIT_MS * 1000 / KEY_FILE_STEP_US; !is_newer(key_file_modified(), before); steps--) {
    if (steps <= 0 || deadline_left(until_ms, monotonic_ms()) == 0) return false;
    nap_us(KEY_FILE_STEP_US);
  }
  return true;
}

enum filevault ask_filevault(const struct login *login) {
  uint8_t scratch[256];
  char *const arguments[] = {(char[]){"fdesetup"}, (char[]){"isactive"}, NULL};
  const uint64_t deadline_ms = earlier_ms(login->deadline_ms, deadline_after(monotonic_ms(), ISACTIVE_MOST_MS));
  const struct child_run run = {arguments, {NULL, 0}, NULL, 0, scratch, sizeof scratch, deadline_ms};
  const struct child_result result = run_child(&run);
  const enum filevault filevault = judge_isactive(result.end, result.status);
  if (filevault == FILEVAULT_NOT_STARTED)
    LOG_ERROR(login->logs.mechanism, "ERROR: fdesetup isactive could not be started: %d", result.status);
  else if (filevault == FILEVAULT_UNCLEAR || filevault == FILEVAULT_TIMED_OUT)
    LOG_ERROR(login->logs.mechanism, "ERROR: fdesetup isactive gave no answer: %d", result.status);
  return filevault;
}

/* The child's words, without secrets, for whoever reads the log. */
static void log_failure(const struct login *login, const struct child_result *result, struct bytes escaped_password) {
  const os_log_t log = login->logs.mechanism;
  struct secret *const secret = login->secret;
  const struct secrets secrets = {{secret->password, secret->password_length},
                                  escaped_password,
                                  {secret->username, secret->username_length}};
  switch (result->end) {
  case CHILD_EXITED:
    LOG_ERROR(log, "ERROR: fdesetup terminated with a non-zero exit status: %d", result->status);
    break;
  case CHILD_SIGNALLED: LOG_ERROR(log, "ERROR: fdesetup was ended by signal %d", result->status); break;
  case CHILD_TIMED_OUT: LOG_ERROR(log, "ERROR: fdesetup did not end in time"); break;
  case CHILD_LOST: LOG_ERROR(log, "ERROR: The exit status of fdesetup is unknown"); break;
  case CHILD_NOT_STARTED: LOG_ERROR(log, "ERROR: fdesetup could not be started: %d", result->status); break;
  }
  const struct bytes captured = {secret->capture, result->capture_length};
  if (scrub(secret->log_text, LOG_TEXT_MOST, captured, &secrets) > 0)
    LOG_ERROR(log, "fdesetup standard error: %{public}s", secret->log_text);
}

void rotate(const struct login *login, struct attempt *attempt) {
  struct secret *const secret = login->secret;
  char *const arguments[] = {(char[]){"fdesetup"}, (char[]){"changerecovery"}, (char[]){"-personal"},
                             (char[]){"-inputplist"}, NULL};
  struct bytes escaped_password;
  attempt->outcome = OUTCOME_INTERNAL_ERROR;
  const size_t length = write_input_plist(secret->document, sizeof secret->document,
                                          (struct bytes){secret->username, secret->username_length},
                                          (struct bytes){secret->password, secret->password_length}, &escaped_password);
  if (length == 0) return;
  const struct child_run run = {arguments, {secret->document, length}, secret->capture, CAPTURE_MOST,
                                secret->scratch, SCRATCH_SIZE, login->deadline_ms};
  const struct modified before = key_file_modified();
  const struct child_result result = run_child(&run);
  const bool succeeded = result.end == CHILD_EXITED && result.status == 0;
  attempt->outcome = judge_rotation(result.end, result.status,
                                    succeeded && key_file_becomes_newer(before, login->deadline_ms));
  attempt->has_status = result.end == CHILD_EXITED || result.end == CHILD_SIGNALLED || result.killed_status;
  attempt->status = result.end == CHILD_EXITED ? result.status : -result.status;
  if (!succeeded) log_failure(login, &result, escaped_password);
}
