/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Orderly halt, power off and reboot. */
#include "shutdown.h"

#include <sys/reboot.h>
#include <unistd.h>

#include "log.h"
#include "symbols.h"
#include "vm.h"

static bool going_on;
static bool ending; /* nothing is waited for any more */
static enum shutdown_how goal;

static const struct {
	const char *text;
	int command;
} ends[] = {
	[SHUTDOWN_HALT] = { "halt", RB_HALT_SYSTEM },
	[SHUTDOWN_POWEROFF] = { "power off", RB_POWER_OFF },
	[SHUTDOWN_REBOOT] = { "reboot", RB_AUTOBOOT },
};

bool shutdown_going_on(void)
{
	return going_on;
}

/* sync() can block for minutes on a dying disk, and reboot() ends the process that calls it. */
static void end_machine(void)
{
	pid_t pid;

	ending = true;
	log_msg(LOG_LEVEL_INFO, "host", "%s", ends[goal].text);
	pid = fork();
	if (pid > 0)
		return;
	sync();
	reboot(ends[goal].command);
	if (pid == 0)
		_exit(1);
}

void shutdown_proceed(void)
{
	if (going_on && !ending && vm_active() == 0)
		end_machine();
}

void shutdown_begin(enum shutdown_how how)
{
	goal = how;
	if (!going_on && vm_active())
		log_msg(LOG_LEVEL_INFO, "host", "stopping %u VMs before the machine goes down",
			vm_active());
	going_on = true;
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		if (vm_exists(slot) && vm_look(slot).pid)
			vm_command(slot, VM_EV_STOP);
	shutdown_proceed();
}
