/*
 * The frame of every stand-in: which tool was called, what is recorded, which fault strikes.
 *
 * All state of a simulated Mac lies in /.sim of its root:
 *   rights/NAME           what `security authorizationdb read NAME` prints, byte for byte
 *   rights/NAME.exit      optional: exit status and standard error of `read`, "255 NO (-60005)"
 *   rules/NAME            rules, which `write` must not replace
 *   launchd/LABEL         property list of a loaded job; LABEL.pid: process group of its running script
 *   faults                one fault a line: SELECTOR KIND [ARGUMENT], see standin.c
 *   hooks/NAME            what a `between` fault puts in place, or runs
 *   facts                 KEY=VALUE lines: productVersion, buildVersion, machine, filevault, ...
 *   calls                 binary counters; log: one JSON document a call
 *   syslog                what `logger` was told
 *   undeletable           paths that rm cannot delete, as with the flag uchg
 *   clock, sleepers/PID   the simulated time, see ../virtual-time.h
 *   acls                  PATH, tab, entry: access control lists that chmod +a made
 */
#ifndef SIMULATED_STANDIN_H
#define SIMULATED_STANDIN_H

#include "plist.h"

#define STATE "/.sim"

/* The exit status of a call no stand-in knows. */
enum { UNKNOWN_CALL = 97 };

typedef struct {
	const char *tool; /* last part of argv[0] */
	int argc;
	char **argv;
} call;

/* Prints why the call is unknown and ends with UNKNOWN_CALL. */
void unknown(const call *c, const char *why) __attribute__((noreturn));

/* Standard output, collected; flush() writes it, as a fault may shorten it. */
extern text out;
void finish(int status) __attribute__((noreturn));
/* Records the call before another program takes its place. */
void note_passed_on(void);
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

bool read_file(const char *path, text *to);
text read_stdin(void);
/* Writes beside and renames: a killed tool leaves the old file. Answers 0 or errno. */
int write_file(const char *path, const char *bytes, size_t size, unsigned mode);
/* A value of /.sim/facts, or `otherwise`. */
const char *fact(const char *key, const char *otherwise);

/* The simulated time, in seconds since 1970. It passes while all that runs waits for it: see ../virtual-time.h. */
double now(void);

/* Faults that the stand-in itself has to honour. */
extern bool swallow, late;
/* To be called directly before a tool reads or changes what others may change too. */
void between(void);
/* hooks/ARGUMENT of a `stale` fault, or NULL. */
const char *stale_file(void);

/* Names the call more closely for fault selectors: "security-write". */
void refine(const char *verb);

typedef int (*tool)(const call *c);
int security(const call *c), plist_buddy(const call *c), plutil(const call *c), defaults(const call *c);
int launchctl(const call *c), codesign(const call *c), file_tool(const call *c), spctl(const call *c);
int pkgutil(const call *c), sw_vers(const call *c), uname_tool(const call *c), id_tool(const call *c);
int profiles(const call *c), fdesetup(const call *c), logger(const call *c), mktemp_tool(const call *c);
int stat_tool(const call *c), sleep_tool(const call *c), date_tool(const call *c), coreutil(const call *c);
int dscl(const call *c), sysadminctl(const call *c), sysctl_tool(const call *c);
int curl_tool(const call *c), shasum_tool(const call *c), installer_tool(const call *c);
/* chmod +a and -N, ls -e: answers -1 when the call has nothing to do with access control lists. */
int access_control(const call *c);
/* The path is gone, or something else now. */
void forget_access(const char *path);

#endif
