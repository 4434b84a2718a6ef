/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long who listens on a serial line takes to answer, on the clock of the machine that the line is
 * of: latency TTY TIMES KEYS END.
 *
 * KEYS are put into the tty as the UART's interrupt does it (TIOCSTI), and the UART's own counter of
 * bytes sent (TIOCGICOUNT) is watched without a pause: for the first byte of the answer, and for the
 * last, which is the one after which nothing comes for a while. END is typed after each answer and
 * waited for, so that the next one begins as this one did; "-" for nothing. Escapes: \r, \x15.
 */
#include <fcntl.h>
#include <linux/serial.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 10000, QUIET_NS = 20000000, PATIENCE_NS = 2000000000 };

static int tty;

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int sent(void)
{
	struct serial_icounter_struct count;

	if (ioctl(tty, TIOCGICOUNT, &count)) {
		perror("latency: TIOCGICOUNT");
		exit(1);
	}
	return count.tx;
}

static void type(const char *keys)
{
	for (; *keys; keys++) {
		char key = *keys;

		if (strncmp(keys, "\\r", 2) == 0) {
			key = '\r';
			keys++;
		} else if (strncmp(keys, "\\x15", 4) == 0) {
			key = 0x15;
			keys += 3;
		}
		if (ioctl(tty, TIOCSTI, &key)) {
			perror("latency: TIOCSTI");
			exit(1);
		}
	}
}

/*
 * Types, and tells when the first and the last byte of the answer went out; false when nothing came. The
 * answer may come before the last key is typed.
 */
static bool ask(const char *keys, long long *first, long long *last)
{
	int before = sent();
	long long begin = now();

	*first = *last = 0;
	type(keys);
	for (;;) {
		long long at = now();
		int count = sent();

		if (count != before) {
			*last = at;
			if (!*first)
				*first = at;
			before = count;
		} else if (*first ? at - *last > QUIET_NS : at - begin > PATIENCE_NS) {
			*first -= begin;
			*last -= begin;
			return *first > 0;
		}
	}
}

static int compare(const void *one, const void *another)
{
	long long a = *(const long long *)one;
	long long b = *(const long long *)another;

	return (a > b) - (a < b);
}

static void report(const char *what, long long *ns, int count)
{
	qsort(ns, (size_t)count, sizeof(*ns), compare);
	printf("%s median=%lld p99=%lld least=%lld\n", what, ns[count / 2] / 1000,
	       ns[count * 99 / 100] / 1000, ns[0] / 1000);
}

int main(int argc, char **argv)
{
	static long long first[MOST];
	static long long last[MOST];
	int times = argc == 5 ? atoi(argv[2]) : 0;
	long long ignored;

	if (times < 1 || times > MOST) {
		fprintf(stderr, "usage: latency TTY TIMES KEYS END\n");
		return 2;
	}
	tty = open(argv[1], O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (tty < 0) {
		perror(argv[1]);
		return 1;
	}
	for (int i = 0; i < times; i++) {
		if (!ask(argv[3], &first[i], &last[i])) {
			fprintf(stderr, "latency: nobody answers\n");
			return 1;
		}
		if (strcmp(argv[4], "-") != 0)
			ask(argv[4], &ignored, &ignored);
	}
	report("first", first, times);
	report("last", last, times);
	return 0;
}
