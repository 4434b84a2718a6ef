/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs sbverify of Debian's sbsigntool. */
#include "sys_verify.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys.h"
#include "sys_deny.h"
#include "sys_room.h"
#include "util.h"

#define VERIFIER "/usr/bin/sbverify"

enum {
	NOBODY = 65534,
	NOT_RUN = 127,
	CPU_S = 120,
	FILES = 16,
	PLACE = 3, /* of the image's descriptor */
	MEMORY = 1 << 30,
};

bool sys_certificate_exists(int root)
{
	return sys_exists(root, &SYS_CERTIFICATE[1]);
}

static bool limit(int resource, rlim_t value)
{
	const struct rlimit rlimit = { value, value };

	return setrlimit(resource, &rlimit) == 0;
}

static bool drop_privileges(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			return false;
	return setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
	       setresuid(NOBODY, NOBODY, NOBODY) == 0 &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && setuid(0) != 0;
}

/*
 * A signed file that is made to take the verifier over gains a process of nobody's. What a kernel lacks
 * of the walls behind that is no reason to leave a machine without updates.
 */
static bool confine(void)
{
	int listener = -1;

	if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_FSIZE, 0) || !limit(RLIMIT_CPU, CPU_S) ||
	    !limit(RLIMIT_NOFILE, FILES) || !limit(RLIMIT_AS, MEMORY))
		return false;
	sys_room_leave(SYS_ROOM_NET);
	sys_room_leave(SYS_ROOM_IPC);
	if (!drop_privileges())
		return false;
	sys_deny_new_code();
	/* No Landlock: by it, what is mounted nowhere could not be read. */
	if (sys_deny_calls(false, &listener) == 0)
		close_fdp(&listener);
	return true;
}

_Noreturn static void run(int fd, int out)
{
	static char *const args[] = { VERIFIER, "--cert", SYS_CERTIFICATE, "/proc/self/fd/3",
				      NULL };
	static char *const env[] = { "OPENSSL_CONF=" SYS_DEV_NULL, "LC_ALL=C", NULL };

	/* A Ctrl-C that ends the update ends this as well. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0 || dup2(fd, PLACE) < 0)
		_exit(NOT_RUN);
	fcntl(PLACE, F_SETFD, 0);
	sys_close_range(PLACE + 1, ~0U);
	if (confine()) {
		/* Another user's process loses the wish; one that is gone already is seen here. */
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		execve(VERIFIER, args, env);
	}
	_exit(NOT_RUN);
}

/* Keeps the last line that has something in it. */
static void take_line(const char *line, char *said, size_t size)
{
	size_t len = 0;

	while (line[len] && line[len] != '\n')
		len++;
	if (len)
		str_format(said, size, "%.*s", (int)len, line);
}

static void read_words(int fd, char *said, size_t size)
{
	char text[4096];
	size_t used = 0;
	ssize_t n;

	while ((n = read(fd, text + used, sizeof(text) - 1 - used)) > 0 ||
	       (n < 0 && errno == EINTR)) {
		char *line = text;

		if (n < 0)
			continue;
		used += (size_t)n;
		text[used] = '\0';
		for (char *end; (end = strchr(line, '\n')); line = end + 1)
			take_line(line, said, size);
		used -= (size_t)(line - text);
		memmove(text, line, used + 1);
		if (used == sizeof(text) - 1)
			used = 0;
	}
	text[used] = '\0';
	take_line(text, said, size);
	for (char *c = said; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

int sys_verify(int fd, char *said, size_t size)
{
	int status = 0;
	int pipes[2];
	pid_t pid;

	said[0] = '\0';
	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0)
		run(fd, pipes[1]);
	close(pipes[1]);
	if (pid < 0) {
		close(pipes[0]);
		return -EAGAIN;
	}
	read_words(pipes[0], said, size);
	close(pipes[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_RUN)
		return -ENOEXEC;
	return -EKEYREJECTED;
}
