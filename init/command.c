/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an operator can say. */
#include "command.h"

#include <stdio.h>
#include <stdlib.h>

#include "console.h"
#include "device.h"
#include "log.h"
#include "machine.h"
#include "show.h"
#include "shutdown.h"
#include "sys.h"
#include "text.h"
#include "util.h"
#include "version.h"
#include "vm.h"

/*
 * WHOLE: must be typed in full, for noise on the line must not end anything. JSON: may be followed
 * by --json.
 */
enum { ARG_NONE, ARG_VM, ARG_LOG, ARG_WORD, ARG_DEVICE, ARG_MASK = 7, WHOLE = 8, JSON = 16 };

enum { WORDS = 8 };

struct command {
	const char *name;
	const char *args; /* for the help */
	const char *help;
	void (*run)(unsigned slot, const char *arg);
	unsigned arg; /* one of ARG_*, and WHOLE, JSON */
};

static const struct config *config;

static const struct command *find(const char *name);
static void print_help(unsigned slot, const char *arg);

static void tell(unsigned slot, const char *refusal)
{
	if (refusal)
		console_reply("hvinit: %s: %s\n", vm_look(slot).name, refusal);
}

static void run_start(unsigned slot, const char *arg)
{
	(void)arg;
	tell(slot, vm_command(slot, VM_EV_START));
}

static void run_stop(unsigned slot, const char *arg)
{
	(void)arg;
	tell(slot, vm_command(slot, VM_EV_STOP));
}

static void run_kill(unsigned slot, const char *arg)
{
	(void)arg;
	tell(slot, vm_command(slot, VM_EV_KILL));
}

static void run_restart(unsigned slot, const char *arg)
{
	(void)arg;
	tell(slot, vm_command(slot, VM_EV_RESTART));
}

static void run_pause(unsigned slot, const char *arg)
{
	(void)arg;
	tell(slot, vm_command(slot, VM_EV_PAUSE));
}

static void run_resume(unsigned slot, const char *arg)
{
	(void)arg;
	tell(slot, vm_command(slot, VM_EV_RESUME));
}

static void run_reset(unsigned slot, const char *arg)
{
	(void)arg;
	tell(slot, vm_command(slot, VM_EV_RESET));
}

