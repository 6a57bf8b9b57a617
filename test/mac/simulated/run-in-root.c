/*
 * run-in-root ROOT BASE HOST -- PROGRAM [ARGUMENT...]
 *
 * Runs PROGRAM with ROOT as its root folder, as root: BASE's bin, sbin and usr are laid over the empty ones of ROOT,
 * HOST (the host's /usr) over ROOT/.host, all read-only but ROOT itself. As root it needs no user namespace; as another
 * user it makes one in which it is root. Where namespaces are forbidden it hands over to bubblewrap.
 * Exit status: PROGRAM's; 128 + signal; 125 when no root could be entered (the reason on standard error).
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NO_ROOT = 125 };

static const char *root, *base, *host;

static void give_up(const char *what) {
	fprintf(stderr, "run-in-root: %s: %s\n", what, strerror(errno));
	_exit(NO_ROOT);
}

static void write_map(const char *path, const char *format, unsigned id) {
	FILE *map = fopen(path, "we");
	if (!map || fprintf(map, format, id) < 0 || fclose(map)) give_up(path);
}


/* Enters namespaces of its own; false when the system forbids it. */
static bool enter_namespaces(void) {
	uid_t uid = geteuid();
	gid_t gid = getegid();
	if (unshare(CLONE_NEWNS | CLONE_NEWPID | (uid ? CLONE_NEWUSER : 0))) return false;
	if (uid) {
		write_map("/proc/self/setgroups", "deny", 0);
		write_map("/proc/self/uid_map", "0 %u 1\n", uid);
		write_map("/proc/self/gid_map", "0 %u 1\n", gid);
	}
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void lay_over(const char *from, const char *below, const char *name) {
	char source[4096], target[4096];
	snprintf(source, sizeof source, "%s%s", from, below);
	snprintf(target, sizeof target, "%s/%s", root, name);
	if (mount(source, target, NULL, MS_BIND, NULL)) give_up(target);
	/* Read-only is a courtesy that an inherited lock may refuse; owners and modes protect the rest. */
	mount("none", target, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID, NULL);
}

static const char *const ENVIRONMENT[] = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG"};
static const char *const VALUES[] = {"/usr/bin:/bin:/usr/sbin:/sbin", "/var/root", "root", "root", "/bin/sh", "C"};

/* Keeps what the caller names with a leading SIM_ENV_, as `SIM_ENV_SCRIPT_NAME=postinstall`; drops the host's own. */
static void set_environment(void) {
	extern char **environ;
	static char *kept[128];
	size_t count = 0;
	for (char **variable = environ; *variable && count < 100; variable++)
		if (!strncmp(*variable, "SIM_ENV_", 8)) kept[count++] = *variable + 8;
	for (size_t i = 0; i < sizeof ENVIRONMENT / sizeof *ENVIRONMENT; i++) {
		size_t size = strlen(ENVIRONMENT[i]);
		bool given = false;
		for (size_t k = 0; k < count; k++) given = given || (!strncmp(kept[k], ENVIRONMENT[i], size) && kept[k][size] == '=');
		if (!given && asprintf(&kept[count++], "%s=%s", ENVIRONMENT[i], VALUES[i]) < 0) abort();
	}
	environ = kept;
}

static void hand_to_bubblewrap(char **program) {
	char *words[64], *bin, *sbin, *usr;
	size_t count = 0;
	if (asprintf(&bin, "%s/bin", base) < 0 || asprintf(&sbin, "%s/sbin", base) < 0 || asprintf(&usr, "%s/usr", base) < 0) abort();
	char *fixed[] = {"bwrap", "--unshare-user", "--unshare-pid", "--uid", "0", "--gid", "0", "--bind", (char *)root, "/", "--ro-bind", bin, "/bin",
		"--ro-bind", sbin, "/sbin", "--ro-bind", usr, "/usr", "--ro-bind", (char *)host, "/.host", "--dev", "/dev", "--"};
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) words[count++] = fixed[i];
	while (*program && count < 63) words[count++] = *program++;
	words[count] = NULL;
	set_environment();
	execv("/usr/bin/bwrap", words);
	give_up("neither namespaces nor bubblewrap");
}

/* In the new process: ROOT becomes `/`, SIM_ENV_PWD (or `/`) the working folder. */
static void run_program(char **program) {
	const char *folder = getenv("SIM_ENV_PWD");
	if (chroot(root) || chdir(folder ? folder : "/")) give_up(root);
	umask(022);
	/* A group of its own: a `kill` fault ends the script and all it started, and nothing else. */
	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	set_environment();
	execv(program[0], program);
	fprintf(stderr, "run-in-root: %s: %s\n", program[0], strerror(errno));
	_exit(127);
}

int main(int argc, char **argv) {
	if (argc < 6 || strcmp(argv[4], "--")) return fprintf(stderr, "usage: run-in-root ROOT BASE HOST -- PROGRAM [ARGUMENT...]\n"), NO_ROOT;
	root = argv[1], base = argv[2], host = argv[3];
	if (!enter_namespaces()) hand_to_bubblewrap(argv + 5);
	lay_over(base, "/bin", "bin"), lay_over(base, "/sbin", "sbin"), lay_over(base, "/usr", "usr");
	lay_over(host, "", ".host");
	char device[4096];
	snprintf(device, sizeof device, "%s/dev", root);
	if (mount("/dev", device, NULL, MS_BIND | MS_REC, NULL)) give_up(device);
	pid_t child = fork();
	int status = 0;
	if (child < 0) give_up("fork");
	if (child == 0) {
		/* First in the new process namespace: a SIGKILL from inside would not reach it, so the script is its child. */
		pid_t script = fork();
		if (script == 0) run_program(argv + 5);
		while (waitpid(script, &status, 0) < 0 && errno == EINTR) continue;
		_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
