/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signal handlers for the signals that mean a fault; everything here is async-signal-safe. */
#include "fatal.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bootcount.h"
#include "sys.h"
#include "term.h"
#include "util.h"
#include "watchdog.h"

/* Time to read the last words on a serial line before the screen of the firmware comes. */
enum { LAST_WORDS_S = 10, STACK = 16 * 1024 };

static bool wants_reboot;
static int kmsg = -1;

#define LEVEL "<2>" /* critical; for the kernel log alone */

/* The last words, put together without stdio: async-signal-safe. */
struct words {
	size_t used;
	char text[160];
};

static void add(struct words *words, const char *text)
{
	while (*text && words->used < sizeof(words->text))
		words->text[words->used++] = *text++;
}

static void add_number(struct words *words, uintptr_t value, unsigned base)
{
	char text[3 * sizeof(value)];
	char *digit = text + sizeof(text) - 1;

	*digit = '\0';
	do {
		*--digit = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	add(words, digit);
}

/* In one write: the kernel makes a line of its log out of each, and keeps back one without end. */
static void say(const struct words *words)
{
	static const size_t level = sizeof(LEVEL) - 1;
	ssize_t n = write(kmsg, words->text, words->used);

	(void)n;
	n = write(STDERR_FILENO, words->text + level, words->used - level);
	(void)n;
}

_Noreturn static void on_fault(int number, siginfo_t *info, void *context)
{
	struct words words = { 0 };
	const char *name = number == SIGSEGV ? "bad address" :
			   number == SIGBUS  ? "bus error" :
			   number == SIGILL  ? "illegal instruction" :
			   number == SIGFPE  ? "arithmetic fault" :
			   number == SIGTRAP ? "failed check of the C library" :
			   number == SIGSYS  ? "bad system call" :
					       "abort";

	(void)context;
	/*
	 * Children inherit the handler, but their faults are theirs: PID 1 sees how they end. Without
	 * SA_NODEFER the signal would wait for the handler to return.
	 */
	if (getpid() != 1) {
		signal(number, SIG_DFL);
		/*
		 * raise() sends it to the thread that the C library remembers, which in a child of
		 * sys_cgroup_fork() is PID 1.
		 */
		syscall(SYS_tkill, syscall(SYS_gettid), number);
		_exit(128 + number);
	}
	term_restore();
	add(&words, LEVEL "hvinit: PID 1: fault in itself: ");
	add(&words, name);
	if (info->si_code > 0) {
		add(&words, " at 0x");
		add_number(&words, (uintptr_t)info->si_addr, 16);
	} else { /* by kill(), as abort() does */
		add(&words, ", sent by process ");
		add_number(&words, (uintptr_t)info->si_pid, 10);
	}
	add(&words, "\n");
	say(&words);
	/* After the words: the firmware can hang. */
	bootcount_fail();
	if (wants_reboot) {
		unsigned left = LAST_WORDS_S;

		while (left > 0)
			left = sleep(left);
		reboot(RB_AUTOBOOT);
	}
	/* It is to stand still, to be read. A reboot that did not work is for the watchdog. */
	if (!wants_reboot)
		watchdog_disarm_silently();
	for (;;)
		pause();
}

void fatal_init(bool reboot)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS };
	static char stack[STACK];
	const stack_t alternative = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_sigaction = on_fault,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND |
						SA_NODEFER };

	wants_reboot = reboot;
	if (kmsg < 0)
		kmsg = sys_kmsg_open();
	sigaltstack(&alternative, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		sigaction(faults[i], &action, NULL);
}
