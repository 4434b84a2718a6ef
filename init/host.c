/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boot work on the host's own devices; see host.h for the order and why. */
#include "host.h"

#include <errno.h>

#include "manifest.h"
#include "module.h"
#include "sys.h"
#include "util.h"

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

void host_reserve(int root, const struct config *config, struct diag *diag)
{
	int error = sys_autoprobe_off(root);

	if (error)
		diag_add(diag, DIAG_HOST, DIAG_AUTOPROBE, "host", "turn driver autoprobe off: %s",
			 strerror(-error));
	for (unsigned n = 0; n < HV_VM_SLOTS; n++) {
		for (unsigned m = 0; m < HV_HOSTDEV_SLOTS; m++) {
			const struct hostdev_config *hostdev = &config->vm[n].hostdev[m];
			const char *driver;

			/* A physical function stays the host's; who says unmanaged has bound it. */
			if (!manifest_hostdev_used(hostdev) || hostdev->vf != HV_NONE ||
			    !hostdev->managed)
				continue;
			/* The best driver is looked for at the start; until then any VFIO one does. */
			driver = strcmp(hostdev->driver, "auto") == 0 ? "vfio-pci" :
									hostdev->driver;
			error = sys_pci_write(root, hostdev->bdf, "driver_override", driver);
			/* A device that is not there is for check to tell. */
			if (error && error != -ENOENT)
				diag_add(diag, DIAG_HOST, DIAG_AUTOPROBE, hostdev->bdf,
					 "write driver_override: %s", strerror(-error));
		}
	}
}

struct walk {
	int root;
	const struct config *config;
};

/* A device that no driver wants is no fault: most have none in an appliance. */
static int probe(void *arg, const char *bdf)
{
	const struct walk *walk = arg;
	char driver[SYS_NAME];
	unsigned vm;

	if (sys_pci_link(walk->root, bdf, "driver", driver, sizeof(driver)) &&
	    !manifest_find(walk->config, bdf, &vm))
		sys_driver_probe(walk->root, bdf);
	return 0;
}

void host_probe(int root, const struct config *config, struct diag *diag)
{
	struct walk walk = { root, config };

	load_modules(root, config->host.modules, diag);
	sys_pci_each(root, probe, &walk);
}
