/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of the machine: VMs first, and only then the kernel, in the way that was asked last. */
#include "unit.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "chore.h"
#include "console.h"
#include "shutdown.h"
#include "standins.h"
#include "sys_host.h"
#include "vm.h"
#include "watchdog.h"

enum { CALLS = 256, CHILD = 4242, WAITS = -1 };

static pid_t pids[3]; /* of the VMs; 0: no VM, WAITS: one that is not started yet */
static int64_t orders[ARRAY_SIZE(pids)];
static char *calls; /* shared with the processes that the stories happen in */
static bool chore_runs;
static bool command_runs;
static pid_t forked; /* what fork() answers: 0 makes the story go on in the child's place */

pid_t __real_fork(void);
pid_t __wrap_fork(void);
void __wrap_sync(void);
int __wrap_reboot(int how);
int __wrap_sys_state_umount(void);

static void note(const char *text)
{
	size_t used = strlen(calls);

	str_format(calls + used, CALLS - used, "%s;", text);
}

pid_t __wrap_fork(void)
{
	return forked;
}

void __wrap_sync(void)
{
	note("sync");
}

int __wrap_sys_state_umount(void)
{
	note("unmount");
	return 0;
}

int __wrap_reboot(int how)
{
	note(how == RB_POWER_OFF ? "power off" : how == RB_AUTOBOOT ? "reboot" : "halt");
	return 0;
}

void timer_set(const struct source *source, uint64_t ms)
{
	(void)source;
	char text[32];

	str_format(text, sizeof(text), "%u s", (unsigned)(ms / 1000));
	note(text);
}

void watchdog_disarm(void)
{
	note("disarm");
}

bool chore_any(void)
{
	return chore_runs;
}

void chore_kill(void)
{
	note("kill chores");
}

bool console_has_child(void)
{
	return command_runs;
}

void console_kill_children(void)
{
	if (command_runs)
		note("kill commands");
}

bool vm_exists(unsigned slot)
{
	return slot < ARRAY_SIZE(pids) && pids[slot];
}

bool vm_is_active(unsigned slot)
{
	return slot < ARRAY_SIZE(pids) && pids[slot] > 0;
}

int64_t vm_order(unsigned slot)
{
	return orders[slot];
}

unsigned vm_active(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		n += pids[i] > 0;
	return n;
}

const char *vm_command(unsigned slot, enum vm_event event)
{
	char text[16];

	str_format(text, sizeof(text), "%s %u", event == VM_EV_STOP ? "stop" : "kill", slot);
	note(text);
	return NULL;
}

