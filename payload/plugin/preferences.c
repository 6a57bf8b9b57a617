#include "preferences.h"

#include <stddef.h>

CFPropertyListRef copy_local(CFStringRef key) {
  return CFPreferencesCopyValue(key, SETTINGS_DOMAIN, kCFPreferencesAnyUser, kCFPreferencesCurrentHost);
}

CFPropertyListRef copy_searched(CFStringRef key) { return CFPreferencesCopyAppValue(key, SETTINGS_DOMAIN); }

struct setting_value take_value(CFPropertyListRef CONSUMED value) {
  struct setting_value result = {.kind = SETTING_ABSENT};
  if (value == NULL) return result;
  const CFTypeID type = CFGetTypeID(value);
  result.kind = SETTING_OTHER;
  if (type == CFBooleanGetTypeID()) {
    result.kind = SETTING_BOOLEAN;
    result.number = CFBooleanGetValue(value);
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

void set_local(CFStringRef key, CFPropertyListRef value) {
  CFPreferencesSetValue(key, value, SETTINGS_DOMAIN, kCFPreferencesAnyUser, kCFPreferencesCurrentHost);
}

bool synchronize_local(void) {
  return CFPreferencesSynchronize(SETTINGS_DOMAIN, kCFPreferencesAnyUser, kCFPreferencesCurrentHost);
}

bool change_local(CFStringRef key, CFPropertyListRef CONSUMED value) {
  if (value == NULL) return false;
  const CFPropertyListRef before = copy_local(key);
  const bool changed = before == NULL || !CFEqual(before, value);
  if (changed) set_local(key, value);
  if (before != NULL) CFRelease(before);
  CFRelease(value);
  return changed;
}

void remove_local(CFStringRef key) {
  const CFPropertyListRef before = copy_local(key);
  if (before == NULL) return;
  CFRelease(before);
  set_local(key, NULL);
}

CFPropertyListRef create_number(int64_t value) { return CFNumberCreate(NULL, kCFNumberSInt64Type, &value); }
CFPropertyListRef create_now(void) { return CFDateCreate(NULL, CFAbsoluteTimeGetCurrent()); }
