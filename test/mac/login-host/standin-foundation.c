/* CFString, CFNumber, CFBoolean and CFDate with reference counts. Sources: CFBase.h, CFString.h, CFNumber.h, CFDate.h (CF project). */
#include <string.h>

#include "cf.h"
#include "standin.h"
#include "world.h"

#define CF_ARENA (256 << 10)
#define CF_UTF8 0x08000100
/* CFNumberType. */
enum { CF_SINT32 = 3, CF_SINT64 = 4, CF_FLOAT64 = 6, CF_INT = 9, CF_LONG = 10, CF_LONG_LONG = 11, CF_DOUBLE = 13, CF_INDEX = 14 };

/* The compiler points the first word of each constant string here; ours carry their own mark. */
int32_t standin_CFConstantStringClassReference[32];
static const char own_class[] = "object of the login host";

static const struct cf_object true_object = {own_class, 0, 0, 0, CF_BOOLEAN, 1, true, false, 1, 0};
static const struct cf_object false_object = {own_class, 0, 0, 0, CF_BOOLEAN, 1, true, false, 0, 0};
const void *standin_kCFAllocatorDefault = NULL;
const struct cf_object *const standin_kCFBooleanTrue = &true_object;
const struct cf_object *const standin_kCFBooleanFalse = &false_object;

/* Objects and their text are not reused, so that a released one is known and its bytes can be searched. */
static _Alignas(16) uint8_t arena[CF_ARENA];
static size_t arena_used;
static int live;

int cf_left(void) { return live; }

const uint8_t *cf_arena(size_t *length) {
    *length = arena_used;
    return arena;
}

static struct cf_object *make(enum cf_type type, size_t extra) {
    size_t whole = (sizeof(struct cf_object) + extra + 15) & ~(size_t)15;
    if (arena_used + whole > CF_ARENA) {
        violation("makes too many objects");
        return NULL;
    }
    struct cf_object *object = (struct cf_object *)(arena + arena_used);
    arena_used += whole;
    memset(object, 0, whole);
    object->isa = own_class;
    object->type = type;
    object->references = 1;
    live++;
    return object;
}

enum cf_type cf_type_of(const struct cf_object *object) {
    if (!object) return violation("uses NULL as an object"), 0;
    if (object->isa == standin_CFConstantStringClassReference) return CF_STRING;
    if (object->isa != own_class) return violation("uses something else as an object"), 0;
    if (object->references <= 0) return violation("uses a released object"), 0;
    return object->type;
}

struct cf_object *cf_make_string(const char *text, size_t length) {
    struct cf_object *object = make(CF_STRING, length + 1);
    if (!object) return NULL;
    object->text = memcpy(object + 1, text, length);
    object->length = (int64_t)length;
    return object;
}
struct cf_object *cf_make_integer(int64_t value) {
    struct cf_object *object = make(CF_NUMBER, 0);
    if (object) object->integer = value;
    return object;
}
struct cf_object *cf_make_real(double value) {
    struct cf_object *object = make(CF_NUMBER, 0);
    if (object) object->real = true, object->number = value;
    return object;
}
struct cf_object *cf_make_date(double seconds) {
    struct cf_object *object = make(CF_DATE, 0);
    if (object) object->number = seconds;
    return object;
}
struct cf_object *cf_make_data(void) { return make(CF_DATA, 16); }
const struct cf_object *cf_boolean(bool value) { return value ? &true_object : &false_object; }

bool cf_is(const struct cf_object *string, const char *text) {
    return cf_type_of(string) == CF_STRING && (size_t)string->length == strlen(text) && memcmp(string->text, text, strlen(text)) == 0;
}

void standin_CFRelease(struct cf_object *object) {
    called(ID_CFRelease);
    cf_type_of(object);
    if (!object || object->isa != own_class || object->constant || object->references <= 0) return;
    if (--object->references == 0) live--;
}

const struct cf_object *standin_CFRetain(struct cf_object *object) {
    called(ID_CFRetain);
    cf_type_of(object);
    if (object && object->isa == own_class && !object->constant) object->references++;
    return object;
}

uint32_t standin_CFEqual(const struct cf_object *a, const struct cf_object *b) {
    called(ID_CFEqual);
    enum cf_type type = cf_type_of(a);
    if (type != cf_type_of(b)) return 0;
    if (type == CF_STRING) return a->length == b->length && memcmp(a->text, b->text, (size_t)a->length) == 0;
    return a->real == b->real && a->integer == b->integer && a->number == b->number;
}

