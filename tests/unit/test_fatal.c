/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fault of PID 1 itself, each in a child that takes itself for PID 1. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "bootcount.h"
#include "fatal.h"
#include "term.h"
#include "watchdog.h"

enum { CALLS = 256 };

static char *calls; /* shared with the child */
static int kmsg[2];
static pid_t self;

pid_t __wrap_getpid(void);
int __wrap_pause(void);
int __wrap_reboot(int how);
unsigned __wrap_sleep(unsigned seconds);
int __wrap_sys_kmsg_open(void);

static void note(const char *text)
{
	size_t used = strlen(calls);

	str_format(calls + used, CALLS - used, "%s;", text);
}

pid_t __wrap_getpid(void)
{
	return self;
}

int __wrap_pause(void)
{
	note("stands still");
	_exit(0);
}

int __wrap_reboot(int how)
{
	note(how == RB_AUTOBOOT ? "reboot" : "?");
	_exit(0);
}

unsigned __wrap_sleep(unsigned seconds)
{
	(void)seconds;
	note("wait");
	return 0;
}

int __wrap_sys_kmsg_open(void)
{
	return kmsg[1];
}

void term_restore(void)
{
	note("console");
}

int bootcount_fail(void)
{
	note("count");
	return 0;
}

void watchdog_disarm_silently(void)
{
	note("disarm");
}

static const struct fault {
	int signal;
	const char *name;
} faults[] = {
	{ SIGSEGV, "bad address" },
	{ SIGBUS, "bus error" },
	{ SIGILL, "illegal instruction" },
	{ SIGFPE, "arithmetic fault" },
	{ SIGABRT, "abort" },
	{ SIGTRAP, "failed check of the C library" },
	{ SIGSYS, "bad system call" },
};

/* What the child did; its wait status in *status. */
static const char *run(bool reboot, void (*fault)(const void *arg), const void *arg, int *status)
{
	static char words[256];
	ssize_t n;
	pid_t pid;

	memset(calls, 0, CALLS);
	assert_int_equal(pipe2(kmsg, O_NONBLOCK), 0);
	pid = fork();
	if (pid == 0) {
		dup2(kmsg[1], STDERR_FILENO);
		fatal_init(reboot);
		fault(arg);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, status, 0), pid);
	n = read(kmsg[0], words, sizeof(words) - 1);
	words[n > 0 ? n : 0] = '\0';
	close(kmsg[0]);
	close(kmsg[1]);
	return words;
}

static void by_kill(const void *arg)
{
	raise(((const struct fault *)arg)->signal);
}

static void by_abort(const void *arg)
{
	(void)arg;
	abort();
}

static void by_address(const void *arg)
{
	(void)arg;
	*(volatile char *)mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) = 1;
}

static void test_signal(void **state)
{
	const struct fault *fault = *state;
	const char *words;
	int status;

	self = 1;
	words = run(true, by_kill, fault, &status);
	assert_true(str_prefix(words, "<2>hvinit: PID 1: fault in itself: "));
	assert_non_null(strstr(words, fault->name));
	assert_non_null(strstr(words, ", sent by process "));
	assert_string_equal(calls, "console;count;wait;reboot;");
	/* It is the child's own affair when it is not PID 1. */
	self = 2;
	run(true, by_kill, fault, &status);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == fault->signal);
	assert_string_equal(calls, "");
}

/* A halted machine is to stay so: the watchdog must not end it. */
static void test_halt(void **state)
{
	int status;

	(void)state;
	self = 1;
	assert_non_null(strstr(run(false, by_abort, NULL, &status), ": abort, sent by"));
	assert_string_equal(calls, "console;count;disarm;stands still;");
}

static void test_address(void **state)
{
	int status;

	(void)state;
	self = 1;
	assert_non_null(strstr(run(true, by_address, NULL, &status), "bad address at 0x"));
	assert_string_equal(calls, "console;count;wait;reboot;");
}

/* A child whose C library does not know that it is one: as a launcher is born. */
static void test_launcher(void **state)
{
	long pid;
	int status;

	(void)state;
	self = 2;
	pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		fatal_init(true);
		by_address(NULL);
		_exit(99);
	}
	assert_int_equal(waitpid((pid_t)pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(faults) + 3] = {
		CASE("a halt, after abort()", test_halt, NULL),
		CASE("a bad address", test_address, NULL),
		CASE("a launcher's fault", test_launcher, NULL),
	};

	calls = mmap(NULL, CALLS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (calls == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		tests[i + 3] = CASE(faults[i].name, test_signal, &faults[i]);
	return cmocka_run_group_tests_name("fatal", tests, NULL, NULL);
}
