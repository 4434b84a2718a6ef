/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands about the machine and its devices. */
#include <stdio.h>

#include "command_private.h"
#include "console.h"
#include "device.h"
#include "log.h"
#include "manifest.h"
#include "show.h"
#include "shutdown.h"
#include "sys.h"
#include "util.h"
#include "vm.h"

/* --- what a child shows, as 'hvinit' on the build machine does --- */

static bool is_json(const struct command_call *call)
{
	return strcmp(call->option, "--json") == 0;
}

/* What only PID 1 knows of the VMs' devices: those that are in no VM's way need no line. */
static void print_trouble(unsigned slot)
{
	for (unsigned i = 0; i < HV_HOSTDEV_SLOTS; i++) {
		const struct device *d = device_look(slot, i);

		if (d->state > DEVICE_CLAIMED)
			printf("%s of %s is %s%s%s\n", d->bdf, vm_look(slot).name,
			       device_state_name(d->state), d->why[0] ? ": " : "", d->why);
	}
}

static void child_devices(const struct config *config, const struct command_call *call)
{
	show_devices(config, NULL, is_json(call));
	for (unsigned slot = 0; !is_json(call) && slot < HV_VM_SLOTS; slot++)
		if (vm_exists(slot))
			print_trouble(slot);
}

void command_devices(const struct command_call *call)
{
	console_child(child_devices, call);
}

static void child_plan(const struct config *config, const struct command_call *call)
{
	show_plan(config, NULL, is_json(call));
}

void command_plan(const struct command_call *call)
{
	console_child(child_plan, call);
}

static void child_argv(const struct config *config, const struct command_call *call)
{
	show_argv(config, call->slot, NULL, is_json(call));
}

void command_argv(const struct command_call *call)
{
	console_child(child_argv, call);
}

static void child_check(const struct config *config, const struct command_call *call)
{
	show_check(config, is_json(call));
}

void command_check(const struct command_call *call)
{
	console_child(child_check, call);
}

static void child_explain(const struct config *config, const struct command_call *call)
{
	(void)config;
	if (!show_explain(call->first))
		printf("hvinit: %s: no such code\n", call->first);
}

void command_explain(const struct command_call *call)
{
	console_child(child_explain, call);
}

static void child_record(const struct config *config, const struct command_call *call)
{
	(void)config;
	show_record(strcmp(call->option, "--probe") == 0   ? SHOW_PROBED :
		    strcmp(call->option, "--kconfig") == 0 ? SHOW_KCONFIG :
							     SHOW_RECORD);
}

void command_record(const struct command_call *call)
{
	console_child(child_record, call);
}

static void child_manifest(const struct config *config, const struct command_call *call)
{
	(void)config;
	(void)call;
	show_manifest();
}

void command_manifest(const struct command_call *call)
{
	console_child(child_manifest, call);
}

/* --- devices --- */

/* The slots of a device that the operator names; false when no VM has it. */
static bool find_device(const char *bdf, unsigned *slot, unsigned *hostdev)
{
	if (device_find(command_config(), bdf, slot, hostdev))
		return true;
	console_reply("hvinit: %.32s: it is no VM's device; see 'devices'\n", bdf);
	return false;
}

void command_quarantine(const struct command_call *call)
{
	unsigned hostdev;
	unsigned slot;

	if (find_device(call->first, &slot, &hostdev))
		device_note(command_config(), slot, hostdev, DEVICE_QUARANTINED, NULL,
			    "by the operator");
}

void command_release(const struct command_call *call)
{
	unsigned hostdev;
	unsigned slot;

	if (find_device(call->first, &slot, &hostdev) &&
	    !device_release(command_config(), slot, hostdev))
		console_reply("hvinit: %s: it is in no quarantine\n", call->first);
}

/* --- this boot --- */

void command_set(const struct command_call *call)
{
	struct config *config = command_config();
	struct diag diag = { 0 };

	if (!strchr(call->first, '=')) {
		console_reply("hvinit: %.64s: what to set it to? SYMBOL=value\n", call->first);
		return;
	}
	manifest_override(call->first, config, &diag);
	for (unsigned i = 0; i < diag.count; i++) {
		char line[512];

		diag_format(&diag.finding[i], line, sizeof(line));
		console_reply("hvinit: %s\n", line);
	}
	if (!diag.count)
		log_set_level((int)config->host.log_level);
}

void command_safe(const struct command_call *call)
{
	(void)call;
	vm_safe();
	log_msg(LOG_LEVEL_WARN, "host", "safe mode: no VM is started by itself");
}

void command_shell(const struct command_call *call)
{
	(void)call;
	if (command_config()->host.shell)
		console_shell();
	else
		console_reply("hvinit: shell: HOST_SHELL is off in this image\n");
}

void command_poweroff(const struct command_call *call)
{
	(void)call;
	shutdown_begin(SHUTDOWN_POWEROFF);
}

void command_reboot(const struct command_call *call)
{
	(void)call;
	shutdown_begin(SHUTDOWN_REBOOT);
}
