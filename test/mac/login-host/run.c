#define _GNU_SOURCE
#include "run.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine.h"
#include "plugin.h"
#include "record.h"
#include "standin.h"
#include "trace.h"
#include "world.h"

/* Seconds of processor time after which a run counts as hung, whatever else the machine does; a wait without an end is seen in virtual time. */
#define RUN_LIMIT_SECONDS 120
/* How long the world goes on after the last login, for what was left. */
#define AFTERWARDS_NS (200 * NS_PER_SECOND)

const char *run_plant;

static bool fault_is(enum import_id id) { return fault_plan.import == (int)id; }

/* A key change may outlive the login: it is left to end by itself, and must be able to. Where kill or waitpid fail, other processes may be left too: nothing else could end or
 * reap them. */
static void check_processes(void) {
    unsigned zombies = 0, alive = 0;
    for (unsigned i = 0; i < world->players; i++) {
        const struct player *player = &world->player[i];
        bool dead = player->state == PLAYER_DEAD || player->state == PLAYER_ENDING;
        zombies += !player->grandchild && !player->waited && dead;
        alive += !player->rotation && !dead;
    }
    if (alive && !fault_is(ID_kill)) violation("leaves %u processes", alive);
    if (zombies && !fault_is(ID_waitpid) && !fault_is(ID_kill)) violation("leaves %u zombies", zombies);
    world_pass(AFTERWARDS_NS);
    for (unsigned i = 0; i < world->players; i++)
        if (world->player[i].rotation && world->player[i].broken_pipe) violation("SIGPIPE ends a key change");
    world_clear();
}

static void check_left(void) {
    unsigned files = files_left();
    if (files) violation("leaves %u descriptors open", files);
    if (memory_left()) violation("leaves %d blocks of memory", (int)memory_left());
    if (cf_left()) violation("leaves %d objects", cf_left());
    if (spawn_objects) violation("leaves %d spawn attributes or file actions", spawn_objects);
    if (world->other_results) violation("a result other than Allow");
    if (world->allows != world->invokes) violation("%u times Allow for %u Invokes", world->allows, world->invokes);
}

static void record_children(void) {
    for (unsigned i = 0; i < world->players; i++) {
        const struct player *player = &world->player[i];
        if (player->grandchild) continue;
        event_begin("child");
        event_boolean("rotation", player->rotation);
        event_boolean("exitedZero", player->exited_zero);
        event_bytes("stdin", player->stdin_bytes, player->stdin_length);
        event_end();
    }
}

/* The plugin and its children only ever run in turn: on one processor a turn is handed over without waking another. */
static void stay_on_this_processor(void) {
    cpu_set_t one;
    int processor = sched_getcpu();
    CPU_ZERO(&one);
    CPU_SET(processor < 0 ? 0 : processor, &one);
    sched_setaffinity(0, sizeof one, &one);
}

/* A child that inherits the host's streams must not write into its report. */
static void leave_streams(void) {
    int nowhere = open("/dev/null", O_RDWR);
    dup2(nowhere, STDIN_FILENO);
    dup2(nowhere, STDOUT_FILENO);
    close(nowhere);
}

static void play(void) {
    leave_streams();
    stay_on_this_processor();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setrlimit(RLIMIT_CPU, &(struct rlimit){RUN_LIMIT_SECONDS, RUN_LIMIT_SECONDS});
    files_start();
    memory_start();
    preferences_start();
    world->key_changed = scenario->key_changed_before;
    trace_start();
    trace_run(engine_drive);
    if (run_plant) trace_plant(run_plant);
    trace_search(recording);
    check_processes();
    check_left();
    preferences_record();
    record_children();
    world->request_cleared = !preferences_requested();
}

/* After a crash the run's children are still there; those in their own group have lost their parent. */
static void end_orphans(void) {
    for (unsigned i = 0; i < world->players; i++)
        if (world->player[i].pid > 0 && world->player[i].state != PLAYER_DEAD) kill(world->player[i].pid, SIGKILL);
}

bool run_once(struct scenario *which) {
    scenario = which;
    world_reset();
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        play();
        _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    if (status != 0) end_orphans();
    if (WIFSIGNALED(status)) violation("crashed: %s", strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != 0) violation("ended with status %d", WEXITSTATUS(status));
    return world->violation_count == 0;
}

static void print_calls(void) {
    bool first = true;
    printf("\"calls\":{");
    for (int i = 0; i < IMPORT_COUNT; i++) {
        if (!world->calls[i]) continue;
        printf("%s\"%s\":%u", first ? "" : ",", import_table[i].symbol, world->calls[i]);
        first = false;
    }
    printf("},");
}

void run_print(void) {
    printf("{\"type\":\"run\",\"scenario\":\"%s\",\"slice\":\"%s\",", scenario->id, plugin_slice());
    if (fault_plan.import >= 0)
        printf("\"fault\":{\"import\":\"%s\",\"kind\":\"%s\",\"call\":%u,\"lasting\":%s,\"fired\":%s},", import_table[fault_plan.import].symbol,
               fault_name(fault_plan.kind), fault_plan.first, fault_plan.lasting ? "true" : "false", world->fault_fired ? "true" : "false");
    printf("\"invokes\":%u,\"allows\":%u,\"otherResults\":%u,\"deactivations\":%u,", world->invokes, world->allows, world->other_results, world->deactivations);
    printf("\"requestCleared\":%s,\"keyChanged\":%s,", world->request_cleared ? "true" : "false", world->key_changed ? "true" : "false");
    printf("\"worstMs\":%llu,\"hits\":{\"password\":%u,\"key\":%u,\"searchedBytes\":%u},", (unsigned long long)world->worst_ns / 1000000,
           world->hits_password, world->hits_key, world->searched_bytes);
    print_calls();
    printf("\"violations\":[");
    for (unsigned i = 0; i < world->violation_count; i++) {
        uint32_t before = world->events_length;
        record_string(world->violations[i], strlen(world->violations[i]));
        printf("%s%.*s", i ? "," : "", (int)(world->events_length - before), world->events + before);
        world->events_length = before;
    }
    printf("],\"events\":[%.*s]}\n", recording ? (int)world->events_length : 0, world->events);
}
