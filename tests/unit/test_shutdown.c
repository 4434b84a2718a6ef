/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of the machine: VMs first, and only then the kernel, in the way that was asked last. */
#include "unit.h"

#include <sys/reboot.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "log.h"
#include "shutdown.h"
#include "vm.h"

static pid_t pids[3]; /* of the VMs */
static char calls[256];

pid_t __real_fork(void);
pid_t __wrap_fork(void);
void __wrap_sync(void);
int __wrap_reboot(int how);

static void note(const char *text)
{
	size_t used = strlen(calls);

	str_format(calls + used, sizeof(calls) - used, "%s;", text);
}

/* As if it failed: the work is then done by PID 1 itself, where the test sees it. */
pid_t __wrap_fork(void)
{
	return -1;
}

void __wrap_sync(void)
{
	note("sync");
}

int __wrap_reboot(int how)
{
	note(how == RB_POWER_OFF ? "power off" : how == RB_AUTOBOOT ? "reboot" : "halt");
	return 0;
}

void log_msg(enum log_level level, const char *subject, const char *fmt, ...)
{
	(void)level;
	(void)subject;
	(void)fmt;
}

bool vm_exists(unsigned slot)
{
	return slot < ARRAY_SIZE(pids);
}

struct vm_view vm_look(unsigned slot)
{
	return (struct vm_view){ .pid = pids[slot] };
}

unsigned vm_active(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		n += pids[i] != 0;
	return n;
}

const char *vm_command(unsigned slot, enum vm_event event)
{
	char text[16];

	assert_int_equal(event, VM_EV_STOP);
	str_format(text, sizeof(text), "stop %u", slot);
	note(text);
	return NULL;
}

/* What has begun cannot be undone, so each story has a process of its own. */
static void assert_story(void (*story)(void), const char *expected)
{
	char told[sizeof(calls)] = "";
	int fd[2];
	int status;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = __real_fork();
	if (pid == 0) {
		story();
		_exit(write(fd[1], calls, sizeof(calls)) == sizeof(calls) ? 0 : 1);
	}
	close(fd[1]);
	assert_int_equal(read(fd[0], told, sizeof(told)), sizeof(told));
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_string_equal(told, expected);
}

static void nothing_asked(void)
{
	shutdown_proceed();
	note(shutdown_going_on() ? "going on" : "not going on");
}

static void test_nothing_asked(void **state)
{
	(void)state;
	assert_story(nothing_asked, "not going on;");
}

static void guests_first(void)
{
	pids[0] = 10;
	pids[2] = 12;
	shutdown_begin(SHUTDOWN_REBOOT);
	note(shutdown_going_on() ? "going on" : "not going on");
	pids[0] = 0;
	shutdown_proceed();
	note("one is left");
	pids[2] = 0;
	shutdown_proceed();
}

static void test_guests_first(void **state)
{
	(void)state;
	assert_story(guests_first, "stop 0;stop 2;going on;one is left;sync;reboot;");
}

static void last_word(void)
{
	pids[1] = 11;
	shutdown_begin(SHUTDOWN_REBOOT);
	shutdown_begin(SHUTDOWN_POWEROFF);
	pids[1] = 0;
	shutdown_proceed();
}

static void test_last_word(void **state)
{
	(void)state;
	assert_story(last_word, "stop 1;stop 1;sync;power off;");
}

static void no_guests(void)
{
	shutdown_begin(SHUTDOWN_HALT);
}

static void test_no_guests(void **state)
{
	(void)state;
	assert_story(no_guests, "sync;halt;");
}

static void only_once(void)
{
	shutdown_begin(SHUTDOWN_HALT);
	shutdown_begin(SHUTDOWN_REBOOT);
	shutdown_proceed();
}

static void test_only_once(void **state)
{
	(void)state;
	assert_story(only_once, "sync;halt;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("nothing was asked for", test_nothing_asked, NULL),
		CASE("guests first", test_guests_first, NULL),
		CASE("the last word counts", test_last_word, NULL),
		CASE("no guests", test_no_guests, NULL),
		CASE("the machine ends once", test_only_once, NULL),
	};

	return cmocka_run_group_tests_name("shutdown", tests, NULL, NULL);
}