uint64_t standin_CFGetTypeID(const struct cf_object *object) {
    called(ID_CFGetTypeID);
    return cf_type_of(object);
}
uint64_t standin_CFBooleanGetTypeID(void) { return CF_BOOLEAN; }
uint64_t standin_CFNumberGetTypeID(void) { return CF_NUMBER; }
uint64_t standin_CFStringGetTypeID(void) { return CF_STRING; }
uint64_t standin_CFDateGetTypeID(void) { return CF_DATE; }

static void expect(const struct cf_object *object, enum cf_type type, const char *function) {
    if (cf_type_of(object) != type) violation("%s of another type: Apple's would end the process", function);
}

uint32_t standin_CFBooleanGetValue(const struct cf_object *boolean) {
    called(ID_CFBooleanGetValue);
    expect(boolean, CF_BOOLEAN, "CFBooleanGetValue");
    return boolean->integer != 0;
}

/* False also when the value had to be changed to fit; what fits is stored nevertheless. */
uint32_t standin_CFNumberGetValue(const struct cf_object *number, int64_t type, void *out) {
    enum fault fault = called(ID_CFNumberGetValue);
    expect(number, CF_NUMBER, "CFNumberGetValue");
    if (fault) return 0;
    double real = number->real ? number->number : (double)number->integer;
    int64_t integer = number->real ? (int64_t)number->number : number->integer;
    switch (type) {
    case CF_FLOAT64:
    case CF_DOUBLE: memcpy(out, &real, 8); return number->real || (int64_t)real == integer;
    case CF_SINT64:
    case CF_LONG:
    case CF_LONG_LONG:
    case CF_INDEX: memcpy(out, &integer, 8); return !number->real || (double)integer == real;
    case CF_SINT32:
    case CF_INT: {
        int32_t narrow = (int32_t)integer;
        memcpy(out, &narrow, 4);
        return narrow == integer;
    }
    default: violation("CFNumberGetValue with type %ld", (long)type); return 0;
    }
}

struct cf_object *standin_CFNumberCreate(const void *allocator, int64_t type, const void *value) {
    (void)allocator;
    if (called(ID_CFNumberCreate)) return NULL;
    int32_t narrow;
    int64_t integer;
    double real;
    memcpy(&narrow, value, 4);
    if (type == CF_SINT32 || type == CF_INT) return cf_make_integer(narrow);
    memcpy(&integer, value, 8);
    memcpy(&real, value, 8);
    return type == CF_DOUBLE || type == CF_FLOAT64 ? cf_make_real(real) : cf_make_integer(integer);
}

struct cf_object *standin_CFStringCreateWithCString(const void *allocator, const char *text, uint32_t encoding) {
    (void)allocator;
    if (encoding != CF_UTF8) violation("a string in encoding 0x%x", encoding);
    secret_in(text, strlen(text), "a CFString");
    return called(ID_CFStringCreateWithCString) ? NULL : cf_make_string(text, strlen(text));
}

uint32_t standin_CFStringGetCString(const struct cf_object *string, char *out, int64_t room, uint32_t encoding) {
    enum fault fault = called(ID_CFStringGetCString);
    expect(string, CF_STRING, "CFStringGetCString");
    if (fault || encoding != CF_UTF8 || string->length + 1 > room || memchr(string->text, 0, (size_t)string->length)) return 0;
    memcpy(out, string->text, (size_t)string->length);
    out[string->length] = 0;
    return 1;
}

/* In UTF-16 units: one for each character, two beyond U+FFFF, which UTF-8 writes in four bytes. Made to fail it tells of more than a million. */
int64_t standin_CFStringGetLength(const struct cf_object *string) {
    int64_t units = 0;
    enum fault fault = called(ID_CFStringGetLength);
    expect(string, CF_STRING, "CFStringGetLength");
    if (fault) return (1 << 20) + 1;
    for (int64_t i = 0; i < string->length; i++) units += (string->text[i] & 0xc0) != 0x80 ? 1 + ((string->text[i] & 0xf8) == 0xf0) : 0;
    return units;
}

double standin_CFAbsoluteTimeGetCurrent(void) {
    called(ID_CFAbsoluteTimeGetCurrent);
    return (double)wall_ns() / NS_PER_SECOND - CF_EPOCH_SECONDS;
}
struct cf_object *standin_CFDateCreate(const void *allocator, double seconds) {
    (void)allocator;
    return called(ID_CFDateCreate) ? NULL : cf_make_date(seconds);
}
double standin_CFDateGetAbsoluteTime(const struct cf_object *date) {
    called(ID_CFDateGetAbsoluteTime);
    expect(date, CF_DATE, "CFDateGetAbsoluteTime");
    return date->number;
}
