/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The least that can be done: respawn COUNT PROGRAM [ARGUMENT]... waits and starts it again. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	for (long left = argc > 2 ? atol(argv[1]) : 0; left > 0; left--) {
		pid_t pid = fork();

		if (pid == 0) {
			execv(argv[2], argv + 2);
			_exit(127);
		}
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			return 1;
	}
	return 0;
}
