/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boot work on the host's own devices; see host.h for the order and why. */
#include "host.h"

#include <errno.h>

#include "huge.h"
#include "manifest.h"
#include "module.h"
#include "net.h"
#include "sriov.h"
#include "state.h"
#include "sys.h"
#include "util.h"
#include "wait.h"

/*
 * For disks and network interfaces that a driver finds in its own time, all of them together. Only
 * a machine on which one is missing waits so long.
 */
enum { APPEAR_S = 30 };

struct walk {
	int root;
	const struct config *config;
};

static void load_modules(int root, const char *names, struct diag *diag)
{
	char name[SYS_NAME];

	while (*names) {
		size_t len = strcspn(names, " ");
		int error = -ENAMETOOLONG;

		if (len > 0 && len < sizeof(name)) {
			memcpy(name, names, len);
			name[len] = '\0';
			error = module_load(root, name);
		}
		if (len > 0 && error)
			diag_add(diag, DIAG_HOST, DIAG_MODULE_LOAD, "HOST_MODULES", "load %.*s: %s",
				 (int)len, names, strerror(-error));
		names += len;
		names += strspn(names, " ");
	}
}

int host_reserve_device(int root, const struct hostdev_config *hostdev)
{
	/* The best driver is looked for at the start; until then any VFIO one does. */
	const char *driver = strcmp(hostdev->driver, "auto") == 0 ? "vfio-pci" : hostdev->driver;

	/* A physical function stays the host's; who says unmanaged has bound it. */
	if (!manifest_hostdev_used(hostdev) || hostdev->vf != HV_NONE || !hostdev->managed)
		return 0;
	return sys_pci_write(root, hostdev->bdf, "driver_override", driver);
}

static void reserve_devices(int root, const struct config *config, struct diag *diag)
{
	int error = sys_autoprobe_off(root);

	if (error)
		diag_add(diag, DIAG_HOST, DIAG_AUTOPROBE, "host", "turn driver autoprobe off: %s",
			 strerror(-error));
	for (unsigned n = 0; n < HV_VM_SLOTS; n++) {
		for (unsigned m = 0; m < HV_HOSTDEV_SLOTS; m++) {
			const struct hostdev_config *hostdev = &config->vm[n].hostdev[m];

			error = host_reserve_device(root, hostdev);
			/* A device that is not there is for check to tell. */
			if (error && error != -ENOENT)
				diag_add(diag, DIAG_HOST, DIAG_AUTOPROBE, hostdev->bdf,
					 "write driver_override: %s", strerror(-error));
		}
	}
}

void host_reserve(int root, const struct config *config, struct diag *diag)
{
	huge_reserve(root, config, diag);
	reserve_devices(root, config, diag);
}

/* A virtual function that is on already, of a physical one that is shared out to VMs. */
static bool is_shared_out(const struct walk *walk, const char *bdf)
{
	char pf[SYS_BDF];

	return sys_pci_link(walk->root, bdf, "physfn", pf, sizeof(pf)) == 0 &&
	       sriov_is_wanted(walk->config, pf);
}

/* A device that no driver wants is no fault: most have none in an appliance. */
static int probe(void *arg, const char *bdf)
{
	const struct walk *walk = arg;
	char driver[SYS_NAME];
	unsigned vm;

	if (sys_pci_link(walk->root, bdf, "driver", driver, sizeof(driver)) &&
	    !manifest_find(walk->config, bdf, &vm) && !is_shared_out(walk, bdf))
		sys_driver_probe(walk->root, bdf);
	return 0;
}

static bool are_disks_there(void *arg)
{
	const struct walk *walk = arg;

	for (unsigned n = 0; n < HV_VM_SLOTS; n++) {
		const struct vm_config *vm = &walk->config->vm[n];

		if (!manifest_vm_used(vm) || !vm->autostart)
			continue;
		for (unsigned m = 0; m < HV_DISK_SLOTS; m++)
			if (manifest_disk_used(&vm->disk[m]) &&
			    !sys_exists(walk->root, vm->disk[m].path))
				return false;
	}
	return true;
}

void host_probe(int root, const struct config *config)
{
	struct walk walk = { root, config };

	sys_pci_each(root, probe, &walk);
}

void host_prepare(int root, const struct config *config, struct diag *diag)
{
	struct walk walk = { root, config };
	uint64_t deadline_us;

	load_modules(root, config->host.modules, diag);
	host_probe(root, config);
	deadline_us = boottime_us() + APPEAR_S * UINT64_C(1000000);
	state_mount(root, config, deadline_us, diag);
	sriov_turn_on(root, config, diag);
	net_make_bridges(root, config, deadline_us, diag);
	/* One that does not come is for the start of its VM to tell. */
	wait_until(are_disks_there, &walk, deadline_us);
}

bool host_is_needed(const struct host_config *host, const struct vm_config *vm)
{
	bool needed = vm->uefi_vars == VM_UEFI_VARS_KEEP || manifest_disk_used(&vm->disk[0]) ||
		      manifest_net_used(&vm->net[0]);

	for (unsigned m = 0; m < HV_HOSTDEV_SLOTS; m++)
		/* Whether a device has the state partition can be told when the host's disks are there. */
		needed |= manifest_hostdev_used(&vm->hostdev[m]) &&
			  (vm->hostdev[m].vf != HV_NONE || host->state_partlabel[0]);
	return needed;
}
