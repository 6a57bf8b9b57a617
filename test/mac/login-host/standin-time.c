/* Clocks and waiting, all in virtual time. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine.h"
#include "record.h"
#include "scenario.h"
#include "standin.h"
#include "world.h"

/* The date at the start of each run: 2026-06-01 08:00:00 UTC. */
#define FIRST_DATE_NS (1780300800 * NS_PER_SECOND)
#define POLL_MOST 16

int64_t wall_ns(void) { return FIRST_DATE_NS + world->now + world->slept + world->date_shift; }
int64_t wall_start_ns(void) { return FIRST_DATE_NS + WORLD_START_NS; }

int32_t standin_clock_gettime(int32_t clock, struct darwin_timespec *out) {
    if (called(ID_clock_gettime)) return fail_with(DARWIN_EINVAL);
    int64_t ns = world->real_time ? real_ns() : world->now;
    switch (clock) {
    case DARWIN_CLOCK_REALTIME: ns = wall_ns(); break;
    case DARWIN_CLOCK_MONOTONIC:
    case DARWIN_CLOCK_MONOTONIC_RAW:
    case DARWIN_CLOCK_MONOTONIC_RAW_APPROX: ns += world->slept; break;
    case DARWIN_CLOCK_UPTIME_RAW:
    case DARWIN_CLOCK_UPTIME_RAW_APPROX: break;
    default: violation("reads clock %d", clock); return fail_with(DARWIN_EINVAL);
    }
    out->seconds = ns / NS_PER_SECOND;
    out->nanoseconds = ns % NS_PER_SECOND;
    return 0;
}

struct poll_request {
    struct darwin_pollfd *list;
    uint32_t count;
};

/* Darwin reports a pipe's write end without a reader as POLLHUP, Linux as POLLERR; a scenario can choose the other. UNCERTAIN for all releases. */
static int16_t darwin_revents(int descriptor, int16_t revents) {
    if (revents & POLLERR && !scenario->hangup_as_error) revents = (int16_t)((revents & ~(POLLERR | POLLOUT)) | POLLHUP);
    if (revents & POLLOUT && files_pipe_room(descriptor) == 0) revents &= ~POLLOUT;
    return revents;
}

static bool poll_ready(void *argument) {
    const struct poll_request *request = argument;
    struct pollfd list[POLL_MOST];
    bool any = false;
    for (uint32_t i = 0; i < request->count; i++) list[i] = (struct pollfd){request->list[i].descriptor, request->list[i].events, 0};
    poll(list, request->count, 0);
    for (uint32_t i = 0; i < request->count; i++) {
        request->list[i].revents = darwin_revents(list[i].fd, list[i].revents);
        any |= request->list[i].revents != 0;
    }
    return any;
}

static int32_t real_poll(struct poll_request *request, int32_t timeout_ms) {
    int64_t until = real_ns() + timeout_ms * 1000000LL;
    struct pollfd list[POLL_MOST];
    for (uint32_t i = 0; i < request->count; i++) list[i] = (struct pollfd){request->list[i].descriptor, request->list[i].events, 0};
    int64_t left = (until - real_ns()) / 1000000;
    poll(list, request->count, timeout_ms < 0 ? -1 : (int)(left < 0 ? 0 : left));
    poll_ready(request);
    return 0;
}

int32_t standin_poll(struct darwin_pollfd *list, uint32_t count, int32_t timeout_ms) {
    enum fault fault = called(ID_poll);
    engine_waits();
    /* Beside its own two ends it has none: the other end of a pipe would keep it from hearing that the child has closed its own. */
    if (files_held() > 2) violation("waits for a child with %u descriptors open", files_held());
    if (count > POLL_MOST) violation("polls %u descriptors", count);
    for (uint32_t i = 0; i < count && i < POLL_MOST; i++)
        if (list[i].descriptor >= 0 && !files_owned(list[i].descriptor)) violation("polls descriptor %d, which is not its own", list[i].descriptor);
    if (fault & (FAULT_ERROR | FAULT_INTERRUPTED)) return fail_with(fault == FAULT_ERROR ? DARWIN_EAGAIN : DARWIN_EINTR);
    if (fault == FAULT_AGAIN) return 0;
    struct poll_request request = {list, count < POLL_MOST ? count : POLL_MOST};
    if (world->real_time) real_poll(&request, timeout_ms);
    else world_wait(poll_ready, &request, timeout_ms < 0 ? INT64_MAX : world->now + timeout_ms * 1000000LL);
    int32_t ready = 0;
    for (uint32_t i = 0; i < request.count; i++) ready += list[i].revents != 0;
    return ready;
}

static void pass(int64_t nanoseconds) {
    struct timespec span = {nanoseconds / NS_PER_SECOND, nanoseconds % NS_PER_SECOND};
    if (world->real_time) nanosleep(&span, NULL);
    else world_pass(nanoseconds);
}

int32_t standin_nanosleep(const struct darwin_timespec *span, struct darwin_timespec *left) {
    enum fault fault = called(ID_nanosleep);
    engine_waits();
    if (span->nanoseconds < 0 || span->nanoseconds >= NS_PER_SECOND || span->seconds < 0) return fail_with(DARWIN_EINVAL);
    if (fault) {
        if (left) *left = *span;
        return fail_with(fault == FAULT_INTERRUPTED ? DARWIN_EINTR : DARWIN_EINVAL);
    }
    event_begin("nap");
    event_number("microseconds", span->seconds * 1000000 + span->nanoseconds / 1000);
    event_end();
    pass(span->seconds * NS_PER_SECOND + span->nanoseconds);
    return 0;
}

int32_t standin_usleep(uint32_t microseconds) {
    engine_waits();
    if (called(ID_usleep)) return fail_with(DARWIN_EINTR);
    pass(microseconds * 1000LL);
    return 0;
}
