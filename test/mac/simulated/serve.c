/*
 * serve ROOT BASE HOST
 *
 * Serves one simulated Mac to a test: a request a line on standard input, words separated by tabs; a line back.
 *   run FOLDER SECONDS LABEL DISK [NAME=VALUE...] -- PROGRAM [ARGUMENT...]
 *              the program's status, 128 + signal, or 124 when SECONDS of simulated time were up or all waited for ever.
 *              Its output goes to the files stdout and stderr beside ROOT. LABEL: the launchd job whose script this is, or
 *              "-". DISK: "writable", or "read-only": every write fails.
 *   reset FOLDER   the disk becomes a copy of FOLDER; save FOLDER: the other way round. "ok" or "error REASON"
 *   right NAME     the right as JSON, or null
 *   seal PATH      "ok", or why codesign would refuse the bundle
 * Ends with its input. All that a script left running is killed when it ends, as the namespace is ours alone.
 */
#include "enter-root.h"
#include "standins/seal.h"
#include "virtual-time.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIME_UP = 124 };

/* What of a disk is not laid over it. */
static const char *const MUTABLE[] = {".sim", "Library", "private", "Users", "Volumes"};

static places disk;

bool read_file(const char *path, text *to) {
	int file = open(path, O_RDONLY | O_CLOEXEC);
	char part[65536];
	ssize_t got = -1;
	if (file < 0) return false;
	text_add(to, "", 0);
	while ((got = read(file, part, sizeof part)) > 0) text_add(to, part, (size_t)got);
	close(file);
	return got == 0;
}

static void remove_tree(int parent, const char *name) {
	if (!unlinkat(parent, name, 0) || errno == ENOENT) return;
	int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *list = folder < 0 ? NULL : fdopendir(folder);
	struct dirent *entry;
	while (list && (entry = readdir(list)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) remove_tree(folder, entry->d_name);
	if (list) closedir(list);
	unlinkat(parent, name, AT_REMOVEDIR);
}

static bool copy_file(int from, int to, const char *name, mode_t mode) {
	int source = openat(from, name, O_RDONLY | O_CLOEXEC), target = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	char part[65536];
	ssize_t got = -1;
	while (source >= 0 && target >= 0 && (got = read(source, part, sizeof part)) > 0)
		if (write(target, part, (size_t)got) != got) break;
	if (source >= 0) close(source);
	return target >= 0 && close(target) == 0 && got == 0;
}

static bool copy_tree(int from, int to, const char *name) {
	struct stat s;
	char target[4096];
	bool well = true;
	if (fstatat(from, name, &s, AT_SYMLINK_NOFOLLOW)) return errno == ENOENT;
	if (S_ISLNK(s.st_mode)) {
		ssize_t size = readlinkat(from, name, target, sizeof target - 1);
		if (size < 0) return false;
		target[size] = 0;
		well = !symlinkat(target, to, name);
	} else if (S_ISDIR(s.st_mode)) {
		int source = openat(from, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (mkdirat(to, name, 0700)) return false;
		int made = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		DIR *list = fdopendir(source);
		struct dirent *entry;
		while (well && list && (entry = readdir(list)))
			if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) well = copy_tree(source, made, entry->d_name);
		closedir(list);
		close(made);
	} else if (S_ISREG(s.st_mode)) well = copy_file(from, to, name, 0600);
	else well = !mknodat(to, name, s.st_mode, 0);
	if (fchownat(to, name, s.st_uid, s.st_gid, AT_SYMLINK_NOFOLLOW)) well = well && errno == EPERM;
	if (!S_ISLNK(s.st_mode) && fchmodat(to, name, s.st_mode & 07777, 0)) return false;
	return well;
}

static void copy_disk(const char *from, const char *to) {
	mkdir(to, 0755);
	int source = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC), target = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool well = source >= 0 && target >= 0;
	mode_t before = umask(0);
	for (size_t i = 0; well && i < sizeof MUTABLE / sizeof *MUTABLE; i++) {
		remove_tree(target, MUTABLE[i]);
		well = copy_tree(source, target, MUTABLE[i]);
	}
	umask(before);
	if (well) printf("ok\n");
	else printf("error %s\n", strerror(errno));
	close(source);
	close(target);
}

