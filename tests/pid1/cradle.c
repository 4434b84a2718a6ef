/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a machine of namespaces and starts a program as its PID 1:
 *
 *     cradle ROOT [-f FOLDER] [-p] [SOURCE=PLACE]... -- PROGRAM
 *
 * ROOT becomes "/", with each SOURCE of this machine bound at PLACE below it. -p mounts /proc before
 * PROGRAM runs, for those that cannot begin without. -f mounts at FOLDER a file system that answers
 * nobody: who asks it is not even killed by SIGKILL.
 *
 * It says "unshared" and waits for a line: then its users are mapped. It says "pid N", N being the
 * number outside, "caught N" when somebody has asked -f's file system for something, and in the end
 * "exit N" or "signal N". A line "let go" takes the file system of -f
 * away, and the end of its input ends the machine.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/fuse.h>

enum { PATH_SIZE = 4096, LINE = 80, REQUEST = 256 * 1024 };

static int tarpit = -1;

_Noreturn static void fail(const char *what, const char *which)
{
	fprintf(stderr, "cradle: %s %s: %s\n", what, which, strerror(errno));
	exit(125);
}

static void say(const char *what, int number)
{
	dprintf(STDOUT_FILENO, "%s %d\n", what, number);
}

/* What it reads is one of two lines, or the end. */
static bool read_line(char line[LINE])
{
	ssize_t n = read(STDIN_FILENO, line, LINE - 1);

	line[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static void unshare_users(void)
{
	char line[LINE];

	if (unshare(CLONE_NEWUSER))
		fail("unshare", "users");
	dprintf(STDOUT_FILENO, "unshared\n");
	if (!read_line(line))
		exit(0);
	if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC))
		fail("unshare", "mounts, processes, control groups");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		fail("detach", "mounts");
}

static void bind_at(const char *root, char *pair)
{
	char place[PATH_SIZE];
	char *equals = strchr(pair, '=');

	if (!equals)
		fail("bind", pair);
	*equals = '\0';
	snprintf(place, sizeof(place), "%s%s", root, equals + 1);
	if (mount(pair, place, NULL, MS_BIND | MS_REC, NULL))
		fail("bind", place);
}

static void mount_tarpit(const char *root, const char *folder)
{
	char place[PATH_SIZE];
	char options[PATH_SIZE];

	snprintf(place, sizeof(place), "%s%s", root, folder);
	tarpit = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (tarpit < 0)
		fail("open", "/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other",
		 tarpit);
	if (mount("tarpit", place, "fuse", MS_NOSUID | MS_NODEV, options))
		fail("mount", place);
}

/* Takes every request, which is what makes its sender unkillable, and answers but the first one. */
static void read_tarpit(void)
{
	static char request[REQUEST];
	static bool caught;
	const struct fuse_in_header *in = (const struct fuse_in_header *)request;
	struct {
		struct fuse_out_header out;
		struct fuse_init_out init;
	} answer = {
		.out = { .len = sizeof(answer) },
		.init = { .major = FUSE_KERNEL_VERSION,
			  .minor = FUSE_KERNEL_MINOR_VERSION,
			  .max_write = 4096 },
	};

	if (read(tarpit, request, sizeof(request)) <= 0)
		return;
	if (in->opcode != FUSE_INIT) {
		if (!caught)
			say("caught", (int)in->opcode);
		caught = true;
		return;
	}
	answer.out.unique = in->unique;
	if (write(tarpit, &answer, sizeof(answer)) < 0)
		fail("answer", "fuse");
}

_Noreturn static void become(const char *root, bool proc, char **program)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(STDOUT_FILENO);
	if (open("/dev/null", O_WRONLY) != STDOUT_FILENO || dup2(STDOUT_FILENO, STDIN_FILENO) < 0)
		fail("open", "/dev/null");
	if (chroot(root) || chdir("/"))
		fail("chroot", root);
	if (setgroups(0, NULL) || setresgid(0, 0, 0) || setresuid(0, 0, 0))
		fail("become", "root");
	if (proc && mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		fail("mount", "/proc");
	execv(program[0], program);
	fail("exec", program[0]);
}

static void tell_end(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		fail("wait", "for PID 1");
	if (WIFSIGNALED(status))
		say("signal", WTERMSIG(status));
	else
		say("exit", WEXITSTATUS(status));
}

static void watch(pid_t pid)
{
	struct pollfd poll_fd[3] = {
		{ .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = tarpit, .events = POLLIN },
	};
	char line[LINE];

	while (!poll_fd[0].revents) {
		if (poll(poll_fd, 3, -1) < 0)
			fail("poll", "");
		if (poll_fd[2].revents)
			read_tarpit();
		if (!poll_fd[1].revents)
			continue;
		if (!read_line(line)) {
			kill(pid, SIGKILL);
			poll_fd[1].fd = -1;
		}
		close(poll_fd[2].fd);
		poll_fd[2].fd = -1;
	}
	tell_end(pid);
}

int main(int argc, char **argv)
{
	const char *root = argc > 1 ? argv[1] : "";
	const char *folder = NULL;
	bool proc = false;
	int at = 2;
	pid_t pid;

	unshare_users();
	/* A mount of its own, as a machine's root is one. */
	if (mount(root, root, NULL, MS_BIND | MS_REC, NULL))
		fail("bind", root);
	for (; at < argc && strcmp(argv[at], "--") != 0; at++) {
		if (strcmp(argv[at], "-p") == 0)
			proc = true;
		else if (strcmp(argv[at], "-f") == 0)
			folder = argv[++at];
		else
			bind_at(root, argv[at]);
	}
	if (folder)
		mount_tarpit(root, folder);
	pid = fork();
	if (pid == 0)
		become(root, proc, argv + at + 1);
	if (pid < 0)
		fail("fork", "PID 1");
	say("pid", pid);
	watch(pid);
	return 0;
}
