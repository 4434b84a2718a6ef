/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands about a VM's life. */
#include <stdio.h>
#include <stdlib.h>

#include "command_private.h"
#include "console.h"
#include "machine.h"
#include "ring.h"
#include "status.h"
#include "sys.h"
#include "text.h"
#include "util.h"
#include "version.h"
#include "log.h"
#include "vm.h"

static enum command_result tell(const struct command_call *call, const char *refusal)
{
	if (!refusal)
		return COMMAND_DONE;
	console_reply("hvinit: %s: %s\n", vm_look(call->slot).name, refusal);
	return COMMAND_REFUSED;
}

enum command_result command_start(const struct command_call *call)
{
	return tell(call, vm_command(call->slot, VM_EV_START));
}

enum command_result command_stop(const struct command_call *call)
{
	return tell(call, vm_command(call->slot, VM_EV_STOP));
}

enum command_result command_kill(const struct command_call *call)
{
	return tell(call, vm_command(call->slot, VM_EV_KILL));
}

enum command_result command_restart(const struct command_call *call)
{
	return tell(call, vm_command(call->slot, VM_EV_RESTART));
}

enum command_result command_pause(const struct command_call *call)
{
	return tell(call, vm_command(call->slot, VM_EV_PAUSE));
}

enum command_result command_resume(const struct command_call *call)
{
	return tell(call, vm_command(call->slot, VM_EV_RESUME));
}

enum command_result command_reset(const struct command_call *call)
{
	return tell(call, vm_command(call->slot, VM_EV_RESET));
}

/* The slot's number; one that is none is out of range, and refused as such. */
static unsigned slot_number(const char *arg)
{
	char *end;
	unsigned long number = strtoul(arg, &end, 10);

	return *arg && !*end && number < HV_HOSTDEV_SLOTS ? (unsigned)number : HV_HOSTDEV_SLOTS;
}

enum command_result command_attach(const struct command_call *call)
{
	return tell(call, vm_attach(call->slot, slot_number(call->second)));
}

enum command_result command_detach(const struct command_call *call)
{
	return tell(call, vm_detach(call->slot, slot_number(call->second)));
}

enum command_result command_console(const struct command_call *call)
{
	if (!vm_look(call->slot).pid)
		return tell(call, "it is not running; see 'log'");
	console_attach(call->slot);
	return COMMAND_DONE;
}

/* --- what it has left behind --- */

/* Newest last, as in a log. */
static enum command_result child_history(const struct config *config,
					 const struct command_call *call)
{
	const struct history *history = vm_look(call->slot).history;
	uint64_t now_ms = boottime_us() / 1000;
	const struct history_entry *entry;

	(void)config;
	printf("ended %u times, reset itself %u times\n", history->count, history->resets);
	for (unsigned cause = 0; cause < END_CAUSES; cause++)
		if (history->tally[cause])
			printf("  %-16s %u\n", history_cause(cause), history->tally[cause]);
	if (history->count)
		printf("%10s %10s  %-15s %s\n", "AGO", "HAD RUN", "CAUSE", "WHY");
	for (unsigned n = HISTORY_ENTRIES; n-- > 0;)
		if ((entry = history_back(history, n)))
			printf("%8lu s %8lu s  %-15s %s\n",
			       (unsigned long)((now_ms - entry->at_ms) / 1000),
			       (unsigned long)(entry->ran_ms / 1000), history_cause(entry->cause),
			       entry->text);
	return COMMAND_DONE;
}

enum command_result command_history(const struct command_call *call)
{
	return console_child(child_history, call);
}

/* Kept logs hold a guest's bytes: they are shown without what could steer the terminal. */
static void print_ring(const struct ring *ring)
{
	struct text_filter filter = { 0 };
	char clean[1024 + TEXT_HELD];
	char data[1024];
	uint64_t at = 0;
	size_t n;

	while ((n = ring_read(ring, &at, data, sizeof(data))) > 0) {
		n = text_filter(&filter, data, n, clean);
		fwrite(clean, 1, n, stdout);
	}
	putchar('\n');
}

static enum command_result child_log(const struct config *config, const struct command_call *call)
{
	(void)config;
	if (call->slot == HV_VM_SLOTS) {
		print_ring(log_ring());
		return COMMAND_DONE;
	}
	printf("--- %s: QEMU's words\n", call->first);
	print_ring(vm_words(call->slot));
	printf("--- %s: console\n", call->first);
	print_ring(vm_console(call->slot));
	return COMMAND_DONE;
}

enum command_result command_log(const struct command_call *call)
{
	/* The child cannot fetch what the kernel has kept. */
	const struct ring *host = log_ring();

	if (call_option(call, "-f")) {
		console_follow(call->slot == HV_VM_SLOTS ? host : vm_console(call->slot), false);
		return COMMAND_DONE;
	}
	return console_child(child_log, call);
}

/* --- how it is --- */

static void print_version(void)
{
	char release[SYS_NAME];

	sys_kernel_release(release, sizeof(release));
	console_reply("hvinit " HVINIT_VERSION ", board " HVINIT_BOARD ", Linux %s\n", release);
}

enum command_result command_version(const struct command_call *call)
{
	(void)call;
	print_version();
	return COMMAND_DONE;
}

static void print_vm(unsigned slot)
{
	struct vm_view vm = vm_look(slot);

	console_reply("%-16.16s %-9s %7lu s %7d %7u %8u %7u\n", vm.name, vm.state,
		      (unsigned long)vm.since_s, (int)vm.pid, vm.starts, vm.devices, vm.vsmmus);
	if (vm.why[0])
		console_reply("  %s\n", vm.why);
	if (vm.again_s)
		console_reply("  starts again in %lu s; 'start' does it now, 'stop' not at all\n",
			      (unsigned long)vm.again_s);
}

static void print_machine(void)
{
	print_version();
	console_reply("up %lu s, VMs with a process: %u\n",
		      (unsigned long)(boottime_us() / 1000000), vm_active());
	machine_status(console_reply);
}

static enum command_result child_status(const struct config *config,
					const struct command_call *call)
{
	return command_whole(status_json(config, call->slot));
}

enum command_result command_status(const struct command_call *call)
{
	bool all = call->slot == HV_VM_SLOTS;
	bool any = false;

	if (call_wants_json(call))
		return console_child(child_status, call);
	if (all)
		print_machine();
	for (unsigned i = 0; i < HV_VM_SLOTS; i++) {
		if (!vm_exists(i) || !(all || i == call->slot))
			continue;
		if (!any)
			console_reply("%-16s %-9s %9s %7s %7s %8s %7s\n", "VM", "STATE", "FOR",
				      "PID", "STARTS", "DEVICES", "VSMMUS");
		any = true;
		print_vm(i);
	}
	if (!any)
		console_reply("the manifest has no VM\n");
	return COMMAND_DONE;
}
