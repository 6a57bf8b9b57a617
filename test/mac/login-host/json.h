/* A small JSON reader for the scenario and behaviour tables; strings keep their length, as passwords may hold NUL. */
#ifndef LOGIN_HOST_JSON_H
#define LOGIN_HOST_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum json_kind { JSON_NULL, JSON_BOOLEAN, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_kind kind;
    bool boolean;
    bool integral; /* the number was written without point or exponent */
    double number;
    char *text; /* JSON_STRING: UTF-8, `length` bytes and a NUL behind */
    size_t length; /* bytes of a string, items of an array or object */
    struct json *items; /* JSON_ARRAY and JSON_OBJECT */
    char **keys; /* JSON_OBJECT */
};

/* Reads the file `path`; ends the program with a message when it cannot be read or is not JSON. */
struct json *json_read_file(const char *path);
/* Returns the member `key`, or NULL when `object` is NULL, is no object, or has none. */
const struct json *json_get(const struct json *object, const char *key);
/* Returns the text of the string member `key`, or `fallback`. */
const char *json_text(const struct json *object, const char *key, const char *fallback);
/* Returns the number member `key`, or `fallback`. */
double json_number(const struct json *object, const char *key, double fallback);

#endif