static void run_console(unsigned slot, const char *arg)
{
	(void)arg;
	if (vm_look(slot).pid)
		console_attach(slot);
	else
		tell(slot, "it is not running; see 'log'");
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

static void child_log_host(const struct config *all, unsigned slot)
{
	(void)all;
	(void)slot;
	print_ring(log_ring());
}

/* Newest last, as in a log. */
static void child_history(const struct config *all, unsigned slot)
{
	const struct history *history = vm_look(slot).history;
	uint64_t now_ms = boottime_us() / 1000;
	const struct history_entry *entry;

	(void)all;
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
}

static void run_history(unsigned slot, const char *arg)
{
	(void)arg;
	console_child(child_history, slot);
}

static void child_log_vm(const struct config *all, unsigned slot)
{
	(void)all;
	printf("--- %s: QEMU's words\n", vm_look(slot).name);
	print_ring(vm_words(slot));
	printf("--- %s: console\n", vm_look(slot).name);
	print_ring(vm_console(slot));
}

static void run_log(unsigned slot, const char *arg)
{
	if (strcmp(arg, "host") == 0)
		console_child(child_log_host, 0);
	else
		console_child(child_log_vm, slot);
}

/* What a child is asked for; it has its own copy by the time the next command changes them. */
static char code[32];
static bool json;

static void child_explain(const struct config *all, unsigned slot)
{
	(void)all;
	(void)slot;
	if (!show_explain(code))
		printf("hvinit: %s: no such code\n", code);
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

static void child_devices(const struct config *all, unsigned slot)
{
	show_devices(all, NULL, json);
	for (slot = 0; !json && slot < HV_VM_SLOTS; slot++)
		if (vm_exists(slot))
			print_trouble(slot);
}

static void child_plan(const struct config *all, unsigned slot)
{
	(void)slot;
	show_plan(all, NULL, json);
}

static void child_argv(const struct config *all, unsigned slot)
{
	show_argv(all, slot, NULL, json);
}

static void child_check(const struct config *all, unsigned slot)
{
	(void)slot;
	show_check(all, json);
}

static enum show_record record;

static void child_record(const struct config *all, unsigned slot)
{
	(void)all;
	(void)slot;
	show_record(record);
}

static void child_manifest(const struct config *all, unsigned slot)
{
	(void)all;
	(void)slot;
	show_manifest();
}

static void run_devices(unsigned slot, const char *arg)
{
	(void)slot;
	(void)arg;
	console_child(child_devices, 0);
}

static void run_plan(unsigned slot, const char *arg)
{
	(void)slot;
	(void)arg;
	console_child(child_plan, 0);
}

static void run_check(unsigned slot, const char *arg)
{
	(void)slot;
	(void)arg;
	console_child(child_check, 0);
}

static void run_argv(unsigned slot, const char *arg)
{
	(void)arg;
	console_child(child_argv, slot);
}

static void run_explain(unsigned slot, const char *arg)
{
	(void)slot;
	str_copy(code, sizeof(code), arg);
	console_child(child_explain, 0);
}

static void run_record(unsigned slot, const char *arg)
{
	(void)slot;
	record = strcmp(arg, "--probe") == 0   ? SHOW_PROBED :
		 strcmp(arg, "--kconfig") == 0 ? SHOW_KCONFIG :
						 SHOW_RECORD;
	if (arg[0] && record == SHOW_RECORD)
		console_reply("hvinit: usage: record [--probe|--kconfig]\n");
	else
		console_child(child_record, 0);
}

/* The slots of a device that the operator names; false when no VM has it. */
static bool find_device(const char *bdf, unsigned *slot, unsigned *hostdev)
{
	if (device_find(config, bdf, slot, hostdev))
		return true;
	console_reply("hvinit: %s: it is no VM's device; see 'devices'\n", bdf[0] ? bdf : "BDF");
	return false;
}

/* The slot's number; one that is none is out of range, and refused as such. */
static unsigned slot_number(const char *arg)
{
	char *end;
	unsigned long number = strtoul(arg, &end, 10);

	return *arg && !*end && number < HV_HOSTDEV_SLOTS ? (unsigned)number : HV_HOSTDEV_SLOTS;
}

static void run_attach(unsigned slot, const char *arg)
{
	tell(slot, vm_attach(slot, slot_number(arg)));
}

static void run_detach(unsigned slot, const char *arg)
{
	tell(slot, vm_detach(slot, slot_number(arg)));
}

static void run_quarantine(unsigned slot, const char *arg)
{
	unsigned hostdev;

	if (find_device(arg, &slot, &hostdev))
		device_note(config, slot, hostdev, DEVICE_QUARANTINED, NULL, "by the operator");
}

static void run_release(unsigned slot, const char *arg)
{
	unsigned hostdev;

	if (find_device(arg, &slot, &hostdev) && !device_release(config, slot, hostdev))
		console_reply("hvinit: %s: it is in no quarantine\n", arg);
}

static void run_manifest(unsigned slot, const char *arg)
{
	(void)slot;
	(void)arg;
	console_child(child_manifest, 0);
}

static void run_shell(unsigned slot, const char *arg)
{
	(void)slot;
	(void)arg;
	if (config->host.shell)
		console_shell();
	else
		console_reply("hvinit: shell: HOST_SHELL is off in this image\n");
}

static void run_poweroff(unsigned slot, const char *arg)
{
	(void)slot;
	(void)arg;
	shutdown_begin(SHUTDOWN_POWEROFF);
}

static void run_reboot(unsigned slot, const char *arg)
{
	(void)slot;
	(void)arg;
	shutdown_begin(SHUTDOWN_REBOOT);
}

static void print_version(void)
{
	char release[SYS_NAME];

	if (sys_kernel_release(release, sizeof(release)))
		release[0] = '\0';
	console_reply("hvinit " HVINIT_VERSION ", board " HVINIT_BOARD ", Linux %s\n", release);
}

static void run_version(unsigned slot, const char *arg)
{
	(void)slot;
	(void)arg;
	print_version();
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

static void run_status(unsigned slot, const char *arg)
{
	bool any = false;

	(void)slot;
	(void)arg;
	print_version();
	console_reply("up %lu s, VMs with a process: %u\n",
		      (unsigned long)(boottime_us() / 1000000), vm_active());
	machine_status(console_reply);
	for (unsigned i = 0; i < HV_VM_SLOTS; i++) {
		if (!vm_exists(i))
			continue;
		if (!any)
			console_reply("%-16s %-9s %9s %7s %7s %8s %7s\n", "VM", "STATE", "FOR",
				      "PID", "STARTS", "DEVICES", "VSMMUS");
		any = true;
		print_vm(i);
	}
	if (!any)
		console_reply("the manifest has no VM\n");
}

static const struct command commands[] = {
	{ "help", "[COMMAND]", "this list, or what one command does", print_help, ARG_WORD },
	{ "version", "", "version of hvinit, board and kernel", run_version, ARG_NONE },
	{ "status", "", "one line for each VM", run_status, ARG_NONE },
	{ "start", "VM", "start a VM that is stopped, failed or in backoff", run_start, ARG_VM },
	{ "stop", "VM", "press its power button; quit after STOP_TIMEOUT", run_stop, ARG_VM },
	{ "restart", "VM", "stop it, and start it when it has ended", run_restart, ARG_VM },
	{ "reset", "VM", "its reset button: the guest loses what it has not written", run_reset,
	  ARG_VM | WHOLE },
	{ "pause", "VM", "let its CPUs stand still; devices and memory stay", run_pause, ARG_VM },
	{ "resume", "VM", "let them go on", run_resume, ARG_VM },
	{ "kill", "VM", "end it at once: the guest loses what it has not written", run_kill,
	  ARG_VM | WHOLE },
	{ "history", "VM", "how it has ended so far", run_history, ARG_VM },
	{ "console", "VM", "its serial console; Ctrl-] comes back", run_console, ARG_VM },
	{ "log", "VM|host", "what a VM and its QEMU printed, or the host's log", run_log, ARG_LOG },
	{ "devices", "[--json]", "PCI devices with driver, group, physical SMMU and VM",
	  run_devices, ARG_NONE | JSON },
	{ "attach", "VM SLOT", "give a running VM HOSTDEV<SLOT> of its manifest", run_attach,
	  ARG_DEVICE },
	{ "detach", "VM SLOT", "let its guest give that device back", run_detach, ARG_DEVICE },
	{ "quarantine", "BDF", "let no VM have that device at its next start", run_quarantine,
	  ARG_WORD },
	{ "release", "BDF", "end a device's quarantine", run_release, ARG_WORD },
	{ "plan", "[--json]", "each VM's topology as it would be started now", run_plan,
	  ARG_NONE | JSON },
	{ "argv", "VM [--json]", "the words that QEMU is started with", run_argv, ARG_VM | JSON },
	{ "check", "[--json]", "what would keep a VM from starting, with remedies", run_check,
	  ARG_NONE | JSON },
	{ "explain", "[CODE]", "what a diagnostic's code means, or all of them", run_explain,
	  ARG_WORD },
	{ "record", "[OPTION]", "this machine's facts; --probe: SMMUs, too; --kconfig: its devices",
	  run_record, ARG_WORD },
	{ "manifest", "", "the manifest of this image", run_manifest, ARG_NONE },
	{ "shell", "", "a rescue shell (HOST_SHELL); exit comes back", run_shell, ARG_NONE },
	{ "poweroff", "", "stop all VMs, then power off; again: without waiting for guests",
	  run_poweroff, ARG_NONE | WHOLE },
	{ "reboot", "", "stop all VMs, then reboot; again: without waiting for guests", run_reboot,
	  ARG_NONE | WHOLE },
};

static void print_help(unsigned slot, const char *arg)
{
	const struct command *one = arg[0] ? find(arg) : NULL;

	(void)slot;
	if (arg[0] && !one)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!one || one == &commands[i])
			console_reply("%-9s %-11s %s\n", commands[i].name, commands[i].args,
				      commands[i].help);
	if (!one)
		console_reply("A command may be shortened as long as it stays unambiguous; "
			      "kill, poweroff and reboot may not.\n");
}

/* By name, or by the beginning of exactly one name; says what is wrong otherwise. */
static const struct command *find(const char *name)
{
	const struct command *found = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!str_prefix(commands[i].name, name))
			continue;
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
		if (found) {
			console_reply("hvinit: %s: ambiguous: %s or %s\n", name, found->name,
				      commands[i].name);
			return NULL;
		}
		found = &commands[i];
	}
	if (!found)
		console_reply("hvinit: %s: no such command; try 'help'\n", name);
	else if ((found->arg & WHOLE))
		console_reply("hvinit: %s: '%s' must be typed in full\n", name, found->name);
	return found && !(found->arg & WHOLE) ? found : NULL;
}

