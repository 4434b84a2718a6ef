/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signal handlers for the signals that mean a fault; everything here is async-signal-safe. */
#include "fatal.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "sys.h"
#include "term.h"
#include "util.h"

/* Time to read the last words on a serial line before the screen of the firmware comes. */
enum { LAST_WORDS_S = 10, STACK = 16 * 1024 };

static bool wants_reboot;
static int kmsg = -1;

static void say(const char *text)
{
	ssize_t n = write(kmsg, text, strlen(text));

	(void)n;
	n = write(STDERR_FILENO, text, strlen(text));
	(void)n;
}

static void hex(uintptr_t value, char text[2 * sizeof(value) + 2])
{
	size_t i = 2 * sizeof(value);

	text[i] = '\n';
	text[i + 1] = '\0';
	while (i-- > 0) {
		text[i] = "0123456789abcdef"[value & 0xf];
		value >>= 4;
	}
}

_Noreturn static void on_fault(int number, siginfo_t *info, void *context)
{
	char address[2 * sizeof(uintptr_t) + 2];
	const char *name = number == SIGSEGV ? "bad address" :
			   number == SIGBUS  ? "bus error" :
			   number == SIGILL  ? "illegal instruction" :
			   number == SIGFPE  ? "arithmetic fault" :
			   number == SIGTRAP ? "failed check of the C library" :
			   number == SIGSYS  ? "bad system call" :
					       "abort";

	(void)context;
	/* Children inherit the handler, but their faults are theirs: PID 1 sees how they end. */
	if (getpid() != 1) {
		signal(number, SIG_DFL);
		raise(number);
		_exit(128 + number);
	}
	term_restore();
	hex((uintptr_t)info->si_addr, address);
	say("<2>hvinit: PID 1: fault in itself: ");
	say(name);
	say(" at 0x");
	say(address);
	if (wants_reboot) {
		unsigned left = LAST_WORDS_S;

		while (left > 0)
			left = sleep(left);
		reboot(RB_AUTOBOOT);
	}
	for (;;)
		pause();
}

void fatal_init(bool reboot)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS };
	static char stack[STACK];
	const stack_t alternative = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_sigaction = on_fault,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND };

	wants_reboot = reboot;
	if (kmsg < 0)
		kmsg = sys_kmsg_open();
	sigaltstack(&alternative, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		sigaction(faults[i], &action, NULL);
}
