/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a VM is brought to its end: power button, "quit", SIGKILL to all of its control group, and
 * then patience until the kernel has let go of the last process.
 */
#include <fcntl.h>
#include <signal.h>

#include "critical.h"
#include "log.h"
#include "shutdown.h"
#include "sys_cgroup.h"
#include "util.h"
#include "vm_private.h"

enum {
	PRESS_MS = 10 * 1000, /* between two presses of the power button */
	QUIT_MS = 10 * 1000, /* from "quit" to SIGKILL */
	KILL_MS = 30 * 1000, /* from SIGKILL to giving up: drivers may take seconds to let go */
};

/* The process, too: a launcher joins its group only after it was forked. */
static void kill_all(const struct vm *vm)
{
	if (vm->pid)
		kill(vm->pid, SIGKILL);
	if (vm->cgroup.fd >= 0)
		sys_cgroup_kill(AT_FDCWD, vm->slot);
}

static void step_kill(struct vm *vm)
{
	vm->stop = STOP_KILL;
	timer_set(&vm->timer, KILL_MS);
	kill_all(vm);
}

/* QEMU ends in order at SIGTERM, too: that is for when its monitor does not listen. */
static void step_quit(struct vm *vm)
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
		step_quit(vm);
}

/* The guest decides what its power button means, so this is only the first step. */
void vm_stop(struct vm *vm)
{
	vm->stop_wanted = true;
	vm_enter(vm, VM_STOPPING, "power button");
	vm->deadline = vm_now_ms() + (uint64_t)vm->config->stop_timeout * 1000;
	press(vm);
}

/* A paused guest cannot obey a power button. */
void vm_stop_paused(struct vm *vm)
{
	vm->stop_wanted = true;
	vm_enter(vm, VM_STOPPING, "quit");
	step_quit(vm);
}

/* Nothing runs in the guest yet that could be lost. */
void vm_stop_early(struct vm *vm)
{
	vm->stop_wanted = true;
	vm_enter(vm, VM_STOPPING, "killed while it was starting");
	step_kill(vm);
}

void vm_stop_now(struct vm *vm)
{
	vm->stop_wanted = true;
	vm->start_wanted = false;
	vm_enter(vm, VM_STOPPING, "killed by the operator");
	step_kill(vm);
}

void vm_abandon(struct vm *vm)
{
	vm_enter(vm, VM_STOPPING, "killed for a fault");
	step_kill(vm);
}

void vm_kill_again(struct vm *vm)
{
	kill_all(vm);
}

static void get_stuck(struct vm *vm)
{
	if (vm->pid)
		vm_fault_text(vm, DIAG_STUCK, "kill QEMU: pid %d is still there after %d s",
			      (int)vm->pid, KILL_MS / 1000);
	else
		vm_fault_text(vm, DIAG_STUCK,
			      "kill what is left of it: its cgroup is not empty after %d s",
			      KILL_MS / 1000);
	vm_enter(vm, VM_STUCK, vm->fault.text);
	/* As if it had ended: the kernel may never tell that it has. */
	if (!vm->stop_wanted)
		critical_failed(vm_config(), vm->slot);
	vm_policy_last(vm);
	shutdown_proceed();
}

void vm_stop_harder(struct vm *vm)
{
	if (vm->lingering) {
		get_stuck(vm);
	} else if (vm->stop == STOP_POWERDOWN && vm_now_ms() < vm->deadline) {
		/* A guest that was still booting has missed the first one. */
		press(vm);
	} else if (vm->stop == STOP_POWERDOWN) {
		log_msg(LOG_LEVEL_WARN, vm->config->name,
			"the guest did not obey the power button within %lu s: quit",
			(unsigned long)vm->config->stop_timeout);
		step_quit(vm);
	} else if (vm->stop == STOP_QUIT) {
		log_msg(LOG_LEVEL_WARN, vm->config->name, "QEMU did not quit: kill");
		step_kill(vm);
	} else {
		get_stuck(vm);
	}
}

/*
 * A launcher's helper that hangs in a driver, or whatever a guest has made of its QEMU: a new start
 * must not meet it, for it may have the devices open.
 */
bool vm_is_gone(struct vm *vm)
{
	vm->lingering = vm->cgroup.fd >= 0 && sys_cgroup_populated(vm->cgroup.fd);
	if (!vm->lingering)
		return true;
	timer_set(&vm->timer, KILL_MS);
	kill_all(vm);
	return false;
}
