/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From uevents to the states in device.c. */
#include "device_event.h"

#include <fcntl.h>

#include "chore.h"
#include "device.h"
#include "host.h"
#include "log.h"
#include "manifest.h"
#include "util.h"

static void warn(const char *bdf, int error)
{
	struct diag diag = { 0 };

	diag_add(&diag, DIAG_HOST, DIAG_AUTOPROBE, bdf, "reserve it again: %s", strerror(-error));
	log_finding(&diag.finding[0]);
}

static int reserve(const void *arg)
{
	return host_reserve_device(AT_FDCWD, arg);
}

static void reserved(int error)
{
	if (error)
		warn("host", error);
}

static void has_come(const struct config *config, unsigned vm, unsigned hostdev, const char *bdf)
{
	int error = chore_start(reserve, &config->vm[vm].hostdev[hostdev], reserved);

	if (error)
		warn(bdf, error);
	if (!device_come(config, vm, hostdev))
		log_msg(LOG_LEVEL_INFO, config->vm[vm].name, "device %s has come", bdf);
}

/* One in quarantine stays there, whatever becomes of it. */
static void has_gone(const struct config *config, unsigned vm, unsigned hostdev, const char *bdf)
{
	bool claimed = device_look(vm, hostdev)->state == DEVICE_CLAIMED;

	if (device_look(vm, hostdev)->state == DEVICE_QUARANTINED)
		log_msg(LOG_LEVEL_WARN, config->vm[vm].name, "device %s was removed", bdf);
	device_note(config, vm, hostdev, DEVICE_GONE, NULL,
		    claimed ? "it was removed while the VM had it" : "it was removed");
}

void device_event(const struct config *config, const char *bdf, bool there)
{
	unsigned hostdev;
	unsigned vm;

	if (!device_find(config, bdf, &vm, &hostdev))
		return;
	if (there)
		has_come(config, vm, hostdev, bdf);
	else
		has_gone(config, vm, hostdev, bdf);
}

static void look(const struct config *config, int root, unsigned vm, unsigned hostdev)
{
	const struct device *device = device_look(vm, hostdev);
	const struct hostdev_config *h = &config->vm[vm].hostdev[hostdev];
	const char *bdf = device->bdf[0] ? device->bdf : h->bdf;
	bool there = sys_pci_has(root, bdf, "vendor");

	/* A virtual function that no launcher has told of is nowhere yet. */
	if (!device->bdf[0] && h->vf != HV_NONE)
		return;
	if (there == (device->state == DEVICE_GONE))
		device_event(config, bdf, there);
}

void device_look_all(const struct config *config, int root)
{
	for (unsigned vm = 0; vm < HV_VM_SLOTS; vm++)
		for (unsigned m = 0; m < HV_HOSTDEV_SLOTS; m++)
			if (manifest_vm_used(&config->vm[vm]) &&
			    manifest_hostdev_used(&config->vm[vm].hostdev[m]))
				look(config, root, vm, m);
}
