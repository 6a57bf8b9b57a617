#include "settings.h"

#include <stddef.h>
#include <stdlib.h>

#include "preferences.h"

enum {
  DEFAULT_TIMEOUT_SECONDS = 30,
  LOCATION_MOST = 1 << 20, /* UTF-16 units: more than any administrator writes, and than logd keeps */
  UTF8_PER_UNIT = 3        /* bytes at most for one UTF-16 unit; a pair of units takes four */
};

/* The escrow profile's payload type. Source: apple/device-management. */
#define ESCROW_DOMAIN CFSTR("com.apple.security.FDERecoveryKeyEscrow")

static enum answer requested(CFPropertyListRef CONSUMED value, bool *wrong_type) {
  const struct setting_value setting = take_value(value);
  bool result = false;
  if (setting_boolean(&setting, &result)) return result ? ANSWER_YES : ANSWER_NO;
  if (setting.kind != SETTING_ABSENT) *wrong_type = true;
  return ANSWER_UNREAD;
}

enum answer settings_requested(os_log_t log) {
  bool wrong_type = false;
  enum answer answer = requested(copy_local(CFSTR("GenerateNewKey")), &wrong_type);
  if (answer != ANSWER_YES) answer = requested(copy_searched(CFSTR("GenerateNewKey")), &wrong_type);
  if (wrong_type) LOG_ERROR(log, "ERROR: GenerateNewKey is not a boolean; it counts as not set");
  return answer == ANSWER_YES ? ANSWER_YES : ANSWER_NO;
}

enum answer settings_request_forced(void) {
  return CFPreferencesAppValueIsForced(CFSTR("GenerateNewKey"), SETTINGS_DOMAIN) ? ANSWER_YES : ANSWER_NO;
}

/* A copy of the string for free(); NULL when it is none, or cannot be had as a C string. */
static char *copy_text(CFPropertyListRef string) {
  if (string == NULL || CFGetTypeID(string) != CFStringGetTypeID()) return NULL;
  const CFIndex units = CFStringGetLength(string);
  if (units < 0 || units > LOCATION_MOST) return NULL;
  const size_t size = (size_t)units * UTF8_PER_UNIT + 1;
  char *const text = calloc(size, 1);
  if (text == NULL || CFStringGetCString(string, text, (CFIndex)size, kCFStringEncodingUTF8)) return text;
  free(text);
  return NULL;
}

enum answer settings_escrow_profile(os_log_t log) {
  if (!CFPreferencesAppValueIsForced(CFSTR("Location"), ESCROW_DOMAIN)) return ANSWER_NO;
  const CFPropertyListRef location = CFPreferencesCopyAppValue(CFSTR("Location"), ESCROW_DOMAIN);
  char *const text = copy_text(location);
  LOG_DEFAULT(log, "FileVault configured to escrow to: %{public}s", text != NULL ? text : "(No Location Description)");
  free(text);
  if (location != NULL) CFRelease(location);
  return ANSWER_YES;
}

static bool timeout(CFPropertyListRef CONSUMED value, unsigned *seconds, bool *wrong_type) {
  const struct setting_value setting = take_value(value);
  if (setting_timeout_seconds(&setting, seconds)) return true;
  if (setting.kind != SETTING_ABSENT) *wrong_type = true;
  return false;
}

/* A profile wins over a local value, as everywhere on macOS; root's own domain comes last. */
uint64_t settings_timeout_ms(os_log_t log) {
  unsigned seconds = DEFAULT_TIMEOUT_SECONDS;
  bool wrong_type = false;
  const bool forced = CFPreferencesAppValueIsForced(CFSTR("CommandTimeout"), SETTINGS_DOMAIN);
  if (!(forced && timeout(copy_searched(CFSTR("CommandTimeout")), &seconds, &wrong_type)) &&
      !timeout(copy_local(CFSTR("CommandTimeout")), &seconds, &wrong_type) && !forced)
    (void)timeout(copy_searched(CFSTR("CommandTimeout")), &seconds, &wrong_type);
  if (wrong_type) LOG_ERROR(log, "ERROR: CommandTimeout is not a number of seconds; it counts as not set");
  return (uint64_t)seconds * 1000;
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
  set_local(CFSTR("GenerateNewKey"), kCFBooleanFalse);
  bool cleared = synchronize_local();
  if (requested(copy_searched(CFSTR("GenerateNewKey")), &ignored) == ANSWER_YES) remove_shadow();
  cleared = cleared && requested(copy_local(CFSTR("GenerateNewKey")), &ignored) == ANSWER_NO &&
            requested(copy_searched(CFSTR("GenerateNewKey")), &ignored) != ANSWER_YES;
  if (!cleared) LOG_ERROR(log, "ERROR: GenerateNewKey could not be set to False");
  return cleared;
}
