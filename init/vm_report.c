/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the children that bind and release a VM's devices say of them. */
#include "device.h"
#include "log.h"
#include "vm_private.h"

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

bool vm_read_report(struct vm *vm, struct source *source)
{
	struct launch_report report;
	int error = source->fd < 0 ? 0 : launch_read(source->fd, &report);

	if (error < 0)
		loop_close(source);
	if (error != 1)
		return false;
	if (report.event == LAUNCH_FINDING)
		log_finding(&report.finding);
	vm_device(vm, &report);
	return true;
}
