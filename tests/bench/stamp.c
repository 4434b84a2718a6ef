/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A service to be supervised: stamp LOG [MILLISECONDS] writes when it begins and when it ends.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LIVES_MS = 1050, FD_READY = 3 };

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv)
{
	long long begin = now_ns();
	/* s6 starts a service at once that had been ready for a second, and any other one later. */
	bool told = write(FD_READY, "\n", 1) == 1;
	int log = open(argc > 1 ? argv[1] : "", O_WRONLY | O_APPEND | O_CREAT, 0666);

	if (told)
		close(FD_READY);
	/* Services of one supervisor must not keep step: up to a fifth longer, by chance. */
	usleep((useconds_t)((argc > 2 ? atoi(argv[2]) : LIVES_MS) * (1000 + begin % 200)));
	dprintf(log, "begin %lld\nend %lld\n", begin, now_ns());
	_exit(0);
}
