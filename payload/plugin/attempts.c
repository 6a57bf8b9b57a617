#include "attempts.h"

#include <string.h>

#include "preferences.h"

static const struct user NOBODY = {.known = false};

struct failures attempts_failures(void) {
  const struct setting_value count = take_value(copy_local(CFSTR("ConsecutiveFailures")));
  const struct setting_value user = take_value(copy_local(CFSTR("LastFailedUID")));
  struct failures failures = {0, NOBODY};
  if (count.kind == SETTING_NUMBER && count.number > 0)
    failures.count = count.number < INT32_MAX ? (int64_t)count.number : INT32_MAX;
  if (user.kind == SETTING_NUMBER && user.number >= 0 && user.number <= UINT32_MAX)
    failures.user = (struct user){true, (uint32_t)user.number};
  return failures;
}

int64_t failures_of(struct failures failures, struct user user) {
  return failures.user.known && user.known && failures.user.id != user.id ? 0 : failures.count;
}

struct failures one_more_failure(struct failures failures, struct user user) {
  const int64_t count = failures_of(failures, user);
  return (struct failures){count < INT32_MAX ? count + 1 : count, user};
}

bool attempts_held_back(struct user user) {
  const int64_t failures = failures_of(attempts_failures(), user);
  const struct setting_value last = take_value(copy_local(CFSTR("LastAttempt")));
  return held_back(failures, last.kind == SETTING_DATE, CFAbsoluteTimeGetCurrent() - last.number);
}

static CFPropertyListRef create_name(enum outcome outcome) {
  return CFStringCreateWithCString(NULL, outcome_name(outcome), kCFStringEncodingUTF8);
}

static void set_failures(struct failures failures) {
  (void)change_local(CFSTR("ConsecutiveFailures"), create_number(failures.count));
  if (failures.user.known) (void)change_local(CFSTR("LastFailedUID"), create_number(failures.user.id));
  else remove_local(CFSTR("LastFailedUID"));
}

static void write_outcome(os_log_t log) {
  if (!synchronize_local()) LOG_ERROR(log, "ERROR: The outcome could not be written to the settings");
}

/* The record as it was before the attempt, when that is remembered; else whether it changed after LastAttempt, which is
 * all that an administrator's eye has too. */
static bool key_recorded_since_attempt(struct setting_value fingerprint) {
  const struct key_record now = read_key_record();
  if (fingerprint.kind == SETTING_NUMBER && fingerprint.number >= 0) {
    /* 0 stands for no record, and no record has it. */
    const int64_t number = (int64_t)fingerprint.number;
    return key_recorded_since(now, (struct key_record){.state = RECORD_PRESENT, .fingerprint = number});
  }
  const struct setting_value last = take_value(copy_local(CFSTR("LastAttempt")));
  return now.state == RECORD_PRESENT && last.kind == SETTING_DATE && now.changed_at >= last.number;
}

enum answer attempts_done_since(os_log_t log) {
  const struct setting_value outcome = take_value(copy_local(CFSTR("LastOutcome")));
  const struct setting_value fingerprint = take_value(copy_local(CFSTR("LastKeyRecord")));
  const bool open = fingerprint.kind == SETTING_NUMBER ||
                    (outcome.kind == SETTING_TEXT && strcmp(outcome.text, outcome_name(OUTCOME_NOT_AWAITED)) == 0);
  if (!open) return ANSWER_NO;
  if (key_recorded_since_attempt(fingerprint)) return ANSWER_YES;
  LOG_ERROR(log, "ERROR: The key record has not changed since the last attempt, which counts as a failure");
  const struct failures failures = attempts_failures();
  (void)change_local(CFSTR("LastOutcome"), create_name(OUTCOME_ROTATION_FAILED));
  set_failures(one_more_failure(failures, failures.user));
  remove_local(CFSTR("LastKeyRecord"));
  write_outcome(log);
  return ANSWER_NO;
}

bool attempts_begin(struct failures failures, struct user user, struct key_record record) {
  const CFPropertyListRef date = create_now(), name = create_name(OUTCOME_NOT_AWAITED);
  const bool complete = date != NULL && name != NULL;
  if (complete) {
    set_local(CFSTR("LastAttempt"), date);
    set_local(CFSTR("LastOutcome"), name);
    set_failures((struct failures){failures_of(failures, user), user});
    if (record.state == RECORD_UNREAD) remove_local(CFSTR("LastKeyRecord"));
    else (void)change_local(CFSTR("LastKeyRecord"), create_number(record.fingerprint));
  }
  if (date != NULL) CFRelease(date);
  if (name != NULL) CFRelease(name);
  return complete && synchronize_local();
}

void attempts_end(const struct attempt *attempt, os_log_t log) {
  const bool rotated = attempt->outcome == OUTCOME_ROTATED || attempt->outcome == OUTCOME_ROTATED_UNCONFIRMED;
  (void)change_local(CFSTR("LastOutcome"), create_name(attempt->outcome));
  set_failures(attempt->failures);
  if (rotated) (void)change_local(CFSTR("LastRotation"), create_now());
  if (attempt->has_status) (void)change_local(CFSTR("LastExitStatus"), create_number(attempt->status));
  else remove_local(CFSTR("LastExitStatus"));
  if (attempt->outcome != OUTCOME_NOT_AWAITED) remove_local(CFSTR("LastKeyRecord"));
  write_outcome(log);
}

void attempts_record_outcome(enum outcome outcome, os_log_t log) {
  if (change_local(CFSTR("LastOutcome"), create_name(outcome))) write_outcome(log);
}
