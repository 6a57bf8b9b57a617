/* What the plug-in uses of CoreFoundation. Sources: CFBase.h, CFString.h, CFNumber.h, CFDate.h, CFPreferences.h of
 * the published CF project. */
#ifndef SDK_COREFOUNDATION_H
#define SDK_COREFOUNDATION_H

typedef unsigned char Boolean;
typedef long CFIndex;
typedef unsigned long CFTypeID;
typedef double CFAbsoluteTime; /* seconds since 2001-01-01 00:00:00 UTC */
typedef unsigned int CFStringEncoding;
typedef CFIndex CFNumberType;

typedef const void *CFTypeRef;
typedef CFTypeRef CFPropertyListRef;
typedef const struct __CFAllocator *CFAllocatorRef;
typedef const struct __CFString *CFStringRef;
typedef const struct __CFBoolean *CFBooleanRef;
typedef const struct __CFNumber *CFNumberRef;
typedef const struct __CFDate *CFDateRef;

enum { kCFNumberSInt64Type = 4, kCFNumberDoubleType = 13 };
enum { kCFStringEncodingUTF8 = 0x08000100 };

/* A string object laid out by the compiler: {isa, flags, bytes, length}, isa bound to
 * __CFConstantStringClassReference. */
#define CFSTR(text) ((CFStringRef)__builtin___CFStringMakeConstantString("" text ""))

void CFRelease(CFTypeRef object);
Boolean CFEqual(CFTypeRef a, CFTypeRef b);
CFTypeID CFGetTypeID(CFTypeRef object);
CFTypeID CFStringGetTypeID(void);
CFTypeID CFBooleanGetTypeID(void);
CFTypeID CFNumberGetTypeID(void);
CFTypeID CFDateGetTypeID(void);

CFStringRef CFStringCreateWithCString(CFAllocatorRef allocator, const char *text, CFStringEncoding encoding);
CFIndex CFStringGetLength(CFStringRef string); /* UTF-16 units */
Boolean CFStringGetCString(CFStringRef string, char *buffer, CFIndex size, CFStringEncoding encoding);

extern const CFBooleanRef kCFBooleanFalse;
Boolean CFBooleanGetValue(CFBooleanRef boolean);
CFNumberRef CFNumberCreate(CFAllocatorRef allocator, CFNumberType type, const void *value);
Boolean CFNumberGetValue(CFNumberRef number, CFNumberType type, void *value);

CFAbsoluteTime CFAbsoluteTimeGetCurrent(void);
CFDateRef CFDateCreate(CFAllocatorRef allocator, CFAbsoluteTime at);
CFAbsoluteTime CFDateGetAbsoluteTime(CFDateRef date);

extern const CFStringRef kCFPreferencesAnyUser;
extern const CFStringRef kCFPreferencesCurrentUser;
extern const CFStringRef kCFPreferencesAnyHost;
extern const CFStringRef kCFPreferencesCurrentHost;
CFPropertyListRef CFPreferencesCopyAppValue(CFStringRef key, CFStringRef application);
CFPropertyListRef CFPreferencesCopyValue(CFStringRef key, CFStringRef application, CFStringRef user, CFStringRef host);
void CFPreferencesSetValue(CFStringRef key, CFPropertyListRef value, CFStringRef application, CFStringRef user,
                           CFStringRef host);
Boolean CFPreferencesSynchronize(CFStringRef application, CFStringRef user, CFStringRef host);
Boolean CFPreferencesAppValueIsForced(CFStringRef key, CFStringRef application);

#endif
