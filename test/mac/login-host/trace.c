#define _GNU_SOURCE
#include "trace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "plugin.h"
#include "scenario.h"
#include "standin.h"
#include "world.h"

#define STACK_SIZE (160 << 10)
#define NEEDLES 16
#define SHORTEST 6 /* bytes; a shorter password would be found by chance */
#define WINDOW 8

static struct needle {
    uint8_t bytes[4096 * 5];
    size_t length;
    int is_key;
} needles[NEEDLES];
static int needle_count;
static uint8_t *stack;

static void add_needle(const void *bytes, size_t length, int is_key) {
    if (length < SHORTEST || length > sizeof needles[0].bytes || needle_count == NEEDLES) return;
    for (int i = 0; i < needle_count; i++)
        if (needles[i].length == length && memcmp(needles[i].bytes, bytes, length) == 0) return;
    struct needle *needle = &needles[needle_count++];
    memcpy(needle->bytes, bytes, length);
    needle->length = length;
    needle->is_key = is_key;
}

/* As the plugin writes it for XML; the other spellings of the same references would show as the plain parts around them. */
static void add_escaped(const char *text, size_t length) {
    static uint8_t escaped[sizeof needles[0].bytes];
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        const char *reference = text[i] == '&' ? "&amp;" : text[i] == '<' ? "&lt;" : text[i] == '>' ? "&gt;" : text[i] == '\r' ? "&#13;" : NULL;
        if (!reference) escaped[used++] = (uint8_t)text[i];
        else memcpy(escaped + used, reference, strlen(reference)), used += strlen(reference);
    }
    add_needle(escaped, used, 0);
}

void trace_start(void) {
    needle_count = 0;
    add_needle(behaviours_key(), strlen(behaviours_key()), 1);
    for (int i = 0; i < scenario->login_count; i++) {
        const struct login *one = &scenario->logins[i];
        add_needle(one->password, one->password_length, 0);
        add_escaped(one->password, one->password_length);
    }
    if (!stack) stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

bool secret_in(const void *bytes, size_t length, const char *where) {
    for (int i = 0; i < needle_count; i++) {
        if (!memmem(bytes, length, needles[i].bytes, needles[i].length)) continue;
        violation("%s in %s", needles[i].is_key ? "the new key" : "the password", where);
        return true;
    }
    return false;
}

#ifdef LOGIN_HOST_NATIVE
/* AddressSanitizer keeps its own stack and heap, so the native build is not searched. */
void trace_run(void (*function)(void)) { function(); }
void trace_search(int windows) { (void)windows; }
void trace_plant(const char *place) { (void)place; }
#else
static ucontext_t outside, inside;

void trace_run(void (*function)(void)) {
    getcontext(&inside);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = STACK_SIZE;
    inside.uc_link = &outside;
    makecontext(&inside, function, 0);
    swapcontext(&outside, &inside);
}

static void search_region(const uint8_t *at, size_t length, int windows) {
    world->searched_bytes += (uint32_t)length;
    for (int i = 0; i < needle_count; i++) {
        const struct needle *needle = &needles[i];
        size_t width = windows && needle->length > WINDOW ? WINDOW : needle->length;
        size_t starts = width == WINDOW && windows ? needle->length - width + 1 : 1;
        uint32_t *hits = needle->is_key ? &world->hits_key : &world->hits_password;
        for (size_t start = 0; start < starts; start += start > 64 ? WINDOW : 1)
            if (memmem(at, length, needle->bytes + start, width)) (*hits)++;
    }
}

void trace_search(int windows) {
    const struct image *image = plugin_image();
    for (size_t i = 0; i < image->segment_count; i++) {
        const struct image_segment *segment = &image->segments[i];
        if (segment->protection & 1 && segment->vm_size) search_region(image->base + (segment->vm_address - image->link_base), segment->vm_size, windows);
    }
    size_t length;
    const uint8_t *heap = memory_arena(&length);
    search_region(heap, length, windows);
    const uint8_t *objects = cf_arena(&length);
    search_region(objects, length, windows);
    search_region(stack, STACK_SIZE, windows);
    if (world->hits_password) violation("the password is left in %u places", world->hits_password);
    if (world->hits_key) violation("the new key is left in %u places", world->hits_key);
}

static uint8_t *plant_place(const char *place) {
    const struct image *image = plugin_image();
    size_t length;
    if (strcmp(place, "stack") == 0) return stack + STACK_SIZE / 2;
    if (strcmp(place, "heap") == 0) return (uint8_t *)memory_arena(&length) + length - 4096;
    if (strcmp(place, "objects") == 0) return (uint8_t *)cf_arena(&length) + 64;
    for (size_t i = 0; i < image->segment_count; i++)
        if (strcmp(image->segments[i].name, "__DATA") == 0) return image->base + (image->segments[i].vm_address - image->link_base);
    return NULL;
}

void trace_plant(const char *place) {
    uint8_t *at = plant_place(place);
    if (!at) return;
    for (int i = 0; i < needle_count; i++) {
        memcpy(at, needles[i].bytes, needles[i].length < 200 ? needles[i].length : 200);
        at += 208;
    }
}
#endif
