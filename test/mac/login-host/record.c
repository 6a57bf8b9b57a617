#include "record.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

bool recording = true;

void record_raw(const char *format, ...) {
    size_t room = WORLD_EVENTS_MOST - world->events_length;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(world->events + world->events_length, room, format, arguments);
    va_end(arguments);
    if (length > 0 && (size_t)length < room) world->events_length += (uint32_t)length;
}

void record_string(const void *bytes, size_t length) {
    static const char digits[] = "0123456789abcdef";
    if (world->events_length + 6 * length + 3 > WORLD_EVENTS_MOST) length = 0;
    char *out = world->events + world->events_length;
    *out++ = '"';
    for (size_t i = 0; i < length; i++) {
        unsigned char c = ((const unsigned char *)bytes)[i];
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            *out++ = (char)c;
            continue;
        }
        memcpy(out, "\\u00", 4);
        out[4] = digits[c >> 4];
        out[5] = digits[c & 15];
        out += 6;
    }
    *out++ = '"';
    world->events_length = (uint32_t)(out - world->events);
}

void event_begin(const char *name) {
    if (!recording) return;
    record_raw("%s{\"event\":\"%s\"", world->events_length ? "," : "", name);
}

void event_number(const char *key, long long value) {
    if (recording) record_raw(",\"%s\":%lld", key, value);
}

void event_boolean(const char *key, bool value) {
    if (recording) record_raw(",\"%s\":%s", key, value ? "true" : "false");
}

void event_bytes(const char *key, const void *bytes, size_t length) {
    if (!recording) return;
    record_raw(",\"%s\":", key);
    if (bytes) record_string(bytes, length);
    else record_raw("null");
}

void event_text(const char *key, const char *text) { event_bytes(key, text, text ? strlen(text) : 0); }

void event_list(const char *key, char *const *texts) {
    if (!recording) return;
    record_raw(",\"%s\":[", key);
    for (size_t i = 0; texts && texts[i]; i++) {
        if (i) record_raw(",");
        record_string(texts[i], strlen(texts[i]));
    }
    record_raw("]");
}

void event_end(void) {
    if (recording) record_raw("}");
}
