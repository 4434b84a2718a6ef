/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether QEMU still answers. One timer for all VMs, which stands still when none runs; it asks
 * each for its state twice in HANG_TIMEOUT.
 */
#include "util.h"
#include "vm_private.h"

static struct source timer = { .fd = -1 };
static uint64_t due; /* when the timer runs out; 0: it stands still */

static bool has_pulse(const struct vm *vm)
{
	return vm && (vm->state == VM_RUNNING || vm->state == VM_PAUSED) &&
	       vm->config->on_hang == VM_ON_HANG_KILL;
}

static uint64_t limit_ms(const struct vm *vm)
{
	return (uint64_t)vm->config->hang_timeout * 1000;
}

/* The first device that a running VM gets makes QEMU pin all of its memory, and say nothing. */
static uint64_t patience_ms(const struct vm *vm)
{
	uint64_t ready = vm->sent ? vm_ready_ms(vm->config) : 0;

	return ready > limit_ms(vm) ? ready : limit_ms(vm);
}

static void ask(struct vm *vm)
{
	uint64_t now = vm_now_ms();

	if (vm->asked && now >= vm->asked + patience_ms(vm)) {
		vm_handle(vm, VM_EV_HUNG);
	} else if (!vm->asked) {
		vm->asked = now;
		/* One that cannot be asked, because it reads no more, does not answer either. */
		qmp_send(vm->qmp.fd, "query-status", "pulse");
	}
}

/* Half of the shortest limit: 0 when nobody has to be asked. */
static uint64_t period_ms(void)
{
	uint64_t period = 0;

	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		const struct vm *vm = vm_at(slot);

		if (has_pulse(vm) && (period == 0 || limit_ms(vm) / 2 < period))
			period = limit_ms(vm) / 2;
	}
	return period;
}

static void wait_for(uint64_t ms)
{
	due = ms ? vm_now_ms() + ms : 0;
	timer_set(&timer, ms);
}

static void beat(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	if (!timer_fired(&timer))
		return;
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		if (has_pulse(vm_at(slot)))
			ask(vm_at(slot));
	wait_for(period_ms());
}

/* A VM that comes and goes must not put off the others. */
void vm_pulse_changed(void)
{
	uint64_t period = period_ms();

	if (timer.fd < 0 && timer_add(&timer, beat, &timer))
		return;
	if (period == 0 || due == 0 || vm_now_ms() + period < due)
		wait_for(period);
}

void vm_pulse_answered(struct vm *vm)
{
	vm->asked = 0;
}
