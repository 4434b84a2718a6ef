/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's rules for sriov_numvfs are in Documentation/PCI/pci-iov-howto.rst. */
#include "sriov.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "manifest.h"
#include "net.h"
#include "sys.h"
#include "util.h"

static bool wants_vf(const struct vm_config *vm, const struct hostdev_config *hostdev)
{
	return manifest_vm_used(vm) && manifest_hostdev_used(hostdev) && hostdev->vf != HV_NONE;
}

/* Calls each for every slot that names a virtual function, until it returns true. */
static bool each_vf(const struct config *config,
		    bool (*each)(void *arg, unsigned vm, unsigned slot,
				 const struct hostdev_config *hostdev),
		    void *arg)
{
	for (unsigned vm = 0; vm < HV_VM_SLOTS; vm++)
		for (unsigned slot = 0; slot < HV_HOSTDEV_SLOTS; slot++)
			if (wants_vf(&config->vm[vm], &config->vm[vm].hostdev[slot]) &&
			    each(arg, vm, slot, &config->vm[vm].hostdev[slot]))
				return true;
	return false;
}

static bool is_of(void *arg, unsigned vm, unsigned slot, const struct hostdev_config *hostdev)
{
	(void)vm;
	(void)slot;
	return strcmp(hostdev->bdf, arg) == 0;
}

bool sriov_is_wanted(const struct config *config, const char *pf)
{
	char bdf[SYS_BDF];

	str_copy(bdf, sizeof(bdf), pf);
	return each_vf(config, is_of, bdf);
}

/* --- one physical function --- */

struct pf {
	const char *bdf;
	uint64_t wanted;
};

static bool count(void *arg, unsigned vm, unsigned slot, const struct hostdev_config *hostdev)
{
	struct pf *pf = arg;
	uint64_t least = (uint64_t)hostdev->vf + 1;

	(void)vm;
	(void)slot;
	if (strcmp(hostdev->bdf, pf->bdf) != 0)
		return false;
	if (hostdev->vfs != HV_AUTO && (uint64_t)hostdev->vfs > least)
		least = (uint64_t)hostdev->vfs;
	if (least > pf->wanted)
		pf->wanted = least;
	return false;
}

/* Whether a driver has one of the virtual functions that are on. */
static bool in_use(int root, const char *pf, uint64_t vfs)
{
	char driver[SYS_NAME];
	char bdf[SYS_BDF];
	char link[32];

	for (uint64_t i = 0; i < vfs; i++) {
		str_format(link, sizeof(link), "virtfn%" PRIu64, i);
		if (sys_pci_link(root, pf, link, bdf, sizeof(bdf)) == 0 &&
		    sys_pci_link(root, bdf, "driver", driver, sizeof(driver)) == 0)
			return true;
	}
	return false;
}

static int write_number(int root, const char *pf, uint64_t number)
{
	char text[32];

	str_format(text, sizeof(text), "%" PRIu64, number);
	return sys_pci_write(root, pf, "sriov_numvfs", text);
}

/* The switch in a network card works only while its physical function is up. */
static const char *set_link_up(int root, const char *pf, int *error)
{
	*error = net_set_up(root, pf);
	return *error ? "set the physical one's interface up" : NULL;
}

/* NULL when the virtual functions are on; else the step that failed, with the reason in *error. */
static const char *turn_on(int root, const struct pf *pf, int *error)
{
	char text[32];
	uint64_t now;
	ssize_t n = sys_pci_read(root, pf->bdf, "sriov_numvfs", text, sizeof(text));

	*error = n < 0 ? (int)n : 0;
	if (n < 0)
		return "read sriov_numvfs";
	now = strtoull(text, NULL, 10);
	if (now == pf->wanted)
		return set_link_up(root, pf->bdf, error);
	if (in_use(root, pf->bdf, now)) {
		*error = -EBUSY;
		return "change their number while a driver has one";
	}
	*error = sys_pci_write(root, pf->bdf, "sriov_drivers_autoprobe", "0");
	if (*error)
		return "write sriov_drivers_autoprobe";
	/* The kernel does not go from one number to another in one step. */
	*error = now ? write_number(root, pf->bdf, 0) : 0;
	if (!*error)
		*error = write_number(root, pf->bdf, pf->wanted);
	return *error ? "write sriov_numvfs" : set_link_up(root, pf->bdf, error);
}

/* --- one virtual function --- */

struct work {
	int root;
	const struct config *config;
	struct diag *diag;
};

/* The first slot that names a physical function turns its virtual ones on, for all others. */
static bool is_earlier(const struct config *config, unsigned vm, unsigned slot, const char *pf)
{
	for (unsigned v = 0; v <= vm; v++)
		for (unsigned s = 0; s < (v < vm ? (unsigned)HV_HOSTDEV_SLOTS : slot); s++)
			if (wants_vf(&config->vm[v], &config->vm[v].hostdev[s]) &&
			    strcmp(config->vm[v].hostdev[s].bdf, pf) == 0)
				return true;
	return false;
}

static const char *reserve(int root, const struct hostdev_config *hostdev, int *error)
{
	const char *driver = strcmp(hostdev->driver, "auto") == 0 ? "vfio-pci" : hostdev->driver;
	char bdf[SYS_BDF];
	char link[32];

	str_format(link, sizeof(link), "virtfn%" PRId64, hostdev->vf);
	*error = sys_pci_link(root, hostdev->bdf, link, bdf, sizeof(bdf));
	if (*error)
		return "find it";
	if (!hostdev->managed)
		return NULL;
	*error = sys_pci_write(root, bdf, "driver_override", driver);
	return *error ? "write driver_override" : NULL;
}

static bool prepare(void *arg, unsigned vm, unsigned slot, const struct hostdev_config *hostdev)
{
	const struct work *work = arg;
	struct pf pf = { hostdev->bdf, 0 };
	char symbol[DIAG_SUBJECT];
	const char *step = NULL;
	int error = 0;

	/* A device that the VM can do without and that is not there is for the plan to leave out. */
	if (hostdev->optional && !sys_pci_has(work->root, hostdev->bdf, ""))
		return false;
	if (!is_earlier(work->config, vm, slot, hostdev->bdf)) {
		each_vf(work->config, count, &pf);
		step = turn_on(work->root, &pf, &error);
	}
	if (!step)
		step = reserve(work->root, hostdev, &error);
	if (step) {
		str_format(symbol, sizeof(symbol), "VM%u_HOSTDEV%u_VF", vm, slot);
		diag_add(work->diag, (int)vm, DIAG_VF_MAKE, symbol,
			 "virtual function %" PRId64 " of %s: %s: %s", hostdev->vf, hostdev->bdf,
			 step, strerror(-error));
	}
	return false;
}

void sriov_turn_on(int root, const struct config *config, struct diag *diag)
{
	struct work work = { root, config, diag };

	each_vf(config, prepare, &work);
}
