/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervisor of VMs. Everything that can happen to a VM is an event; what it means depends on
 * the state; the table at the end of this file holds every pair of them.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "console.h"
#include "log.h"
#include "manifest.h"
#include "pin.h"
#include "shutdown.h"
#include "util.h"
#include "vm_private.h"

enum {
	WORDS_BYTES = 16 * 1024,
	PRESS_MS = 10 * 1000, /* between two presses of the power button */
	QUIT_MS = 10 * 1000, /* from "quit" to SIGKILL */
	KILL_MS = 30 * 1000, /* from SIGKILL to giving up: drivers may take seconds to let go */
	LOST_MS = 5 * 1000, /* from the end of the monitor to that of the process */
	/*
	 * Until QEMU answers it pins the guest's memory, page by page: 24 GiB of 4 KiB pages have
	 * been seen to take 210 s. The limit is five times as generous, so that it tells a hang
	 * from a slow machine.
	 */
	READY_BASE_MS = 60 * 1000,
	READY_MS_PER_MIB = 45,
};

static const struct config *config;
static struct vm vms[HV_VM_SLOTS];

typedef void action(struct vm *vm);

static const char *const state_name[VM_STATES] = {
	[VM_INVALID] = "invalid",     [VM_STOPPED] = "stopped", [VM_STARTING] = "starting",
	[VM_PRELAUNCH] = "prelaunch", [VM_RUNNING] = "running", [VM_PAUSED] = "paused",
	[VM_STOPPING] = "stopping",   [VM_STUCK] = "stuck",	[VM_BACKOFF] = "backoff",
	[VM_FAILED] = "failed",
};

uint64_t vm_now_ms(void)
{
	return boottime_us() / 1000;
}

void vm_enter(struct vm *vm, enum vm_state state, const char *why)
{
	vm->state = state;
	vm->since = vm_now_ms();
	str_copy(vm->why, sizeof(vm->why), why);
	log_msg(state == VM_FAILED || state == VM_INVALID ? LOG_LEVEL_ERR : LOG_LEVEL_INFO,
		vm->config->name, "%s%s%s", state_name[state], why[0] ? ": " : "", why);
}

void vm_fault(struct vm *vm, const struct finding *finding)
{
	log_finding(finding);
	if (vm->faulty || finding->severity != DIAG_FAIL)
		return;
	vm->faulty = true;
	vm->fault = *finding;
}