static unsigned split(char *line, char *word[WORDS])
{
	unsigned n = 0;

	while (n < WORDS) {
		line += strspn(line, " ");
		if (!*line)
			break;
		word[n++] = line;
		line += strcspn(line, " ");
		if (*line)
			*line++ = '\0';
	}
	return n;
}

static void run_with(const struct command *command, const char *arg, const char *last)
{
	unsigned kind = command->arg & ARG_MASK;
	int slot = 0;

	if (kind == ARG_VM || kind == ARG_DEVICE || (kind == ARG_LOG && strcmp(arg, "host") != 0)) {
		if (!arg[0] || (kind == ARG_DEVICE && !last[0])) {
			console_reply("hvinit: usage: %s %s\n", command->name, command->args);
			return;
		}
		slot = vm_find(arg);
		if (slot < 0) {
			console_reply("hvinit: %s: no such VM; see 'status'\n", arg);
			return;
		}
	}
	command->run((unsigned)slot, kind == ARG_DEVICE ? last : arg);
}

static unsigned most_words(const struct command *command)
{
	unsigned kind = command->arg & ARG_MASK;

	return kind == ARG_NONE ? 1 : kind == ARG_DEVICE ? 3 : 2;
}

void command_init(const struct config *all)
{
	config = all;
}

void command_run(char *line)
{
	const struct command *command;
	char *word[WORDS] = { NULL };
	unsigned words = split(line, word);

	if (words == 0)
		return;
	command = find(word[0]);
	if (!command)
		return;
	json = (command->arg & JSON) && words > 1 && strcmp(word[words - 1], "--json") == 0;
	words -= json;
	if (words > most_words(command))
		console_reply("hvinit: usage: %s%s%s\n", command->name, command->args[0] ? " " : "",
			      command->args);
	else
		run_with(command, words > 1 ? word[1] : "", words > 2 ? word[2] : "");
}
