/* The unified log: decodes what the compiler laid out. Source: clang/include/clang/AST/OSLog.h (LLVM); types: os/log.h. */
#include <stdio.h>
#include <string.h>

#include "macho.h"
#include "plugin.h"
#include "record.h"
#include "scenario.h"
#include "standin.h"
#include "world.h"

enum { ITEM_PRIVATE = 1, ITEM_PUBLIC = 2 };
enum { KIND_SCALAR = 0, KIND_COUNT = 1, KIND_STRING = 2 };
enum { LOG_DEBUG = 2, LOG_INFO = 1 };
#define ITEMS 16

struct log_object {
    char subsystem[64];
    char category[32];
};
struct log_object standin_os_log_default = {"default", "default"};
static struct log_object objects[16];
static int object_count;

struct log_object *standin_os_log_create(const char *subsystem, const char *category) {
    if (called(ID_os_log_create)) return NULL;
    for (int i = 0; i < object_count; i++)
        if (strcmp(objects[i].subsystem, subsystem) == 0 && strcmp(objects[i].category, category) == 0) return &objects[i];
    if (object_count == 16) return NULL;
    struct log_object *object = &objects[object_count++];
    snprintf(object->subsystem, sizeof object->subsystem, "%s", subsystem);
    snprintf(object->category, sizeof object->category, "%s", category);
    return object;
}

/* Debug and info are off on a Mac unless somebody turns them on. */
int32_t standin_os_log_type_enabled(const struct log_object *log, uint32_t type) {
    if (called(ID_os_log_type_enabled) || !log) return 0;
    type &= 0xff;
    return (type != LOG_DEBUG && type != LOG_INFO) || scenario->debug_log;
}

/* Writes the message as `log show` prints it, private values as <private>; returns whether the buffer fits the format. */
static bool render(char *out, size_t room, const char *format, const uint8_t *buffer, uint32_t size) {
    uint32_t at = 2, items = size >= 2 ? buffer[1] : 0;
    size_t used = 0;
    for (const char *c = format; *c && used + 1 < room; c++) {
        if (*c != '%' || c[1] == '%') {
            out[used++] = *c;
            c += *c == '%';
            continue;
        }
        if (items-- == 0 || at + 2 > size) return false;
        uint8_t kind = buffer[at] >> 4, flags = buffer[at] & 15, length = buffer[at + 1];
        at += 2;
        if (at + length > size) return false;
        if (c[1] == '{') c += strcspn(c, "}");
        int64_t scalar = 0;
        const char *text = NULL;
        if (kind == KIND_STRING) memcpy(&text, buffer + at, sizeof text);
        else if (length == 4) scalar = (int32_t)read_u32(buffer + at);
        else memcpy(&scalar, buffer + at, length < 8 ? length : 8);
        at += length;
        if (kind == KIND_STRING) secret_in(text, strlen(text), flags & ITEM_PUBLIC ? "a public log value" : "a private log value");
        bool hidden = flags & ITEM_PRIVATE || (kind == KIND_STRING && !(flags & ITEM_PUBLIC));
        int written = hidden ? snprintf(out + used, room - used, "<private>")
            : kind == KIND_STRING ? snprintf(out + used, room - used, "%s", text) : snprintf(out + used, room - used, "%lld", (long long)scalar);
        used += (size_t)written < room - used ? (size_t)written : room - used - 1;
        c += strcspn(c, "dusx");
    }
    out[used] = 0;
    return items == 0 && at == size;
}

void standin_os_log_impl(const void *image, const struct log_object *log, uint32_t type, const char *format, const uint8_t *buffer, uint32_t size) {
    static char message[8192];
    called(ID_os_log_impl);
    (void)image;
    if (!log) {
        violation("logs to NULL");
        return;
    }
    if (!plugin_holds(format)) violation("a log format that is not in the image: logd could not find it");
    if (!render(message, sizeof message, format, buffer, size)) violation("a log buffer that does not fit its format '%s'", format);
    event_begin("log");
    event_text("subsystem", log->subsystem);
    event_text("category", log->category);
    event_number("type", type & 0xff);
    event_text("message", message);
    event_text("format", format);
    event_end();
}
