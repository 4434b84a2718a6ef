/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices of the manifest that come and go while their VM runs. A child binds and opens a device and
 * sends it to QEMU; the answers come here. What has come back goes to no driver, as after the VM's
 * end. One device at a time; what comes back meanwhile waits.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/wait.h>

#include "log.h"
#include "manifest.h"
#include "vm_private.h"

#define PLUG_DETACH "detach:"
#define PLUG_CLOSE "closefd:"

static const char *bdf_of(const struct vm *vm, unsigned hostdev)
{
	const char *bdf = device_look(vm->slot, hostdev)->bdf;

	return bdf[0] ? bdf : vm->config->hostdev[hostdev].bdf;
}

PRINTF_LIKE(3, 4)
static void fail(struct vm *vm, unsigned hostdev, const char *fmt, ...)
{
	struct diag one = { 0 };
	char text[DIAG_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_add(&one, (int)vm->slot, DIAG_PLUG_FAIL, bdf_of(vm, hostdev), "%s", text);
	log_finding(&one.finding[0]);
}

static void plug_ready(void *arg, uint32_t events)
{
	struct vm *vm = arg;

	(void)events;
	vm_read_report(vm, &vm->plug);
}

static void begin(struct vm *vm, unsigned hostdev, bool attaching, const struct launch *launch)
{
	vm->attaching = attaching;
	vm->plugging = launch->pid;
	vm->plug_slot = hostdev;
	loop_add(&vm->plug, launch->report, EPOLLIN, plug_ready, vm);
}

/* Releases what has come back, when nothing else is going on. */
static void proceed(struct vm *vm)
{
	struct launch launch;
	unsigned hostdev = 0;
	int error;

	while (!vm->plugging && vm->came_back) {
		while (!(vm->came_back & 1U << hostdev))
			hostdev++;
		vm->came_back &= ~(1U << hostdev);
		if (!vm->config->hostdev[hostdev].managed)
			continue;
		error = launch_release(vm_config(), vm->slot, hostdev, &launch);
		if (error)
			fail(vm, hostdev, "start a child to release it: %s", strerror(-error));
		else
			begin(vm, hostdev, false, &launch);
	}
}

static void come_back(struct vm *vm, unsigned hostdev)
{
	device_note(vm_config(), vm->slot, hostdev, DEVICE_FREE, NULL, "");
	vm->came_back |= 1U << hostdev;
	proceed(vm);
}

static const char *refuse(const struct vm *vm, unsigned hostdev)
{
	if (vm->state != VM_RUNNING && vm->state != VM_PAUSED)
		return "its guest does not run";
	if (hostdev >= HV_HOSTDEV_SLOTS || !manifest_hostdev_used(&vm->config->hostdev[hostdev]))
		return "its manifest has no device of that number";
	if (vm->plugging)
		return "another device is just being attached or released";
	return NULL;
}

const char *vm_attach(unsigned slot, unsigned hostdev)
{
	struct vm *vm = vm_at(slot);
	const char *refusal = refuse(vm, hostdev);
	struct launch launch;
	int error;

	if (refusal)
		return refusal;
	if (device_look(slot, hostdev)->held)
		return "it has that device";
	/* QEMU can take minutes for the first one: it pins the guest's memory. */
	if ((vm->sent | vm->taken_back) & 1U << hostdev)
		return "QEMU has not answered yet whether it takes that device";
	if (device_look(slot, hostdev)->state == DEVICE_QUARANTINED)
		return "that device is in quarantine; see 'devices'";
	error = launch_attach(vm_config(), slot, hostdev, vm->qmp.fd, &launch);
	if (error)
		return strerror(-error);
	begin(vm, hostdev, true, &launch);
	vm->sent |= 1U << hostdev;
	return NULL;
}

const char *vm_detach(unsigned slot, unsigned hostdev)
{
	struct vm *vm = vm_at(slot);
	const char *refusal = refuse(vm, hostdev);
	char arguments[32];
	char id[32];
	int error;

	if (refusal)
		return refusal;
	if (!device_look(slot, hostdev)->held)
		return "it does not have that device";
	str_format(arguments, sizeof(arguments), "{\"id\":\"hostdev%u\"}", hostdev);
	str_format(id, sizeof(id), PLUG_DETACH "%u", hostdev);
	error = qmp_send_with(vm->qmp.fd, "device_del", arguments, id, -1);
	if (error)
		return strerror(-error);
	vm->asked_for |= 1U << hostdev;
	return NULL;
}

/* What QEMU has of the descriptor must go, or the device can be opened by nobody else. */
static void roll_back(struct vm *vm, unsigned hostdev)
{
	char arguments[48];
	char name[24];
	char id[32];

	str_format(name, sizeof(name), PLUG_FD, hostdev);
	str_format(arguments, sizeof(arguments), "{\"fdname\":\"%s\"}", name);
	str_format(id, sizeof(id), PLUG_CLOSE "%u", hostdev);
	vm->taken_back |= 1U << hostdev;
	qmp_send_with(vm->qmp.fd, "closefd", arguments, id, -1);
}

/* The slot's number behind a command's name, or HV_HOSTDEV_SLOTS. */
static unsigned slot_of(const char *id, const char *name)
{
	unsigned long slot;
	char *end;

	if (!str_prefix(id, name) || !id[strlen(name)])
		return HV_HOSTDEV_SLOTS;
	slot = strtoul(id + strlen(name), &end, 10);
	return *end || slot >= HV_HOSTDEV_SLOTS ? HV_HOSTDEV_SLOTS : (unsigned)slot;
}

/* Whether that was asked, and not answered yet: QEMU may be a guest's by now. */
static bool was_asked(unsigned *asked, unsigned hostdev)
{
	bool was = *asked & 1U << hostdev;

	*asked &= ~(1U << hostdev);
	return was;
}

static void attach_answered(struct vm *vm, unsigned hostdev, const struct qmp_message *m)
{
	if (!was_asked(&vm->sent, hostdev))
		return;
	if (m->kind == QMP_RETURN) {
		device_note(vm_config(), vm->slot, hostdev, DEVICE_CLAIMED, NULL, "");
		log_msg(LOG_LEVEL_INFO, vm->config->name, "device %s is attached",
			bdf_of(vm, hostdev));
	} else {
		fail(vm, hostdev, "attach it: QEMU: %s", m->text);
		roll_back(vm, hostdev);
	}
}

static void detach_answered(struct vm *vm, unsigned hostdev, const struct qmp_message *m)
{
	if (m->kind == QMP_RETURN && vm->asked_for & 1U << hostdev)
		log_msg(LOG_LEVEL_INFO, vm->config->name,
			"device %s: the guest is asked to let go of it", bdf_of(vm, hostdev));
	else if (m->kind == QMP_ERROR && was_asked(&vm->asked_for, hostdev))
		fail(vm, hostdev, "detach it: QEMU: %s", m->text);
}

bool vm_plug_answer(struct vm *vm, const struct qmp_message *m)
{
	unsigned hostdev;

	if ((hostdev = slot_of(m->id, PLUG_ATTACH)) < HV_HOSTDEV_SLOTS)
		attach_answered(vm, hostdev, m);
	else if ((hostdev = slot_of(m->id, PLUG_DETACH)) < HV_HOSTDEV_SLOTS)
		detach_answered(vm, hostdev, m);
	else if ((hostdev = slot_of(m->id, PLUG_CLOSE)) < HV_HOSTDEV_SLOTS) {
		/* Also when QEMU had dropped the descriptor by itself. */
		if (was_asked(&vm->taken_back, hostdev))
			come_back(vm, hostdev);
	} else {
		/* When it cannot get the descriptor, what follows fails, and is told. */
		return slot_of(m->id, PLUG_GETFD) < HV_HOSTDEV_SLOTS;
	}
	return true;
}

void vm_plug_event(struct vm *vm, const struct qmp_message *m)
{
	unsigned hostdev = slot_of(m->device, "hostdev");

	if (hostdev == HV_HOSTDEV_SLOTS || !device_look(vm->slot, hostdev)->held)
		return;
	if (strcmp(m->name, "DEVICE_DELETED") == 0) {
		was_asked(&vm->asked_for, hostdev);
		log_msg(LOG_LEVEL_INFO, vm->config->name, "device %s is detached",
			bdf_of(vm, hostdev));
		come_back(vm, hostdev);
	} else if (strcmp(m->name, "DEVICE_UNPLUG_GUEST_ERROR") == 0 &&
		   was_asked(&vm->asked_for, hostdev)) {
		fail(vm, hostdev, "detach it: the guest refuses");
	}
}

bool vm_plug_reaped(pid_t pid, int status)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		struct vm *vm = vm_at(slot);

		if (!vm || vm->plugging != pid || pid == 0)
			continue;
		while (vm_read_report(vm, &vm->plug))
			;
		loop_close(&vm->plug);
		vm->plugging = 0;
		/* One that could not be sent may be bound all the same. */
		if (vm->attaching && status) {
			vm->sent &= ~(1U << vm->plug_slot);
			come_back(vm, vm->plug_slot);
		} else {
			proceed(vm);
		}
		vm_policy_proceed();
		return true;
	}
	return false;
}

void vm_plug_ended(struct vm *vm)
{
	if (vm->plugging)
		kill(vm->plugging, SIGKILL);
	/* What it had is for the release of all to give back, and not for this child's end. */
	vm->attaching = false;
	vm->sent = vm->taken_back = vm->asked_for = vm->came_back = 0;
}
