/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands about the machine and its devices. */
#include <stdio.h>

#include "command_private.h"
#include "console.h"
#include "device.h"
#include "event.h"
#include "log.h"
#include "manifest.h"
#include "metrics.h"
#include "sha256.h"
#include "show.h"
#include "shutdown.h"
#include "sys.h"
#include "update.h"
#include "util.h"
#include "vm.h"

/* --- what a child shows, as 'hvinit' on the build machine does --- */

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

static enum command_result child_devices(const struct config *config,
					 const struct command_call *call)
{
	bool whole = show_devices(config, NULL, call_wants_json(call));

	for (unsigned slot = 0; !call_wants_json(call) && slot < HV_VM_SLOTS; slot++)
		if (vm_exists(slot))
			print_trouble(slot);
	return command_whole(whole);
}

enum command_result command_devices(const struct command_call *call)
{
	return console_child(child_devices, call);
}

static enum command_result child_plan(const struct config *config, const struct command_call *call)
{
	return command_whole(show_plan(config, NULL, call_wants_json(call)));
}

enum command_result command_plan(const struct command_call *call)
{
	return console_child(child_plan, call);
}

static enum command_result child_argv(const struct config *config, const struct command_call *call)
{
	return show_argv(config, call->slot, NULL, call_wants_json(call)) ? COMMAND_DONE :
									    COMMAND_REFUSED;
}

enum command_result command_argv(const struct command_call *call)
{
	return console_child(child_argv, call);
}

static enum command_result child_check(const struct config *config, const struct command_call *call)
{
	return command_whole(show_check(config, call_wants_json(call)));
}

enum command_result command_check(const struct command_call *call)
{
	return console_child(child_check, call);
}

static enum command_result child_explain(const struct config *config,
					 const struct command_call *call)
{
	(void)config;
	if (show_explain(call->first))
		return COMMAND_DONE;
	printf("hvinit: %s: no such code\n", call->first);
	return COMMAND_REFUSED;
}

enum command_result command_explain(const struct command_call *call)
{
	return console_child(child_explain, call);
}

static enum command_result child_record(const struct config *config,
					const struct command_call *call)
{
	enum show_record what = call_option(call, "--probe")   ? SHOW_PROBED :
				call_option(call, "--kconfig") ? SHOW_KCONFIG :
								 SHOW_RECORD;

	(void)config;
	return command_whole(show_record(what));
}

enum command_result command_record(const struct command_call *call)
{
	return console_child(child_record, call);
}

static enum command_result child_manifest(const struct config *config,
					  const struct command_call *call)
{
	(void)config;
	(void)call;
	return command_whole(show_manifest());
}

enum command_result command_manifest(const struct command_call *call)
{
	return console_child(child_manifest, call);
}

/* --- another image --- */

static enum command_result child_update(const struct config *config,
					const struct command_call *call)
{
	const char *sha256 = call_option(call, "--sha256");
	const struct update_request request = {
		.path = call->first,
		.sha256 = sha256 ? sha256 : "",
		.force = call_option(call, "--force") != NULL,
	};

	return command_whole(update_run(config, &request));
}

enum command_result command_update(const struct command_call *call)
{
	const char *sha256 = call_option(call, "--sha256");

	if (sha256 && !sha256_is_hex(sha256)) {
		console_reply("hvinit: update: a SHA-256 has 64 hexadecimal digits\n");
		return COMMAND_USAGE;
	}
	if (!shutdown_going_on())
		return console_child(child_update, call);
	console_reply("hvinit: update: the machine is going down\n");
	return COMMAND_REFUSED;
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

enum command_result command_quarantine(const struct command_call *call)
{
	unsigned hostdev;
	unsigned slot;

	if (!find_device(call->first, &slot, &hostdev))
		return COMMAND_REFUSED;
	device_note(command_config(), slot, hostdev, DEVICE_QUARANTINED, NULL, "by the operator");
	return COMMAND_DONE;
}

enum command_result command_release(const struct command_call *call)
{
	unsigned hostdev;
	unsigned slot;

	if (!find_device(call->first, &slot, &hostdev))
		return COMMAND_REFUSED;
	if (device_release(command_config(), slot, hostdev))
		return COMMAND_DONE;
	console_reply("hvinit: %s: it is in no quarantine\n", call->first);
	return COMMAND_REFUSED;
}

/* --- this boot --- */

enum command_result command_set(const struct command_call *call)
{
	struct config *config = command_config();
	struct diag diag = { 0 };

	if (!strchr(call->first, '=')) {
		console_reply("hvinit: %.64s: what to set it to? SYMBOL=value\n", call->first);
		return COMMAND_USAGE;
	}
	manifest_override(call->first, config, &diag);
	for (unsigned i = 0; i < diag.count; i++) {
		char line[512];

		diag_format(&diag.finding[i], line, sizeof(line));
		console_reply("hvinit: %s\n", line);
	}
	if (diag.count)
		return COMMAND_REFUSED;
	log_set_level((int)config->host.log_level);
	return COMMAND_DONE;
}

enum command_result command_events(const struct command_call *call)
{
	char line[128];

	(void)call;
	event_greeting(line, sizeof(line));
	console_reply("%s", line);
	console_follow(event_ring(), true);
	return COMMAND_DONE;
}

static enum command_result child_metrics(const struct config *config,
					 const struct command_call *call)
{
	(void)call;
	return command_whole(metrics_print(config));
}

enum command_result command_metrics(const struct command_call *call)
{
	return console_child(child_metrics, call);
}

enum command_result command_safe(const struct command_call *call)
{
	(void)call;
	vm_safe();
	log_msg(LOG_LEVEL_WARN, "host", "safe mode: no VM is started by itself");
	event_machine("safe");
	return COMMAND_DONE;
}

enum command_result command_shell(const struct command_call *call)
{
	(void)call;
	if (command_config()->host.shell) {
		console_shell();
		return COMMAND_DONE;
	}
	console_reply("hvinit: shell: HOST_SHELL is off in this image\n");
	return COMMAND_REFUSED;
}

enum command_result command_logout(const struct command_call *call)
{
	(void)call;
	if (console_lock())
		return COMMAND_DONE;
	console_reply("hvinit: logout: there is no password: HOST_CONSOLE_PASSWORD is empty\n");
	return COMMAND_REFUSED;
}

enum command_result command_poweroff(const struct command_call *call)
{
	(void)call;
	shutdown_begin(SHUTDOWN_POWEROFF);
	return COMMAND_DONE;
}

enum command_result command_reboot(const struct command_call *call)
{
	(void)call;
	shutdown_begin(SHUTDOWN_REBOOT);
	return COMMAND_DONE;
}
