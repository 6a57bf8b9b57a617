/*
 * Who has an account, and which boot this is: dscl, sysadminctl, sysctl, each in the one form that scripts of ours use.
 *
 * Fact `users`: NAME:UID:STATE words, STATE one of ENABLED, DISABLED or `unknown`; _mbsetupuser and root are always listed.
 * Fact `bootSession`: the UUID of this boot. Texts: sysadminctl writes through NSLog to standard error, "Secure token is
 * ENABLED for user FULL NAME" (quoted in many public scripts); dscl(1); xnu bsd/kern/kern_sysctl.c for kern.bootsessionuuid.
 */
#include "standin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Calls `each` for every user of the fact. */
static void for_users(void (*each)(const char *name, const char *uid, const char *state)) {
	char *rest = strdup(fact("users", "alex:501:ENABLED")), *word;
	while ((word = strsep(&rest, " "))) {
		char *name = strsep(&word, ":"), *uid = strsep(&word, ":");
		if (uid && word) each(name, uid, word);
	}
}

static void list_user(const char *name, const char *uid, const char *state) {
	(void)state;
	text_printf(&out, "%-24s%s\n", name, uid);
}

int dscl(const call *c) {
	if (c->argc != 5 || strcmp(c->argv[1], ".") || strcmp(c->argv[2], "-list") || strcmp(c->argv[3], "/Users") || strcmp(c->argv[4], "UniqueID"))
		unknown(c, "only `. -list /Users UniqueID` is simulated");
	if (!strcmp(fact("directory", "yes"), "no")) return complain("Operation failed with error: eServerNotRunning\n"), 78;
	list_user("_mbsetupuser", "248", "");
	list_user("nobody", "-2", "");
	list_user("root", "0", "");
	for_users(list_user);
	return 0;
}

static const char *asked, *found;

static void find_user(const char *name, const char *uid, const char *state) {
	(void)uid;
	if (!strcmp(name, asked)) found = state;
}

int sysadminctl(const call *c) {
	char when[32];
	time_t seconds = (time_t)now();
	if (c->argc != 3 || strcmp(c->argv[1], "-secureTokenStatus")) unknown(c, "only -secureTokenStatus USER is simulated");
	asked = c->argv[2];
	for_users(find_user);
	strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", gmtime(&seconds));
	complain("%s.000 sysadminctl[%d:1000] ", when, (int)getpid());
	if (!found) complain("Unknown user %s\n", asked);
	else if (!strcmp(found, "unknown")) complain("Operation failed\n"); /* UNCERTAIN wording */
	else complain("Secure token is %s for user %s Full Name\n", found, asked);
	return 0;
}

int sysctl_tool(const call *c) {
	if (c->argc != 3 || strcmp(c->argv[1], "-n") || strcmp(c->argv[2], "kern.bootsessionuuid")) unknown(c, "only -n kern.bootsessionuuid is simulated");
	text_printf(&out, "%s\n", fact("bootSession", "5A9B1B5E-0000-4000-8000-000000000001"));
	return 0;
}
