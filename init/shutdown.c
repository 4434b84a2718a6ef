/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Orderly halt, power off and reboot. */
#include "shutdown.h"

#include <sys/reboot.h>
#include <unistd.h>

#include "event.h"
#include "log.h"
#include "loop.h"
#include "symbols.h"
#include "sys_host.h"
#include "vm.h"
#include "watchdog.h"

enum { SYNC_MS = 60 * 1000 };

static bool going_on;
static bool ending; /* nothing is waited for any more */
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
	return going_on;
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

static void sync_is_late(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	if (timer_fired(&timer))
		end_now();
}

/* sync() can block for minutes on a dying disk, and reboot() ends the process that calls it. */
static void end_machine(void)
{
	ending = true;
	log_msg(LOG_LEVEL_INFO, "host", "%s", ends[goal].text);
	if (timer.fd < 0 && timer_add(&timer, sync_is_late, NULL) == 0)
		timer_set(&timer, SYNC_MS);
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

bool shutdown_reaped(pid_t pid)
{
	if (!ending || pid != child)
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
	if (!going_on || ending)
		return;
	if (vm_active() == 0)
		end_machine();
	else
		stop_next();
}

void shutdown_begin(enum shutdown_how how)
{
	bool again = going_on;

	goal = how;
	event_machine(ends[how].event);
	if (!going_on && vm_active())
		log_msg(LOG_LEVEL_INFO, "host", "VMs to stop before the machine goes down: %u",
			vm_active());
	going_on = true;
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		if (again && vm_exists(slot))
			vm_command(slot, VM_EV_KILL);
		else if (vm_exists(slot) && !vm_is_active(slot))
			vm_command(slot, VM_EV_STOP); /* one that only waits to be started */
	}
	shutdown_proceed();
}
