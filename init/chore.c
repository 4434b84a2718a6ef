/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table of children; the exit status is the error. */
#include "chore.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "sys.h"
#include "util.h"

/* More at a time are refused: each is one write, and there are as many devices at most. */
enum { CHORES = 32 };

static struct chore {
	pid_t pid; /* 0: free */
	void (*done)(int error);
} chores[CHORES];

_Noreturn static void run(int (*work)(const void *arg), const void *arg)
{
	sys_unblock_signals();
	/* A child that hangs in a driver must keep nothing of PID 1's open. */
	sys_close_range(STDERR_FILENO + 1, ~0U);
	_exit(-work(arg) & 0xff);
}

int chore_start(int (*work)(const void *arg), const void *arg, void (*done)(int error))
{
	struct chore *chore = chores;
	pid_t pid;

	while (chore < chores + CHORES && chore->pid)
		chore++;
	if (chore == chores + CHORES)
		return -EAGAIN;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		run(work, arg);
	*chore = (struct chore){ pid, done };
	return 0;
}

bool chore_reaped(pid_t pid, int status)
{
	for (struct chore *chore = chores; pid > 0 && chore < chores + CHORES; chore++) {
		void (*done)(int error) = chore->done;

		if (chore->pid != pid)
			continue;
		chore->pid = 0;
		if (done)
			done(WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR);
		return true;
	}
	return false;
}

bool chore_any(void)
{
	for (size_t i = 0; i < CHORES; i++)
		if (chores[i].pid)
			return true;
	return false;
}

void chore_kill(void)
{
	for (size_t i = 0; i < CHORES; i++)
		if (chores[i].pid)
			kill(chores[i].pid, SIGKILL);
}
