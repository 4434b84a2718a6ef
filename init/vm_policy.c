/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a VM is started without anybody saying so: at boot, in order, and after it has ended. */
#include "bootcount.h"
#include "critical.h"
#include "event.h"
#include "host.h"
#include "log.h"
#include "manifest.h"
#include "shutdown.h"
#include "trial.h"
#include "util.h"
#include "vm_private.h"

enum {
	LASTED_MS = 1000, /* it had been running: it is worth another start at once */
	STABLE_MS = 60 * 1000, /* what went wrong before is forgotten */
	LONGEST_S = 60,
	PATIENCE_S = 120, /* host_prepare() itself waits for 30 s at most */
};

static bool host_ready;
static bool safe; /* nothing starts by itself */
static struct source patience = { .fd = -1 }; /* with the child that prepares the host */

/* --- at boot --- */

/* Whether those with a higher START_ORDER have to wait for it still. */
static bool is_unsettled(const struct vm *vm)
{
	return vm->waiting || vm->state == VM_STARTING || vm->state == VM_PRELAUNCH ||
	       (vm->state == VM_STOPPING && !vm->ran);
}

static bool needs_host(const struct vm *vm)
{
	return host_is_needed(&vm_config()->host, vm->config);
}

static bool is_due(const struct vm *vm)
{
	if (!vm->waiting || vm->releasing || vm->plugging || (!host_ready && needs_host(vm)))
		return false;
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		const struct vm *other = vm_at(slot);

		if (other && other->config->autostart && is_unsettled(other) &&
		    other->config->start_order < vm->config->start_order)
			return false;
	}
	return true;
}

/* Whether there are VMs that start at boot, and all of them run. */
static bool are_all_up(void)
{
	bool any = false;

	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		const struct vm *vm = vm_at(slot);

		if (vm && vm->config->autostart && vm->state != VM_RUNNING)
			return false;
		any |= vm && vm->config->autostart;
	}
	return any;
}

/* An image on trial has to show that those run which the machine is there for. */
static bool are_critical_up(void)
{
	const struct config *config = vm_config();

	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		const struct vm_config *one = &config->vm[slot];
		const struct vm *vm = vm_at(slot);

		if (manifest_vm_used(one) && one->critical && one->autostart &&
		    (!vm || vm->state != VM_RUNNING))
			return false;
	}
	return true;
}

void vm_judge_boot(void)
{
	trial_judge(are_critical_up());
	if (are_all_up())
		bootcount_good();
}

void vm_policy_proceed(void)
{
	vm_judge_boot();
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		struct vm *vm = vm_at(slot);

		if (vm && is_due(vm)) {
			vm->waiting = false;
			vm_handle(vm, VM_EV_START);
		}
	}
}

static bool is_host_awaited(void)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		const struct vm *vm = vm_at(slot);

		if (vm && vm->waiting && needs_host(vm))
			return !host_ready;
	}
	return false;
}

/* A driver that hangs in the kernel cannot be killed: those that do without it need not wait. */
static void host_is_late(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	if (!timer_fired(&patience))
		return;
	log_msg(LOG_LEVEL_WARN, "host", "prepare devices: not done in %d s; VMs do not wait longer",
		PATIENCE_S);
	vm_host_ready();
}

void vm_autostart(void)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		struct vm *vm = vm_at(slot);

		if (vm && vm->config->autostart && vm->state == VM_STOPPED && vm->starts == 0)
			vm->waiting = true;
	}
	vm_policy_proceed();
	if (is_host_awaited() && patience.fd < 0 && timer_add(&patience, host_is_late, NULL) == 0)
		timer_set(&patience, PATIENCE_S * UINT64_C(1000));
}

void vm_safe(void)
{
	safe = true;
	trial_suspend();
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		struct vm *vm = vm_at(slot);

		if (!vm)
			continue;
		vm->waiting = false;
		if (vm->state == VM_BACKOFF)
			vm_handle(vm, VM_EV_STOP);
	}
}

