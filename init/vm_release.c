/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of a VM's devices back to no driver when the VM has ended for good. A driver can take its
 * time with that, so a child does it, and the VM's next start waits for it.
 */
#include <sys/epoll.h>

#include "log.h"
#include "manifest.h"
#include "shutdown.h"
#include "vm_private.h"

enum { RELEASE_MS = 30 * 1000 };

static void released_ready(void *arg, uint32_t events)
{
	struct vm *vm = arg;

	(void)events;
	vm_read_report(vm, &vm->released);
}

/* Whether hvinit has anything to give back: the others it has not bound. */
static bool has_managed(const struct vm_config *vm)
{
	for (unsigned i = 0; i < HV_HOSTDEV_SLOTS; i++)
		if (manifest_hostdev_used(&vm->hostdev[i]) && vm->hostdev[i].managed)
			return true;
	return false;
}

void vm_release(struct vm *vm)
{
	struct launch launch;
	int error;

	if (vm->releasing || !has_managed(vm->config))
		return;
	error = launch_release(vm_config(), vm->slot, LAUNCH_ALL, &launch);
	if (error) {
		log_msg(LOG_LEVEL_WARN, vm->config->name, "start a child to release devices: %s",
			strerror(-error));
		return;
	}
	vm->releasing = launch.pid;
	vm->release_late = false;
	loop_add(&vm->released, launch.report, EPOLLIN, released_ready, vm);
	timer_set(&vm->timer, RELEASE_MS);
}

void vm_release_late(struct vm *vm)
{
	if (!vm->releasing)
		return;
	vm->release_late = true;
	log_msg(LOG_LEVEL_WARN, vm->config->name,
		"its devices are not released after %d s: a driver does not let go",
		RELEASE_MS / 1000);
	vm_policy_last(vm);
	shutdown_proceed();
}

bool vm_released(pid_t pid)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		struct vm *vm = vm_at(slot);

		if (!vm || vm->releasing != pid || pid == 0)
			continue;
		while (vm_read_report(vm, &vm->released))
			;
		loop_close(&vm->released);
		vm->releasing = 0;
		timer_set(&vm->timer, 0);
		vm_policy_proceed();
		vm_policy_last(vm);
		shutdown_proceed();
		return true;
	}
	return false;
}
