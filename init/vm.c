/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VMs: their memory, what other rooms can ask of them, and what they are told of processes. */
#include <signal.h>
#include <sys/wait.h>

#include "event.h"
#include "log.h"
#include "manifest.h"
#include "util.h"
#include "vm_private.h"

enum { WORDS_BYTES = 16 * 1024 };

static const struct config *config;
static struct vm vms[HV_VM_SLOTS];

static const char *const state_name[VM_STATES] = {
	[VM_INVALID] = "invalid",     [VM_STOPPED] = "stopped", [VM_STARTING] = "starting",
	[VM_PRELAUNCH] = "prelaunch", [VM_RUNNING] = "running", [VM_PAUSED] = "paused",
	[VM_STOPPING] = "stopping",   [VM_STUCK] = "stuck",	[VM_BACKOFF] = "backoff",
	[VM_FAILED] = "failed",
};

const char *vm_state_name(enum vm_state state)
{
	return state_name[state];
}

uint64_t vm_now_ms(void)
{
	return boottime_us() / 1000;
}

/*
 * Until QEMU answers it pins the guest's memory, page by page: 24 GiB of 4 KiB pages have been seen
 * to take 210 s, and huge ones half of the time or less. The limit is five times as generous, so that
 * it tells a hang from a slow machine.
 */
uint64_t vm_ready_ms(const struct vm_config *vm)
{
	enum { BASE_MS = 60 * 1000, MS_PER_MIB = 45, MS_PER_HUGE_MIB = 20 };
	bool huge = vm->hugepages != VM_HUGEPAGES_NONE;

	return BASE_MS + (huge ? MS_PER_HUGE_MIB : MS_PER_MIB) * (uint64_t)vm->memory_mib;
}

void vm_enter(struct vm *vm, enum vm_state state, const char *why)
{
	const char *before = state_name[vm->state];

	vm->state = state;
	vm->since = vm_now_ms();
	str_copy(vm->why, sizeof(vm->why), why);
	log_msg(state == VM_FAILED || state == VM_INVALID ? LOG_LEVEL_ERR : LOG_LEVEL_INFO,
		vm->config->name, "%s%s%s", state_name[state], why[0] ? ": " : "", why);
	event_vm(vm->config->name, state_name[state], before, why);
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

/* --- for the other rooms --- */

int vm_init(const struct config *all, const struct diag *diag)
{
	int error = 0;

	config = all;
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		struct vm *vm = &vms[slot];

		vm->slot = slot;
		vm->starts = vm->tries = 0;
		vm->to_running = 0;
		vm->forgiven = 0;
		history_init(&vm->history);
		vm->waiting = vm->faulty = vm->lingering = false;
		vm->qmp.fd = vm->serial.fd = vm->words.fd = vm->report.fd = -1;
		vm->timer.fd = vm->cgroup.fd = vm->released.fd = -1;
		vm->denied.fd = vm->denied_pause.fd = -1;
		vm->plug.fd = -1;
		vm->plugging = 0;
		vm->came_back = 0;
		vm->releasing = 0;
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

const struct config *vm_config(void)
{
	return config;
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

/* Nothing has ended: but a QEMU that stands still serves its guest no more. */
static void note_stop(const struct vm *vm, int status)
{
	if (WIFCONTINUED(status))
		log_msg(LOG_LEVEL_INFO, vm->config->name, "QEMU goes on");
	else
		log_msg(LOG_LEVEL_WARN, vm->config->name, "QEMU was stopped by signal %d (%s)%s",
			WSTOPSIG(status), strsignal(WSTOPSIG(status)),
			vm->config->on_hang == VM_ON_HANG_KILL ?
				": it is killed unless it goes on" :
				"");
}

bool vm_reaped(pid_t pid, int status)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		struct vm *vm = &vms[slot];

		if (vm->pid != pid || !vm->config)
			continue;
		if (WIFSTOPPED(status) || WIFCONTINUED(status)) {
			note_stop(vm, status);
			return true;
		}
		vm->status = status;
		/* Its last words may still be in the pipes, and they say why it ended. */
		vm_io_drain(vm);
		vm_handle(vm, VM_EV_ENDED);
		return true;
	}
	return !WIFSTOPPED(status) && !WIFCONTINUED(status) &&
	       (vm_released(pid) || vm_plug_reaped(pid, status));
}

bool vm_is_active(unsigned slot)
{
	const struct vm *vm = &vms[slot];

	return ((vm->pid != 0 || vm->lingering) && vm->state != VM_STUCK) ||
	       (vm->releasing && !vm->release_late);
}

unsigned vm_active(void)
{
	unsigned n = 0;

	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		n += vm_is_active(slot);
	return n;
}

int64_t vm_order(unsigned slot)
{
	return vms[slot].config->start_order;
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
		.to_running_ms = vm->to_running,
		.starts = vm->starts,
		.devices = vm->devices,
		.vsmmus = vm->vsmmus,
		.confined = &vm->confined,
		.calls_denied = vm->calls_denied,
		.history = &vm->history,
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
