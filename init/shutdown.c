/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Orderly halt, power off and reboot. */
#include "shutdown.h"

#include <sys/reboot.h>
#include <unistd.h>

#include "chore.h"
#include "console.h"
#include "event.h"
#include "log.h"
#include "loop.h"
#include "symbols.h"
#include "sys_host.h"
#include "vm.h"
#include "watchdog.h"

enum {
	WRITE_MS = 10 * 1000, /* for chores to end by themselves */
	DIE_MS = 2 * 1000, /* for what was killed */
	SYNC_MS = 60 * 1000,
};

static enum {
	UP,
	GUESTS, /* are waited for */
	WRITERS, /* so are children that may have a file system mounted, or write to the firmware */
	KILLED, /* they have had their time */
	ENDING, /* nothing is waited for any more */
} stage;
static enum shutdown_how goal;
static struct source timer = { .fd = -1 };
static pid_t child; /* the one that ends the machine */

static const struct {
	const char *text;
	const char *event;
	int command;
} ends[] = {
	[SHUTDOWN_HALT] = { "halt", "halt", RB_HALT_SYSTEM },
	[SHUTDOWN_POWEROFF] = { "power off", "poweroff", RB_POWER_OFF },
	[SHUTDOWN_REBOOT] = { "reboot", "reboot", RB_AUTOBOOT },
};

bool shutdown_going_on(void)
{
	return stage != UP;
}

/*
 * The last resort: without sync(), and from PID 1 itself. The kernel takes a halted or failed
 * reboot() of PID 1 for its end and panics, so this must not be the first try.
 */
static void end_now(void)
{
	log_msg(LOG_LEVEL_ERR, "host", "%s: the orderly way did not work", ends[goal].text);
	reboot(ends[goal].command);
}

static void is_late(void *arg, uint32_t events);

static bool set_limit(uint64_t ms)
{
	if (timer.fd < 0 && timer_add(&timer, is_late, NULL))
		return false;
	timer_set(&timer, ms);
	return true;
}

/* sync() can block for minutes on a dying disk, and reboot() ends the process that calls it. */
static void end_machine(void)
{
	stage = ENDING;
	log_msg(LOG_LEVEL_INFO, "host", "%s", ends[goal].text);
	set_limit(SYNC_MS);
	/* A reboot that hangs is to be bitten; what is off on purpose is not. Before the fork. */
	if (goal != SHUTDOWN_REBOOT)
		watchdog_disarm();
	child = fork();
	if (child < 0) {
		end_now();
	} else if (child == 0) {
		sync();
		sys_state_umount();
		reboot(ends[goal].command);
		_exit(1);
	}
}

static bool any_writer(void)
{
	return chore_any() || console_has_child();
}

static void kill_writers(void)
{
	stage = KILLED;
	log_msg(LOG_LEVEL_WARN, "host", "end children that write: not done in %d s",
		WRITE_MS / 1000);
	chore_kill();
	console_kill_children();
	set_limit(DIE_MS);
}

static void is_late(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	if (!timer_fired(&timer))
		return;
	if (stage == WRITERS)
		kill_writers();
	else if (stage == KILLED)
		end_machine(); /* what hangs in a driver must not hold it up */
	else
		end_now();
}

/*
 * A file system is clean only when whoever has it mounted has ended. Commands, an update among them, can
 * be broken off at any point; what a chore writes is short, and better written.
 */
static void await_writers(void)
{
	stage = WRITERS;
	console_kill_children();
	if (!any_writer() || !set_limit(WRITE_MS))
		end_machine();
}

bool shutdown_reaped(pid_t pid)
{
	if (stage != ENDING || pid != child)
		return false;
	end_now();
	return true;
}

/* In the reverse order of the start: those with the highest START_ORDER go first, side by side. */
static void stop_next(void)
{
	int64_t order = -1;

	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		if (vm_is_active(slot) && vm_order(slot) > order)
			order = vm_order(slot);
	/* One that is being stopped already only says so. */
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		if (vm_is_active(slot) && vm_order(slot) == order)
			vm_command(slot, VM_EV_STOP);
}

void shutdown_proceed(void)
{
	if (stage == UP || stage == ENDING)
		return;
	if (vm_active())
		stop_next();
	else if (stage == GUESTS)
		await_writers();
	else if (!any_writer())
		end_machine();
}

void shutdown_begin(enum shutdown_how how)
{
	bool again = stage != UP;

	goal = how;
	event_machine(ends[how].event);
	if (!again && vm_active())
		log_msg(LOG_LEVEL_INFO, "host", "VMs to stop before the machine goes down: %u",
			vm_active());
	if (!again)
		stage = GUESTS;
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		if (again && vm_exists(slot))
			vm_command(slot, VM_EV_KILL);
		else if (vm_exists(slot) && !vm_is_active(slot))
			vm_command(slot, VM_EV_STOP); /* one that only waits to be started */
	}
	shutdown_proceed();
}
