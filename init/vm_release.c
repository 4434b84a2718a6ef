/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens to a VM's devices: states as launchers tell them, and the way back to no driver when
 * the VM has ended for good. A driver can take its time with that, so a child does it, and the VM's
 * next start waits for it.
 */
#include <sys/epoll.h>

#include "log.h"
#include "manifest.h"
#include "shutdown.h"
#include "vm_private.h"

enum { RELEASE_MS = 30 * 1000 };

void vm_device(struct vm *vm, const struct launch_report *report)
{
	const struct finding *finding = &report->finding;
	unsigned slot;
	unsigned hostdev;

	if (report->event == LAUNCH_DEVICE && report->hostdev < HV_HOSTDEV_SLOTS)
		device_note(vm_config(), vm->slot, report->hostdev, report->device,
			    finding->subject, finding->text);
	else if (report->event == LAUNCH_FINDING &&
		 (finding->code == DIAG_DEV_DEAD || finding->code == DIAG_RESET_FAIL) &&
		 device_find(vm_config(), finding->subject, &slot, &hostdev) && slot == vm->slot)
		device_note(vm_config(), slot, hostdev, DEVICE_QUARANTINED, NULL, finding->text);
}

/* False when there is nothing to read. */
static bool read_released(struct vm *vm)
{
	struct launch_report report;
	int error = vm->released.fd < 0 ? 0 : launch_read(vm->released.fd, &report);

	if (error < 0)
		loop_close(&vm->released);
	if (error != 1)
		return false;
	if (report.event == LAUNCH_FINDING)
		log_finding(&report.finding);
	vm_device(vm, &report);
	return true;
}

static void released_ready(void *arg, uint32_t events)
{
	(void)events;
	read_released(arg);
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
		while (read_released(vm))
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