static int beside(const char *name) {
	char path[4096];
	snprintf(path, sizeof path, "%s/../%s", disk.root, name);
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

/* In a child: all of the disk but the simulation's own state becomes read-only for it and its children. */
static void write_protect(void) {
	char path[4096];
	if (unshare(CLONE_NEWNS)) _exit(NO_ROOT);
	for (size_t i = 1; i < sizeof MUTABLE / sizeof *MUTABLE; i++) {
		snprintf(path, sizeof path, "%s/%s", disk.root, MUTABLE[i]);
		if (mount(path, path, NULL, MS_BIND, NULL) || mount("none", path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL)) _exit(NO_ROOT);
	}
}

static void mark_job(const char *label, pid_t script) {
	char path[4096];
	if (!strcmp(label, "-")) return;
	snprintf(path, sizeof path, "%s/.sim/launchd/%s.pid", disk.root, label);
	if (!script) {
		unlink(path);
		return;
	}
	FILE *file = fopen(path, "we");
	if (file) fprintf(file, "%d", (int)script), fclose(file);
}

static void run(char **words, size_t count) {
	size_t dashes = 0;
	while (dashes < count && strcmp(words[dashes], "--")) dashes++;
	if (dashes < 4 || dashes + 1 >= count) {
		printf("error form of run\n");
		return;
	}
	words[dashes] = NULL;
	forget_sleepers(disk.root);
	pid_t script = fork();
	if (script == 0) {
		dup2(open("/dev/null", O_RDONLY), 0);
		dup2(beside("stdout"), 1);
		dup2(beside("stderr"), 2);
		if (!strcmp(words[3], "read-only")) write_protect();
		run_on_disk(&disk, words[0], words + 4, words + dashes + 1);
	}
	mark_job(words[2], script);
	bool in_time = wait_in_virtual_time(disk.root, script, atof(words[1]));
	int status = 0;
	kill(-1, SIGKILL); /* process 1 of a namespace of our own: all others in it, the script's left-overs */
	while (waitpid(script, &status, 0) < 0 && errno == EINTR) continue;
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) continue;
	mark_job(words[2], 0);
	printf("%d\n", !in_time ? TIME_UP : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

static void show_right(const char *name) {
	char path[4096];
	text bytes = {0}, json = {0};
	snprintf(path, sizeof path, "%s/.sim/rights/%s", disk.root, name);
	plist *right = read_file(path, &bytes) ? plist_parse(bytes.bytes, bytes.size, NULL, NULL) : NULL;
	if (!right || !plist_render_json(right, &json)) printf("null\n");
	else printf("%s\n", json.bytes);
}

static void show_seal(const char *path) {
	const char *detail = NULL, *problem = seal_problem(path, &detail);
	printf("%s%s%s\n", problem ? problem : "ok", detail ? " " : "", detail ? detail : "");
}

static int serve(void) {
	char *line = NULL;
	size_t room = 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getline(&line, &room, stdin) > 0) {
		char *words[256], *rest = line;
		size_t count = 0;
		line[strcspn(line, "\n")] = 0;
		while (count < 255 && (words[count] = strsep(&rest, "\t"))) count++;
		words[count] = NULL;
		if (!strcmp(words[0], "run")) run(words + 1, count - 1);
		else if (!strcmp(words[0], "reset") && count == 2) copy_disk(words[1], disk.root);
		else if (!strcmp(words[0], "save") && count == 2) copy_disk(disk.root, words[1]);
		else if (!strcmp(words[0], "right") && count == 2) show_right(words[1]);
		else if (!strcmp(words[0], "seal") && count == 2) show_seal(words[1]);
		else printf("error unknown request\n");
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv) {
	if (argc != 4) return fprintf(stderr, "usage: serve ROOT BASE HOST\n"), NO_ROOT;
	disk = (places){argv[1], argv[2], argv[3]};
	if (!enter_root(&disk)) return fprintf(stderr, "serve: no namespaces for %s: %s\n", disk.root, strerror(errno)), NO_ROOT;
	pid_t first = fork();
	int status = 0;
	if (first == 0) _exit(serve());
	while (waitpid(first, &status, 0) < 0 && errno == EINTR) continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : NO_ROOT;
}
