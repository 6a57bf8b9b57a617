/* Objects of the miniature CoreFoundation, for the preferences. */
#ifndef LOGIN_HOST_CF_H
#define LOGIN_HOST_CF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cf_type { CF_STRING = 7, CF_BOOLEAN = 21, CF_NUMBER = 22, CF_DATE = 42, CF_DATA = 20 };

struct cf_object {
    const void *isa;
    uint64_t flags; /* in a compiler-made string: 0x7c8, 8-bit text */
    const char *text; /* CF_STRING, UTF-8; in a compiler-made string at the same offset */
    int64_t length; /* bytes */
    uint32_t type; /* from here on only in objects made here */
    int32_t references; /* of an object made at run time */
    bool constant; /* a boolean: never released for good */
    bool real; /* CF_NUMBER holds a double */
    int64_t integer; /* CF_BOOLEAN, CF_NUMBER */
    double number; /* CF_NUMBER when real; CF_DATE, seconds since 2001 */
};

/* Returns the kind of a live object; 0 and a violation for anything else. */
enum cf_type cf_type_of(const struct cf_object *object);
/* Each returns a new object with one reference. */
struct cf_object *cf_make_string(const char *text, size_t length);
struct cf_object *cf_make_integer(int64_t value);
struct cf_object *cf_make_real(double value);
struct cf_object *cf_make_date(double seconds);
struct cf_object *cf_make_data(void);
const struct cf_object *cf_boolean(bool value);
/* Returns whether the string has exactly this text. */
bool cf_is(const struct cf_object *string, const char *text);

#endif
