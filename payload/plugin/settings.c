#include "settings.h"

#include <CoreFoundation/CoreFoundation.h>
#include <stddef.h>

#include "setting-value.h"

enum { DEFAULT_TIMEOUT_SECONDS = 30 };

/* The callee releases the object: it may be passed on without a name. */
#define CONSUMED __attribute__((cf_consumed))

#define SETTINGS_DOMAIN CFSTR("com.netflix.Escrow-Buddy")
/* The escrow profile's payload type. Source: apple/device-management. */
#define ESCROW_DOMAIN CFSTR("com.apple.security.FDERecoveryKeyEscrow")

/* AnyUser and CurrentHost: /Library/Preferences. Source: CF, CFPreferences.c, and authd's own reading (server.m). */
static CFPropertyListRef copy_local(CFStringRef key) {
  return CFPreferencesCopyValue(key, SETTINGS_DOMAIN, kCFPreferencesAnyUser, kCFPreferencesCurrentHost);
}

/* The search list: profiles, root's own domain, then /Library/Preferences. */
static CFPropertyListRef copy_searched(CFStringRef key) { return CFPreferencesCopyAppValue(key, SETTINGS_DOMAIN); }

/* Reads what a property list holds and releases it; kind OTHER for what no setting of ours is. */
static struct setting_value take(CFPropertyListRef CONSUMED value) {
  struct setting_value result = {SETTING_ABSENT, 0, ""};
  if (value == NULL) return result;
  const CFTypeID type = CFGetTypeID(value);
  result.kind = SETTING_OTHER;
  if (type == CFBooleanGetTypeID()) {
    result.kind = SETTING_BOOLEAN;
    result.number = CFBooleanGetValue(value) ? 1 : 0;
  } else if (type == CFNumberGetTypeID()) {
    /* False also tells of lost precision, as with 2^60: the value still counts, so only its being there is asked. */
    result.number = __builtin_nan("");
    (void)CFNumberGetValue(value, kCFNumberDoubleType, &result.number);
    result.kind = SETTING_NUMBER;
  } else if (type == CFStringGetTypeID()) {
    if (CFStringGetCString(value, result.text, SETTING_TEXT_SIZE, kCFStringEncodingUTF8)) result.kind = SETTING_TEXT;
  } else if (type == CFDateGetTypeID()) {
    result.number = CFDateGetAbsoluteTime(value);
    result.kind = SETTING_DATE;
  }
  CFRelease(value);
  return result;
}

static enum answer requested(CFPropertyListRef CONSUMED value, bool *wrong_type) {
  const struct setting_value setting = take(value);
  bool result = false;
  if (setting_boolean(&setting, &result)) return result ? ANSWER_YES : ANSWER_NO;
  if (setting.kind != SETTING_ABSENT) *wrong_type = true;
  return ANSWER_UNREAD;
}

enum answer settings_requested(os_log_t log) {
  bool wrong_type = false;
  enum answer answer = requested(copy_local(CFSTR("GenerateNewKey")), &wrong_type);
  if (answer == ANSWER_UNREAD) answer = requested(copy_searched(CFSTR("GenerateNewKey")), &wrong_type);
  if (wrong_type) LOG_ERROR(log, "ERROR: GenerateNewKey is not a boolean; it counts as not set");
  return answer == ANSWER_YES ? ANSWER_YES : ANSWER_NO;
}

enum answer settings_request_forced(void) {
  return CFPreferencesAppValueIsForced(CFSTR("GenerateNewKey"), SETTINGS_DOMAIN) ? ANSWER_YES : ANSWER_NO;
}

enum answer settings_escrow_profile(os_log_t log) {
  char text[256];
  if (!CFPreferencesAppValueIsForced(CFSTR("Location"), ESCROW_DOMAIN)) return ANSWER_NO;
  const CFPropertyListRef location = CFPreferencesCopyAppValue(CFSTR("Location"), ESCROW_DOMAIN);
  if (location == NULL || CFGetTypeID(location) != CFStringGetTypeID() ||
      !CFStringGetCString(location, text, sizeof text, kCFStringEncodingUTF8))
    text[0] = '\0';
  if (location != NULL) CFRelease(location);
  LOG_DEFAULT(log, "FileVault configured to escrow to: %{public}s", text);
  return ANSWER_YES;
}

uint64_t settings_timeout_ms(os_log_t log) {
  unsigned seconds = DEFAULT_TIMEOUT_SECONDS;
  struct setting_value setting = take(copy_local(CFSTR("CommandTimeout")));
  if (!setting_timeout_seconds(&setting, &seconds)) {
    bool wrong_type = setting.kind != SETTING_ABSENT;
    setting = take(copy_searched(CFSTR("CommandTimeout")));
    if (!setting_timeout_seconds(&setting, &seconds) && (wrong_type || setting.kind != SETTING_ABSENT))
      LOG_ERROR(log, "ERROR: CommandTimeout is not a number of seconds; it counts as not set");
  }
  return (uint64_t)seconds * 1000;
}

