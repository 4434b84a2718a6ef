/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Driver binding through driver_override, and the descriptors that QEMU gets. */
#include "claim.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <linux/iommufd.h>

#include "module.h"
#include "sys.h"
#include "util.h"
#include "variant.h"

static bool is_bound(int root, const char *bdf, const char *driver)
{
	char now[SYS_NAME];

	return sys_pci_link(root, bdf, "driver", now, sizeof(now)) == 0 && strcmp(now, driver) == 0;
}

struct spelling {
	const char *wanted;
	char *name;
};

/* 1: that is the one. */
static int take_same(void *arg, const char *driver)
{
	const struct spelling *spelling = arg;

	return variant_same(driver, spelling->wanted) && str_copy(spelling->name, SYS_NAME, driver);
}

/*
 * The driver's name as the PCI bus spells it, which is its module's but for '-' and '_'. One that
 * is not there yet is loaded.
 */
static bool find_driver(int root, const char *driver, char name[SYS_NAME])
{
	struct spelling spelling = { driver, name };

	if (sys_driver_exists(root, driver))
		return str_copy(name, SYS_NAME, driver);
	return sys_driver_each(root, take_same, &spelling) > 0 ||
	       (module_load(root, driver) == 0 && sys_driver_each(root, take_same, &spelling) > 0);
}

/* Returns NULL, or what could not be done with *error as the reason. */
static const char *rebind(int root, const char *bdf, const char *driver, int *error)
{
	char now[SYS_NAME];

	*error = sys_pci_write(root, bdf, "driver_override", driver);
	if (*error)
		return "write driver_override";
	if (sys_pci_link(root, bdf, "driver", now, sizeof(now)) == 0) {
		*error = sys_pci_write(root, bdf, "driver/unbind", bdf);
		if (*error)
			return "unbind its driver";
	}
	*error = sys_driver_probe(root, bdf);
	return *error ? "probe its driver" : NULL;
}

bool claim_bind(int root, const char *bdf, const char *driver, int vm, struct diag *diag)
{
	char now[SYS_NAME];
	char spelled[SYS_NAME];
	const char *step;
	int error;

	if (is_bound(root, bdf, driver))
		return true;
	if (!find_driver(root, driver, spelled)) {
		diag_add(diag, vm, DIAG_DRV_NAME, bdf, "bind to %s: no such PCI driver", driver);
		return false;
	}
	driver = spelled;
	step = rebind(root, bdf, driver, &error);
	if (step) {
		diag_add(diag, vm, DIAG_BIND_FAIL, bdf, "%s: %s", step, strerror(-error));
		return false;
	}
	if (!is_bound(root, bdf, driver)) {
		if (sys_pci_link(root, bdf, "driver", now, sizeof(now)))
			str_copy(now, sizeof(now), "no driver");
		diag_add(diag, vm, DIAG_BIND_SILENT, bdf, "bind to %s: it is on %s", driver, now);
		return false;
	}
	return true;
}

bool claim_is_bound(int root, const char *bdf, int vm, struct diag *diag)
{
	char now[SYS_NAME];
	int error = sys_pci_link(root, bdf, "driver", now, sizeof(now));

	if (!error && strstr(now, "vfio"))
		return true;
	diag_add(diag, vm, DIAG_UNMANAGED, bdf, "use it as it is: it is on %s",
		 error ? "no driver" : now);
	return false;
}

bool claim_is_alive(int root, const char *bdf, int vm, struct diag *diag)
{
	uint32_t class;

	if (sys_pci_class_now(root, bdf, &class) || class != UINT32_MAX)
		return true;
	diag_add(diag, vm, DIAG_DEV_DEAD, bdf, "talk to it: its configuration space reads ones");
	return false;
}

bool claim_release(int root, const char *bdf, int vm, struct diag *diag)
{
	char now[SYS_NAME];
	int error = sys_pci_link(root, bdf, "driver", now, sizeof(now));

	if (error || !strstr(now, "vfio"))
		return true;
	error = sys_pci_write(root, bdf, "driver/unbind", bdf);
	if (!error)
		return true;
	diag_add(diag, vm, DIAG_RELEASE_FAIL, bdf, "take it from %s: %s", now, strerror(-error));
	return false;
}

int claim_open(int root, const char *bdf, int vm, struct diag *diag)
{
	char name[SYS_NAME];
	int fd = sys_vfio_name(root, bdf, name, sizeof(name));

	if (fd < 0) {
		diag_add(diag, vm, DIAG_CDEV_NONE, bdf, "find its VFIO device: %s",
			 fd == -ENOTTY ? "there is only one without an IOMMU" : strerror(-fd));
		return -1;
	}
	fd = sys_vfio_open(root, name);
	if (fd < 0) {
		diag_add(diag, vm, DIAG_CDEV_OPEN, bdf, "open VFIO device %s: %s", name,
			 strerror(-fd));
		return -1;
	}
	return fd;
}

int claim_iommufd(int root, int vm, struct diag *diag)
{
	struct iommu_option option = {
		.size = sizeof(option),
		.option_id = IOMMU_OPTION_RLIMIT_MODE,
		.op = IOMMU_OPTION_OP_SET,
		.val64 = 1,
	};
	_cleanup_fd_ int fd = sys_iommufd_open(root);

	if (fd < 0) {
		diag_add(diag, vm, DIAG_IOMMUFD_OPEN, "iommufd", "open /dev/iommu: %s",
			 strerror(-fd));
		return -1;
	}
	if (ioctl(fd, IOMMU_OPTION, &option)) {
		diag_add(diag, vm, DIAG_IOMMUFD_OPEN, "iommufd", "set IOMMU_OPTION_RLIMIT_MODE: %s",
			 strerror(errno));
		return -1;
	}
	return steal_fd(&fd);
}
