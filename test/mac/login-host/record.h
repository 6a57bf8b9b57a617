/* The record of a run: events in their order, as JSON. */
#ifndef LOGIN_HOST_RECORD_H
#define LOGIN_HOST_RECORD_H

#include <stdbool.h>
#include <stddef.h>

/* Off in sweeps, where only the verdict counts. */
extern bool recording;

/* Opens the event `name`; then fields; then event_end(). */
void event_begin(const char *name);
void event_number(const char *key, long long value);
void event_boolean(const char *key, bool value);
/* Bytes above 0x7e and control characters become \u00XX: the reader gets one character a byte. `bytes` NULL writes null. */
void event_bytes(const char *key, const void *bytes, size_t length);
void event_text(const char *key, const char *text);
/* A list of texts, up to NULL. */
void event_list(const char *key, char *const *texts);
void event_end(void);

/* Appends to the record as it stands. */
void record_raw(const char *format, ...) __attribute__((format(printf, 1, 2)));
void record_string(const void *bytes, size_t length);

#endif
