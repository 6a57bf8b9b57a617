/* malloc, the string functions, memset_s, mlock and the stack protector. */
#include <stdlib.h>
#include <string.h>

#include "standin.h"
#include "world.h"

#define ARENA_SIZE (4 << 20)
#define BLOCK_MAGIC 0x626c6f636b5f7365ULL
#define BLOCK_FREED 0x66726565645f5f5fULL
#define CANARY 0xc3

int32_t standin_errno;
uint64_t standin_stack_chk_guard = 0x5ec0de5afe00a7c3ULL;

int32_t *standin_error(void) {
    world->calls[ID_error]++;
    return &standin_errno;
}

int32_t fail_with(int32_t darwin_errno) {
    standin_errno = darwin_errno;
    return -1;
}

/* Never reuses a block, so that what a freed one held can be searched. */
struct block {
    uint64_t magic;
    uint64_t size;
};
static _Alignas(16) uint8_t arena[ARENA_SIZE];
static size_t arena_used;
static int live;

void memory_start(void) { live = 0; }
unsigned memory_left(void) { return (unsigned)live; }

static void *take(size_t size, int fill) {
#ifdef LOGIN_HOST_NATIVE
    void *memory = malloc(size);
    memset(memory, fill, size);
    live++;
    return memory;
#else
    size_t whole = sizeof(struct block) + ((size + 32) & ~(size_t)15);
    if (size > ARENA_SIZE || arena_used + whole > ARENA_SIZE) {
        violation("asks for %zu bytes", size);
        return NULL;
    }
    struct block *block = (struct block *)(arena + arena_used);
    arena_used += whole;
    block->magic = BLOCK_MAGIC;
    block->size = size;
    uint8_t *body = (uint8_t *)(block + 1);
    memset(body, fill, size);
    memset(body + size, CANARY, whole - sizeof *block - size);
    live++;
    return body;
#endif
}

void *standin_malloc(size_t size) {
    if (called(ID_malloc)) return standin_errno = DARWIN_ENOMEM, NULL;
    return take(size, 0xa5);
}

void *standin_calloc(size_t count, size_t size) {
    if (called(ID_calloc) || (size && count > SIZE_MAX / size)) return standin_errno = DARWIN_ENOMEM, NULL;
    return take(count * size, 0);
}

void standin_free(void *memory) {
    called(ID_free);
    if (!memory) return;
    live--;
#ifdef LOGIN_HOST_NATIVE
    free(memory);
#else
    struct block *block = (struct block *)memory - 1;
    if ((uint8_t *)memory < arena || (uint8_t *)memory > arena + arena_used || block->magic != BLOCK_MAGIC) {
        violation("frees what it does not hold");
        return;
    }
    if (((uint8_t *)memory)[block->size] != CANARY) violation("writes past a block of %zu bytes", (size_t)block->size);
    block->magic = BLOCK_FREED;
#endif
}

const uint8_t *memory_arena(size_t *length) {
    *length = arena_used;
    return arena;
}

/* These cannot fail and are only counted. */
void *standin_memcpy(void *to, const void *from, size_t length) {
    world->calls[ID_memcpy]++;
    return memcpy(to, from, length);
}
void *standin_memmove(void *to, const void *from, size_t length) {
    world->calls[ID_memmove]++;
    return memmove(to, from, length);
}
void *standin_memset(void *to, int value, size_t length) {
    world->calls[ID_memset]++;
    return memset(to, value, length);
}
void standin_bzero(void *to, size_t length) {
    world->calls[ID_bzero]++;
    memset(to, 0, length);
}
void standin_bzero_x86(void *to, size_t length) {
    world->calls[ID_bzero_x86]++;
    memset(to, 0, length);
}
int standin_memcmp(const void *a, const void *b, size_t length) {
    world->calls[ID_memcmp]++;
    return memcmp(a, b, length);
}
void *standin_memchr(const void *in, int wanted, size_t length) {
    world->calls[ID_memchr]++;
    return (void *)memchr(in, wanted, length);
}
size_t standin_strlen(const char *text) {
    world->calls[ID_strlen]++;
    return strlen(text);
}
size_t standin_strnlen(const char *text, size_t most) {
    world->calls[ID_strnlen]++;
    return strnlen(text, most);
}
int standin_strcmp(const char *a, const char *b) {
    world->calls[ID_strcmp]++;
    return strcmp(a, b);
}
int standin_strncmp(const char *a, const char *b, size_t most) {
    world->calls[ID_strncmp]++;
    return strncmp(a, b, most);
}

/* C11 Annex K: errno_t memset_s(void *, rsize_t smax, int, rsize_t n). */
int32_t standin_memset_s(void *to, size_t room, int value, size_t length) {
    called(ID_memset_s);
    if (!to || room > SIZE_MAX >> 1) return DARWIN_EINVAL;
    memset(to, value, length < room ? length : room);
    return length > room ? DARWIN_EINVAL : 0;
}

/* A page of Apple silicon: a part of one that is shared with others is unlocked with them (mlock(2)). */
#define LARGEST_PAGE 16384

static void whole_pages(const char *call, const void *at, size_t length) {
    if ((uintptr_t)at % LARGEST_PAGE || length % LARGEST_PAGE || length == 0) violation("%s of a part of a page", call);
}

int32_t standin_mlock(const void *at, size_t length) {
    whole_pages("mlock", at, length);
    return called(ID_mlock) ? fail_with(DARWIN_EAGAIN) : 0;
}
int32_t standin_munlock(const void *at, size_t length) {
    whole_pages("munlock", at, length);
    return called(ID_munlock) ? fail_with(DARWIN_ENOMEM) : 0;
}

_Noreturn void standin_stack_chk_fail(void) {
    violation("the stack protector fired");
    abort();
}

/* Lazy pointers are bound at load, so the binder must never run. */
_Noreturn void standin_stub_binder(void) {
    violation("a lazy pointer was not bound");
    abort();
}