void vm_fault_text(struct vm *vm, enum diag_code code, const char *fmt, ...)
{
	struct diag one = { 0 };
	char text[DIAG_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_add(&one, (int)vm->slot, code, vm->config->name, "%s", text);
	vm_fault(vm, &one.finding[0]);
}

static void timer_ready(void *arg, uint32_t events)
{
	struct vm *vm = arg;

	(void)events;
	if (timer_fired(&vm->timer))
		vm_handle(vm, VM_EV_TIMEOUT);
}

/* --- what the table's cells do --- */

static void ignore(struct vm *vm)
{
	(void)vm;
}

static void refuse_invalid(struct vm *vm)
{
	vm->refusal = "its manifest has faults; see 'check'";
}

static void refuse_stopped(struct vm *vm)
{
	vm->refusal = "it is not running";
}

/* One that waits for its turn will not be started. */
static void stop_waiting(struct vm *vm)
{
	if (!vm->waiting)
		refuse_stopped(vm);
	else
		vm_enter(vm, VM_STOPPED, "not started after all");
	vm->waiting = false;
}

static void refuse_started(struct vm *vm)
{
	vm->refusal = "it is started already";
}

static void refuse_stopping(struct vm *vm)
{
	vm->refusal = "it is being stopped already; 'kill' ends it at once";
}

static void refuse_stuck(struct vm *vm)
{
	vm->refusal = "the kernel does not let go of its QEMU; only a reboot helps";
}

static void begin(struct vm *vm)
{
	vm->stop = STOP_NONE;
	vm->stop_wanted = false;
	vm->execed = false;
	vm->garbage = 0;
	vm->waiting = false;
	vm->started = vm_now_ms();
	vm->ran = false;
	vm->faulty = false;
	vm->reason[0] = '\0';
	vm->starts++;
}

static void start_again(struct vm *vm)
{
	struct launch launch;
	int error;

	if (shutdown_going_on()) {
		vm->refusal = "the machine is going down";
		return;
	}
	begin(vm);
	vm_enter(vm, VM_STARTING, "");
	error = launch_vm(config, vm->slot, &launch);
	if (error) {
		vm_fault_text(vm, DIAG_LAUNCH_FAIL, "start a launcher: %s", strerror(-error));
		vm_enter(vm, VM_FAILED, vm->fault.text);
		vm_policy_ended(vm);
		return;
	}
	vm->pid = launch.pid;
	vm_io_open(vm, &launch);
	timer_set(&vm->timer, READY_BASE_MS + READY_MS_PER_MIB * (uint64_t)vm->config->memory_mib);
}

/* Said by somebody: what went wrong before is forgotten. */
static void start(struct vm *vm)
{
	vm->tries = 0;
	start_again(vm);
}

static void tell_exec(struct vm *vm)
{
	vm->execed = true;
	log_msg(LOG_LEVEL_INFO, vm->config->name, "exec QEMU: pid %d, %u devices, %u vSMMUs",
		(int)vm->pid, vm->devices, vm->vsmmus);
}

/* As many CPUs of the host as the guest has: each gets one for itself. */
static void pin(struct vm *vm)
{
	struct cpulist cpus;
	int error;

	if (!cpulist_parse(vm->config->cpu_pin, &cpus) ||
	    cpulist_count(&cpus) != (uint64_t)vm->config->cpus)
		return;
	error = pin_vcpus(AT_FDCWD, vm->pid, &cpus);
	if (error)
		vm_fault_text(vm, DIAG_VCPU_PIN, "pin virtual CPUs to %s: %s", vm->config->cpu_pin,
			      strerror(-error));
}

static void let_run(struct vm *vm)
{
	vm_enter(vm, VM_PRELAUNCH, "");
	pin(vm);
	qmp_send(vm->qmp.fd, "cont", "cont");
}

static void run(struct vm *vm)
{
	timer_set(&vm->timer, 0);
	if (!vm->ran)
		vm->ran_from = vm_now_ms();
	vm->ran = true;
	vm_enter(vm, VM_RUNNING, "");
	if (vm->devices)
		launch_learn(config, vm->slot, vm->pid);
}

static void pause_vm(struct vm *vm)
{
	vm_enter(vm, VM_PAUSED, "");
}

static void stop_kill(struct vm *vm)
{
	vm->stop = STOP_KILL;
	timer_set(&vm->timer, KILL_MS);
	kill(vm->pid, SIGKILL);
}

/* QEMU ends in order at SIGTERM, too: that is for when its monitor does not listen. */
static void stop_quit(struct vm *vm)
{
	vm->stop = STOP_QUIT;
	timer_set(&vm->timer, QUIT_MS);
	if (qmp_send(vm->qmp.fd, "quit", "quit"))
		kill(vm->pid, SIGTERM);
}

/* Presses the power button, and comes back when it is time to press again, or to stop waiting. */
static void press(struct vm *vm)
{
	uint64_t now = vm_now_ms();
	uint64_t left = vm->deadline > now ? vm->deadline - now : 1;

	vm->stop = STOP_POWERDOWN;
	timer_set(&vm->timer, left < PRESS_MS ? left : PRESS_MS);
	if (qmp_send(vm->qmp.fd, "system_powerdown", "powerdown"))
		stop_quit(vm);
}

/* The guest decides what its power button means, so this is only the first step. */
static void stop(struct vm *vm)
{
	vm->stop_wanted = true;
	vm_enter(vm, VM_STOPPING, "power button");
	vm->deadline = vm_now_ms() + (uint64_t)vm->config->stop_timeout * 1000;
	press(vm);
}

/* A paused guest cannot obey a power button. */
static void stop_paused(struct vm *vm)
{
	vm->stop_wanted = true;
	vm_enter(vm, VM_STOPPING, "quit");
	stop_quit(vm);
}

/* Nothing runs in the guest yet that could be lost. */
static void stop_early(struct vm *vm)
{
	vm->stop_wanted = true;
	vm_enter(vm, VM_STOPPING, "killed while it was starting");
	stop_kill(vm);
}

static void stop_now(struct vm *vm)
{
	vm->stop_wanted = true;
	vm_enter(vm, VM_STOPPING, "killed by the operator");
	stop_kill(vm);
}

static void kill_again(struct vm *vm)
{
	kill(vm->pid, SIGKILL);
}

/* Not asked for: vm_judge() will call it failed, for the fault that led here. */
static void abandon(struct vm *vm)
{
	vm_enter(vm, VM_STOPPING, "killed for a fault");
	stop_kill(vm);
}

static void late(struct vm *vm)
{
	vm_fault_text(vm, DIAG_QMP_LATE, "wait for QEMU: no answer in %lu s",
		      (unsigned long)((vm_now_ms() - vm->started) / 1000));
	abandon(vm);
}

/* When QEMU ends its monitor closes a moment before the process is gone: give it that moment. */
static void expect_end(struct vm *vm)
{
	timer_set(&vm->timer, LOST_MS);
}

static void lost(struct vm *vm)
{
	vm_fault_text(vm, DIAG_QMP_LATE, "talk to QEMU: it closed its monitor and runs on");
	abandon(vm);
}

static void get_stuck(struct vm *vm)
{
	vm_fault_text(vm, DIAG_STUCK, "kill QEMU: pid %d is still there after %d s", (int)vm->pid,
		      KILL_MS / 1000);
	vm_enter(vm, VM_STUCK, vm->fault.text);
	shutdown_proceed();
}

static void stop_harder(struct vm *vm)
{
	if (vm->stop == STOP_POWERDOWN && vm_now_ms() < vm->deadline) {
		/* A guest that was still booting has missed the first one. */
		press(vm);
	} else if (vm->stop == STOP_POWERDOWN) {
		log_msg(LOG_LEVEL_WARN, vm->config->name,
			"the guest did not obey the power button within %lu s: quit",
			(unsigned long)vm->config->stop_timeout);
		stop_quit(vm);
	} else if (vm->stop == STOP_QUIT) {
		log_msg(LOG_LEVEL_WARN, vm->config->name, "QEMU did not quit: kill");
		stop_kill(vm);
	} else {
		get_stuck(vm);
	}
}

static void ended(struct vm *vm)
{
	timer_set(&vm->timer, 0);
	vm_io_close(vm);
	vm->pid = 0;
	vm_judge(vm);
	console_guest_ended(vm->slot);
	if (!vm->stop_wanted)
		vm_policy_ended(vm);
	vm_policy_last(vm);
	shutdown_proceed();
}

static void end_backoff(struct vm *vm)
{
	timer_set(&vm->timer, 0);
	vm_enter(vm, VM_STOPPED, "not started again");
	vm_policy_last(vm);
}

static void reject(struct vm *vm)
{
	vm->waiting = false;
	vm->faulty = true;
	vm_enter(vm, VM_FAILED, vm->fault.text);
}

/* A row for each state, a column for each event; the compiler refuses an initializer too many. */
static action *const table[VM_STATES][VM_EVENTS] = {
	/* clang-format off */
	/*                 START            STOP             KILL            EXEC       READY    RESUMED PAUSED    REFUSED  LOST        TIMEOUT      ENDED   UNFIT */
	[VM_INVALID]   = { refuse_invalid,  refuse_stopped,  refuse_stopped, ignore,    ignore,  ignore, ignore,   ignore,  ignore,     ignore,      ignore, ignore },
	[VM_STOPPED]   = { start,           stop_waiting,    stop_waiting,   ignore,    ignore,  ignore, ignore,   ignore,  ignore,     ignore,      ignore, reject },
	[VM_STARTING]  = { refuse_started,  stop_early,      stop_now,       tell_exec, let_run, ignore, ignore,   abandon, expect_end, late,        ended,  ignore },
	[VM_PRELAUNCH] = { refuse_started,  stop_early,      stop_now,       ignore,    ignore,  run,    ignore,   abandon, expect_end, late,        ended,  ignore },
	[VM_RUNNING]   = { refuse_started,  stop,            stop_now,       ignore,    ignore,  ignore, pause_vm, ignore,  expect_end, lost,        ended,  ignore },
	[VM_PAUSED]    = { refuse_started,  stop_paused,     stop_now,       ignore,    ignore,  run,    ignore,   ignore,  expect_end, lost,        ended,  ignore },
	[VM_STOPPING]  = { refuse_stopping, refuse_stopping, stop_now,       ignore,    ignore,  ignore, ignore,   ignore,  ignore,     stop_harder, ended,  ignore },
	[VM_STUCK]     = { refuse_stuck,    refuse_stuck,    kill_again,     ignore,    ignore,  ignore, ignore,   ignore,  ignore,     ignore,      ended,  ignore },
	[VM_BACKOFF]   = { start,           end_backoff,     end_backoff,    ignore,    ignore,  ignore, ignore,   ignore,  ignore,     start_again, ignore, ignore },
	[VM_FAILED]    = { start,           refuse_stopped,  refuse_stopped, ignore,    ignore,  ignore, ignore,   ignore,  ignore,     ignore,      ignore, ignore },
	/* clang-format on */
};

void vm_handle(struct vm *vm, enum vm_event event)
{
	table[vm->state][event](vm);
	vm_policy_proceed();
}

/* --- for the other rooms --- */

int vm_init(const struct config *all, const struct diag *diag)
{
	int error = 0;

	config = all;
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		struct vm *vm = &vms[slot];

		vm->slot = slot;
		vm->starts = vm->tries = 0;
		vm->waiting = vm->faulty = false;
		vm->qmp.fd = vm->serial.fd = vm->words.fd = vm->report.fd = vm->timer.fd = -1;
		if (!manifest_vm_used(&all->vm[slot]))
			continue;
		vm->config = &all->vm[slot];
		if (!error)
			error = ring_init(&vm->console, (size_t)vm->config->console_kib * 1024);
		if (!error)
			error = ring_init(&vm->words_kept, WORDS_BYTES);
		if (!error)
			error = timer_add(&vm->timer, timer_ready, vm);
		if (diag_failures(diag, (int)slot) || diag_failures(diag, DIAG_HOST))
			vm_enter(vm, VM_INVALID, "its manifest has faults");
		else
			vm->state = VM_STOPPED;
		vm->since = vm_now_ms();
	}
	return error;
}