/* What has begun cannot be undone, so each story has a process of its own. */
static void assert_story(void (*story)(void), const char *expected)
{
	pid_t pid;

	calls = mmap(NULL, CALLS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(calls != MAP_FAILED);
	pid = __real_fork();
	if (pid == 0) {
		story();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_string_equal(calls, expected);
	munmap(calls, CALLS);
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
	assert_story(guests_first,
		     "stop 0;stop 2;going on;stop 2;one is left;60 s;sync;unmount;reboot;");
}

/* Last started, first stopped; one that does not end keeps those it needs. */
static void in_order(void)
{
	pids[0] = 10;
	pids[1] = 11;
	pids[2] = 12;
	orders[0] = 1;
	orders[1] = orders[2] = 7;
	shutdown_begin(SHUTDOWN_POWEROFF);
	pids[2] = 0;
	shutdown_proceed();
	pids[1] = 0;
	shutdown_proceed();
	pids[0] = 0;
	shutdown_proceed();
}

static void test_in_order(void **state)
{
	(void)state;
	assert_story(in_order, "stop 1;stop 2;stop 1;stop 0;60 s;disarm;sync;unmount;power off;");
}

/* Asked again, one does not want to wait any longer; the way is that of the last word. */
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
	assert_story(last_word, "stop 1;kill 1;stop 1;60 s;disarm;sync;unmount;power off;");
}

/* What waits to be started again is told, too, and not waited for. */
static void waiting_guest(void)
{
	pids[1] = WAITS;
	shutdown_begin(SHUTDOWN_POWEROFF);
}

static void test_waiting_guest(void **state)
{
	(void)state;
	assert_story(waiting_guest, "stop 1;60 s;disarm;sync;unmount;power off;");
}

static void no_guests(void)
{
	shutdown_begin(SHUTDOWN_HALT);
}

static void test_no_guests(void **state)
{
	(void)state;
	assert_story(no_guests, "60 s;disarm;sync;unmount;halt;");
}

static void only_once(void)
{
	forked = CHILD;
	shutdown_begin(SHUTDOWN_HALT);
	shutdown_begin(SHUTDOWN_REBOOT);
	shutdown_proceed();
}

static void test_only_once(void **state)
{
	(void)state;
	assert_story(only_once, "60 s;disarm;");
}

/* A file system that an update has mounted is clean when that has ended, and not before. */
static void update_goes_on(void)
{
	command_runs = true;
	pids[1] = 11;
	shutdown_begin(SHUTDOWN_REBOOT);
	note("guest");
	pids[1] = 0;
	shutdown_proceed();
	note("dying");
	shutdown_proceed();
	command_runs = false;
	shutdown_proceed();
}

static void test_update_goes_on(void **state)
{
	(void)state;
	assert_story(update_goes_on, "stop 1;guest;kill commands;10 s;dying;60 s;sync;unmount;"
				     "reboot;");
}

/* What is short may end by itself. */
static void chore_goes_on(void)
{
	chore_runs = true;
	shutdown_begin(SHUTDOWN_POWEROFF);
	note("writing");
	shutdown_proceed();
	chore_runs = false;
	shutdown_proceed();
}

static void test_chore_goes_on(void **state)
{
	(void)state;
	assert_story(chore_goes_on, "10 s;writing;60 s;disarm;sync;unmount;power off;");
}

/* In a driver, where no signal comes: the machine goes down without it, within both limits. */
static void chore_never_ends(void)
{
	chore_runs = true;
	forked = CHILD;
	shutdown_begin(SHUTDOWN_REBOOT);
	timer->ready(timer->arg, 1);
	note("dying");
	timer->ready(timer->arg, 1);
	note("syncing");
	timer->ready(timer->arg, 1);
}

static void test_chore_never_ends(void **state)
{
	(void)state;
	assert_story(chore_never_ends, "10 s;kill chores;2 s;dying;60 s;syncing;reboot;");
}

/* Without a timer nothing would end the wait. */
static void chore_without_timer(void)
{
	chore_runs = true;
	timer_error = -ENOSPC;
	shutdown_begin(SHUTDOWN_REBOOT);
}

static void test_chore_without_timer(void **state)
{
	(void)state;
	assert_story(chore_without_timer, "sync;unmount;reboot;");
}

static void slow_disk(void)
{
	forked = CHILD;
	shutdown_begin(SHUTDOWN_POWEROFF);
	note("waiting");
	timer->ready(timer->arg, 1);
}

static void test_slow_disk(void **state)
{
	(void)state;
	assert_story(slow_disk, "60 s;disarm;waiting;power off;");
}

static void child_fails(void)
{
	forked = CHILD;
	note(shutdown_reaped(CHILD) ? "ours" : "not ours");
	shutdown_begin(SHUTDOWN_POWEROFF);
	note(shutdown_reaped(7) ? "ours" : "not ours");
	note(shutdown_reaped(CHILD) ? "ours" : "not ours");
}

static void test_child_fails(void **state)
{
	(void)state;
	assert_story(child_fails, "not ours;60 s;disarm;not ours;power off;ours;");
}

static void no_child(void)
{
	forked = -1;
	shutdown_begin(SHUTDOWN_REBOOT);
}

static void test_no_child(void **state)
{
	(void)state;
	assert_story(no_child, "60 s;reboot;");
}

/* Who follows events is told each time that somebody asks, before anything is done about it. */
static void events(void)
{
	pids[1] = 11;
	shutdown_begin(SHUTDOWN_HALT);
	shutdown_begin(SHUTDOWN_REBOOT);
	shutdown_begin(SHUTDOWN_POWEROFF);
	calls[0] = '\0';
	for (char *c = happened; *c; c++)
		*c = *c == '\n' ? ',' : *c;
	note(happened);
}

static void test_events(void **state)
{
	(void)state;
	assert_story(events, "machine halt,machine reboot,machine poweroff,;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("nothing was asked for", test_nothing_asked, NULL),
		CASE("guests first", test_guests_first, NULL),
		CASE("in the reverse order of the start", test_in_order, NULL),
		CASE("asked twice", test_last_word, NULL),
		CASE("events", test_events, NULL),
		CASE("no guests", test_no_guests, NULL),
		CASE("a guest that waits to be started", test_waiting_guest, NULL),
		CASE("the machine ends once", test_only_once, NULL),
		CASE("an update goes on", test_update_goes_on, NULL),
		CASE("a chore goes on", test_chore_goes_on, NULL),
		CASE("a chore hangs", test_chore_never_ends, NULL),
		CASE("a chore, and no timer", test_chore_without_timer, NULL),
		CASE("a disk that is too slow", test_slow_disk, NULL),
		CASE("the child comes back", test_child_fails, NULL),
		CASE("no child", test_no_child, NULL),
	};

	return cmocka_run_group_tests_name("shutdown", tests, NULL, NULL);
}
