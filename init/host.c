/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boot work on the host's own devices; see host.h for the order and why. */
#include "host.h"

#include <errno.h>

#include "facts.h"
#include "manifest.h"
#include "module.h"
#include "util.h"

static const struct hostdev_config *find_hostdev(const struct config *config, const char *bdf)
{
	for (unsigned n = 0; n < HV_VM_SLOTS; n++) {
		const struct vm_config *vm = &config->vm[n];

		for (unsigned m = 0; manifest_vm_used(vm) && m < HV_HOSTDEV_SLOTS; m++)
			if (strcmp(vm->hostdev[m].bdf, bdf) == 0)
				return &vm->hostdev[m];
	}
	return NULL;
}

static void reserve(int root, const struct config *config, const struct facts *facts,
		    struct diag *diag)
{
	for (unsigned i = 0; i < facts->count; i++) {
		const char *bdf = facts->device[i].bdf;
		const struct hostdev_config *hostdev = find_hostdev(config, bdf);
		int error = hostdev ? sys_pci_write(root, bdf, "driver_override", hostdev->driver) :
				      0;

		if (error)
			diag_add(diag, DIAG_HOST, DIAG_AUTOPROBE, bdf, "write driver_override: %s",
				 strerror(-error));
	}
}

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

/* A device that no driver wants is no fault: most have none in an appliance. */
static void probe_rest(int root, const struct config *config, const struct facts *facts)
{
	for (unsigned i = 0; i < facts->count; i++)
		if (!facts->device[i].driver[0] && !find_hostdev(config, facts->device[i].bdf))
			sys_driver_probe(root, facts->device[i].bdf);
}

void host_prepare(int root, const struct config *config, struct diag *diag)
{
	static struct facts facts;
	int error = sys_autoprobe(root, false);

	if (error)
		diag_add(diag, DIAG_HOST, DIAG_AUTOPROBE, "host", "turn driver autoprobe off: %s",
			 strerror(-error));
	facts_discover(root, &facts);
	reserve(root, config, &facts, diag);
	load_modules(root, config->host.modules, diag);
	probe_rest(root, config, &facts);
}