void vm_host_ready(void)
{
	host_ready = true;
	loop_close(&patience);
	vm_policy_proceed();
}

/* Whether a VM is about to be started by itself. */
static bool is_any_due(void)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		const struct vm *vm = vm_at(slot);

		if (vm && (vm->waiting || vm->state == VM_BACKOFF))
			return true;
	}
	return false;
}

/* --- after it has ended --- */

static bool is_wanted_again(const struct vm *vm)
{
	if (safe)
		return false;
	switch (vm->config->restart) {
	case VM_RESTART_ALWAYS:
		return true;
	case VM_RESTART_ON_FAILURE:
		return vm->state == VM_FAILED;
	default:
		return false;
	}
}

/* It has ended too often in a short time, whatever the reason: more of the same will not help. */
static bool is_given_up(struct vm *vm)
{
	uint64_t window = (uint64_t)vm->config->restart_window * 1000;
	uint64_t now = vm_now_ms();
	uint64_t since = now > window ? now - window : 0;
	unsigned ends;

	if (vm->config->restart_limit == 0)
		return false;
	if (since < vm->forgiven)
		since = vm->forgiven;
	ends = history_since(&vm->history, since);
	if (ends <= (unsigned)vm->config->restart_limit)
		return false;
	vm->faulty = false;
	vm_fault_text(vm, DIAG_RESTART_LIMIT, "start it again: it has ended %u times in %lu s",
		      ends, (unsigned long)(now - since + 999) / 1000);
	vm_enter(vm, VM_FAILED, vm->fault.text);
	return true;
}

/* Seconds until the next start: none, or twice as many as the last time. */
static unsigned delay(struct vm *vm)
{
	uint64_t ran_ms = vm->ran ? vm_now_ms() - vm->ran_from : 0;
	unsigned s = 1;

	if (ran_ms >= STABLE_MS) {
		vm->tries = 0;
		vm->forgiven = vm_now_ms();
	}
	if (ran_ms >= LASTED_MS)
		return 0;
	for (unsigned i = 0; i < vm->tries && s < LONGEST_S; i++)
		s *= 2;
	vm->tries++;
	return s < LONGEST_S ? s : LONGEST_S;
}

void vm_policy_ended(struct vm *vm)
{
	enum vm_state before;
	unsigned s;

	if (shutdown_going_on())
		return;
	if (!is_wanted_again(vm)) {
		if (vm->state == VM_FAILED)
			critical_failed(vm_config(), vm->slot);
		return;
	}
	s = delay(vm);
	if (is_given_up(vm)) {
		critical_failed(vm_config(), vm->slot);
		return;
	}
	before = vm->state;
	vm->state = VM_BACKOFF;
	vm->since = vm_now_ms();
	vm->again_at = vm->since + (uint64_t)s * 1000;
	event_vm(vm->config->name, vm_state_name(VM_BACKOFF), vm_state_name(before), vm->why);
	if (s == 0) {
		vm_handle(vm, VM_EV_TIMEOUT);
		return;
	}
	log_msg(LOG_LEVEL_INFO, vm->config->name, "backoff: it starts again in %u s", s);
	timer_set(&vm->timer, (uint64_t)s * 1000);
}

/*
 * A VM that cannot even start, or whose guest crashes, must not send the machine into a loop of
 * reboots.
 */
void vm_policy_last(const struct vm *vm)
{
	static bool any_ran;

	any_ran |= vm->ran;
	if (!any_ran || vm_active() || is_any_due() || shutdown_going_on())
		return;
	if (vm_config()->host.on_last_vm == HOST_ON_LAST_VM_POWEROFF)
		shutdown_begin(SHUTDOWN_POWEROFF);
	else if (vm_config()->host.on_last_vm == HOST_ON_LAST_VM_REBOOT && vm->state == VM_STOPPED)
		shutdown_begin(SHUTDOWN_REBOOT);
}
