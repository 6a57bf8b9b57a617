#include "json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    const char *at;
    const char *end;
    const char *path;
};

static _Noreturn void refuse(const struct reader *reader, const char *expected) {
    fprintf(stderr, "%s: expected %s before '%.20s'\n", reader->path, expected, reader->at);
    exit(2);
}

static void skip_space(struct reader *reader) {
    while (reader->at < reader->end && strchr(" \t\r\n", *reader->at)) reader->at++;
}

static bool take(struct reader *reader, char wanted) {
    skip_space(reader);
    if (reader->at >= reader->end || *reader->at != wanted) return false;
    reader->at++;
    return true;
}

static uint32_t read_hex4(struct reader *reader) {
    char digits[5] = {0};
    if (reader->end - reader->at < 4) refuse(reader, "four hexadecimal digits");
    memcpy(digits, reader->at, 4);
    reader->at += 4;
    return (uint32_t)strtoul(digits, NULL, 16);
}

static char *put_utf8(char *out, uint32_t c) {
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3f));
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

static char *read_escape(struct reader *reader, char *out) {
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char letter = *reader->at++;
    if (letter == 'u') {
        uint32_t c = read_hex4(reader);
        if (c >= 0xd800 && c < 0xdc00 && reader->end - reader->at > 6 && reader->at[0] == '\\') {
            reader->at += 2;
            c = 0x10000 + ((c - 0xd800) << 10) + (read_hex4(reader) - 0xdc00);
        }
        return put_utf8(out, c);
    }
    const char *name = strchr(names, letter);
    if (!name || !letter) refuse(reader, "an escape");
    *out++ = values[name - names];
    return out;
}

static void read_string(struct reader *reader, struct json *into) {
    into->kind = JSON_STRING;
    const char *close = reader->at;
    while (close < reader->end && *close != '"') close += *close == '\\' ? 2 : 1;
    if (close >= reader->end) refuse(reader, "the end of a string");
    char *out = into->text = malloc((size_t)(close - reader->at) + 1);
    while (*reader->at != '"') {
        if (*reader->at == '\\') {
            reader->at++;
            out = read_escape(reader, out);
        } else {
            *out++ = *reader->at++;
        }
    }
    reader->at++;
    *out = 0;
    into->length = (size_t)(out - into->text);
}

static void read_value(struct reader *reader, struct json *into);

static void read_items(struct reader *reader, struct json *into, char close) {
    size_t room = 0;
    into->kind = close == '}' ? JSON_OBJECT : JSON_ARRAY;
    if (take(reader, close)) return;
    do {
        if (into->length == room) {
            room = room ? room * 2 : 8;
            into->items = realloc(into->items, room * sizeof *into->items);
            into->keys = realloc(into->keys, room * sizeof *into->keys);
        }
        struct json *item = &into->items[into->length];
        if (close == '}') {
            struct json key = {0};
            if (!take(reader, '"')) refuse(reader, "a member's name");
            read_string(reader, &key);
            into->keys[into->length] = key.text;
            if (!take(reader, ':')) refuse(reader, "':'");
        }
        read_value(reader, item);
        into->length++;
    } while (take(reader, ','));
    if (!take(reader, close)) refuse(reader, close == '}' ? "'}'" : "']'");
}

static void read_number(struct reader *reader, struct json *into) {
    char *end;
    into->kind = JSON_NUMBER;
    into->number = strtod(reader->at, &end);
    if (end == reader->at) refuse(reader, "a value");
    into->integral = memchr(reader->at, '.', (size_t)(end - reader->at)) == NULL && memchr(reader->at, 'e', (size_t)(end - reader->at)) == NULL;
    reader->at = end;
}

static bool take_word(struct reader *reader, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0) return false;
    reader->at += length;
    return true;
}

static void read_value(struct reader *reader, struct json *into) {
    memset(into, 0, sizeof *into);
    if (take(reader, '{')) read_items(reader, into, '}');
    else if (take(reader, '[')) read_items(reader, into, ']');
    else if (take(reader, '"')) read_string(reader, into);
    else if (take_word(reader, "null")) into->kind = JSON_NULL;
    else if (take_word(reader, "true")) into->kind = JSON_BOOLEAN, into->boolean = true;
    else if (take_word(reader, "false")) into->kind = JSON_BOOLEAN;
    else read_number(reader, into);
}

struct json *json_read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(2);
    }
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = malloc((size_t)size + 1);
    if (fread(text, 1, (size_t)size, file) != (size_t)size) exit(2);
    fclose(file);
    text[size] = 0;
    struct reader reader = {text, text + size, path};
    struct json *value = malloc(sizeof *value);
    read_value(&reader, value);
    skip_space(&reader);
    if (reader.at != reader.end) refuse(&reader, "the end of the file");
    return value;
}

const struct json *json_get(const struct json *object, const char *key) {
    if (!object || object->kind != JSON_OBJECT) return NULL;
    for (size_t i = 0; i < object->length; i++)
        if (strcmp(object->keys[i], key) == 0) return &object->items[i];
    return NULL;
}

const char *json_text(const struct json *object, const char *key, const char *fallback) {
    const struct json *member = json_get(object, key);
    return member && member->kind == JSON_STRING ? member->text : fallback;
}

double json_number(const struct json *object, const char *key, double fallback) {
    const struct json *member = json_get(object, key);
    return member && member->kind == JSON_NUMBER ? member->number : fallback;
}
