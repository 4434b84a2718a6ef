/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stand-in for QEMU that tries to get out: trespass [others]
 *
 * Makes every attempt of trespass.def and prints a line about each, "trespass: NAME ok" or
 * "trespass: NAME ERROR". With "others" it makes none, but stays in the background with what they
 * look for.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trespass.h"
#include "util.h"

enum {
	KILLED = 255, /* no errno: the kernel kills who tries it */
	PATIENCE_S = 120,
};

struct attempt {
	const char *name;
	int (*try)(void);
	int error;
};

static const struct attempt attempts[] = {
#define ATTEMPT(name, error, layer, what) { #name, try_##name, error },
#define LOOK(name, path) ATTEMPT(name, ENOENT, ROOM, path)
#include "trespass.def"
#undef ATTEMPT
#undef LOOK
};

/* Those of the table, and what is likely otherwise; another one is told by its number. */
static const char *const errors[] = {
#define NAME(error) [error] = #error
	NAME(EPERM),	   NAME(ENOENT),       NAME(ESRCH),  NAME(EIO),	       NAME(EBADF),
	NAME(EAGAIN),	   NAME(ENOMEM),       NAME(EACCES), NAME(EFAULT),     NAME(EBUSY),
	NAME(EEXIST),	   NAME(EXDEV),	       NAME(ENODEV), NAME(ENOTDIR),    NAME(EINVAL),
	NAME(ENOTTY),	   NAME(EROFS),	       NAME(ENOSYS), NAME(EOPNOTSUPP), NAME(EAFNOSUPPORT),
	NAME(ENETUNREACH), NAME(ECONNREFUSED), NAME(ENOKEY), NAME(ENXIO),      NAME(ENOEXEC),
#undef NAME
};

static void print(const char *name, int error)
{
	if (error == 0)
		dprintf(STDOUT_FILENO, "trespass: %s ok\n", name);
	else if ((size_t)error < ARRAY_SIZE(errors) && errors[error])
		dprintf(STDOUT_FILENO, "trespass: %s %s\n", name, errors[error]);
	else
		dprintf(STDOUT_FILENO, "trespass: %s error-%d\n", name, error);
}

static void make(const struct attempt *attempt)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		alarm(PATIENCE_S);
		_exit(-attempt->try());
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		print(attempt->name, errno);
	else if (WIFSIGNALED(status))
		dprintf(STDOUT_FILENO, "trespass: %s signal-%d\n", attempt->name, WTERMSIG(status));
	else
		print(attempt->name, WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "others") == 0)
		return others_begin() ? 1 : 0;
	for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
		/* Who it kills says nothing any more: then it must be the one that PID 1 knows. */
		if (attempts[i].error == KILLED)
			print(attempts[i].name, -attempts[i].try());
		else
			make(&attempts[i]);
	}
	return 0;
}
