/* Our preference domain, as the parts that know its keys use it. */
#ifndef ESCROW_BUDDY_PREFERENCES_H
#define ESCROW_BUDDY_PREFERENCES_H

#include <CoreFoundation/CoreFoundation.h>
#include <stdbool.h>
#include <stdint.h>

#include "setting-value.h"

/* The callee releases the object: it may be passed on without a name. */
#define CONSUMED __attribute__((cf_consumed))

#define SETTINGS_DOMAIN CFSTR("com.netflix.Escrow-Buddy")

/* AnyUser and CurrentHost: /Library/Preferences. Source: CF, CFPreferences.c, and authd's own reading (server.m). */
CFPropertyListRef copy_local(CFStringRef key);

/* The first of the search list: profiles, root's own domain, then /Library/Preferences. */
CFPropertyListRef copy_searched(CFStringRef key);

/* Reads what a property list holds and releases it; kind OTHER for what no setting of ours is. */
struct setting_value take_value(CFPropertyListRef CONSUMED value);

/* Changes in /Library/Preferences, kept by synchronize_local(). A NULL value removes the key. */
void set_local(CFStringRef key, CFPropertyListRef value);

/* False when what was set is not on disk. */
bool synchronize_local(void);

/* Sets key to value unless it says so already, and releases value; true when something was set. */
bool change_local(CFStringRef key, CFPropertyListRef CONSUMED value);

/* Removes key unless it is not there. */
void remove_local(CFStringRef key);

CFPropertyListRef create_number(int64_t value);
CFPropertyListRef create_now(void);

#endif