int vm_find(const char *name)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		if (vms[slot].config && strcmp(vms[slot].config->name, name) == 0)
			return (int)slot;
	return -1;
}

bool vm_exists(unsigned slot)
{
	return slot < HV_VM_SLOTS && vms[slot].config;
}

const struct host_config *vm_host(void)
{
	return &config->host;
}

struct vm *vm_at(unsigned slot)
{
	return vm_exists(slot) ? &vms[slot] : NULL;
}

void vm_unfit(unsigned slot, const struct finding *finding)
{
	struct vm *vm = &vms[slot];

	log_finding(finding);
	if (finding->severity != DIAG_FAIL)
		return;
	/* Only one that does not run yet is the worse for it: see the table. */
	if (!vm->faulty && vm->pid == 0)
		vm->fault = *finding;
	vm_handle(vm, VM_EV_UNFIT);
}

const char *vm_command(unsigned slot, enum vm_event event)
{
	struct vm *vm = &vms[slot];

	vm->refusal = NULL;
	vm_handle(vm, event);
	return vm->refusal;
}

bool vm_reaped(pid_t pid, int status)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		struct vm *vm = &vms[slot];

		if (vm->pid != pid || !vm->config)
			continue;
		vm->status = status;
		/* Its last words may still be in the pipes, and they say why it ended. */
		vm_io_drain(vm);
		vm_handle(vm, VM_EV_ENDED);
		return true;
	}
	return false;
}

unsigned vm_active(void)
{
	unsigned n = 0;

	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		n += vms[slot].pid != 0 && vms[slot].state != VM_STUCK;
	return n;
}

struct vm_view vm_look(unsigned slot)
{
	const struct vm *vm = &vms[slot];
	uint64_t now = vm_now_ms();
	bool again = vm->state == VM_BACKOFF && vm->again_at > now;

	return (struct vm_view){
		.name = vm->config->name,
		.state = state_name[vm->state],
		.why = vm->waiting ? "waits for its turn to be started" : vm->why,
		.again_s = again ? (vm->again_at - now + 999) / 1000 : 0,
		.pid = vm->pid,
		.since_s = (now - vm->since) / 1000,
		.starts = vm->starts,
		.devices = vm->devices,
		.vsmmus = vm->vsmmus,
	};
}

bool vm_type(unsigned slot, const char *data, size_t len)
{
	/* A guest that does not read its console must not hold up ours. */
	return vms[slot].serial.fd >= 0 && write(vms[slot].serial.fd, data, len) == (ssize_t)len;
}

const struct ring *vm_console(unsigned slot)
{
	return &vms[slot].console;
}

const struct ring *vm_words(unsigned slot)
{
	return &vms[slot].words_kept;
}