int64_t settings_consecutive_failures(void) {
  const struct setting_value setting = take(copy_local(CFSTR("ConsecutiveFailures")));
  if (setting.kind != SETTING_NUMBER || !(setting.number > 0)) return 0;
  return setting.number < INT32_MAX ? (int64_t)setting.number : INT32_MAX;
}

bool settings_held_back(void) {
  const int64_t failures = settings_consecutive_failures();
  if (failures == 0) return false;
  const struct setting_value last = take(copy_local(CFSTR("LastAttempt")));
  return held_back(failures, last.kind == SETTING_DATE, CFAbsoluteTimeGetCurrent() - last.number);
}

static void set(CFStringRef key, CFPropertyListRef value) {
  CFPreferencesSetValue(key, value, SETTINGS_DOMAIN, kCFPreferencesAnyUser, kCFPreferencesCurrentHost);
}

static bool synchronize(void) {
  return CFPreferencesSynchronize(SETTINGS_DOMAIN, kCFPreferencesAnyUser, kCFPreferencesCurrentHost);
}

/* Sets key to value unless it says so already, and releases value; true when something was set. */
static bool set_changed(CFStringRef key, CFPropertyListRef CONSUMED value) {
  if (value == NULL) return false;
  const CFPropertyListRef before = copy_local(key);
  const bool changed = before == NULL || !CFEqual(before, value);
  if (changed) set(key, value);
  if (before != NULL) CFRelease(before);
  CFRelease(value);
  return changed;
}

static CFPropertyListRef create_number(int64_t value) { return CFNumberCreate(NULL, kCFNumberSInt64Type, &value); }
static CFPropertyListRef create_now(void) { return CFDateCreate(NULL, CFAbsoluteTimeGetCurrent()); }
static CFPropertyListRef create_name(enum outcome outcome) {
  return CFStringCreateWithCString(NULL, outcome_name(outcome), kCFStringEncodingUTF8);
}

bool settings_begin_attempt(int64_t consecutive_failures) {
  const CFPropertyListRef date = create_now();
  const CFPropertyListRef count = create_number(consecutive_failures);
  if (date != NULL && count != NULL) {
    set(CFSTR("LastAttempt"), date);
    set(CFSTR("ConsecutiveFailures"), count);
  }
  if (date != NULL) CFRelease(date);
  if (count != NULL) CFRelease(count);
  return date != NULL && count != NULL && synchronize();
}

/* Root's own domain stands before /Library/Preferences in the search list, so a forgotten copy there, written by
 * `sudo defaults write com.netflix.Escrow-Buddy ...`, would go on asking. Source: CF, CFApplicationPreferences.c. */
static void remove_shadow(void) {
  const CFStringRef hosts[] = {kCFPreferencesAnyHost, kCFPreferencesCurrentHost};
  for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
    CFPreferencesSetValue(CFSTR("GenerateNewKey"), NULL, SETTINGS_DOMAIN, kCFPreferencesCurrentUser, hosts[i]);
    (void)CFPreferencesSynchronize(SETTINGS_DOMAIN, kCFPreferencesCurrentUser, hosts[i]);
  }
}

bool settings_clear_request(os_log_t log) {
  bool ignored = false;
  LOG_DEFAULT(log, "Setting GenerateNewKey to False to avoid multiple generations");
  set(CFSTR("GenerateNewKey"), kCFBooleanFalse);
  bool cleared = synchronize();
  if (requested(copy_searched(CFSTR("GenerateNewKey")), &ignored) == ANSWER_YES) remove_shadow();
  cleared = cleared && requested(copy_local(CFSTR("GenerateNewKey")), &ignored) == ANSWER_NO &&
            requested(copy_searched(CFSTR("GenerateNewKey")), &ignored) != ANSWER_YES;
  if (!cleared) LOG_ERROR(log, "ERROR: GenerateNewKey could not be set to False");
  return cleared;
}

static void finish(bool changed, os_log_t log) {
  if (changed && !synchronize()) LOG_ERROR(log, "ERROR: The outcome could not be written to the settings");
}

void settings_end_attempt(const struct attempt *attempt, os_log_t log) {
  const bool rotated = attempt->outcome == OUTCOME_ROTATED || attempt->outcome == OUTCOME_ROTATED_UNCONFIRMED;
  bool changed = set_changed(CFSTR("LastOutcome"), create_name(attempt->outcome));
  changed |= set_changed(CFSTR("ConsecutiveFailures"), create_number(attempt->consecutive_failures));
  if (rotated) changed |= set_changed(CFSTR("LastRotation"), create_now());
  if (attempt->has_status) {
    changed |= set_changed(CFSTR("LastExitStatus"), create_number(attempt->status));
  } else {
    set(CFSTR("LastExitStatus"), NULL);
    changed = true;
  }
  finish(changed, log);
}

void settings_record_outcome(enum outcome outcome, os_log_t log) {
  finish(set_changed(CFSTR("LastOutcome"), create_name(outcome)), log);
}
