/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes the files that sysfs would have; links point where the kernel's do. */
#include "fakesys.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "unit.h"

enum { TREES = 256, NAME = 64 };

static char trees[TREES][NAME];
static unsigned used;

static void make_folders(int root, const char *path)
{
	char part[256];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		assert_true(str_format(part, sizeof(part), "%.*s", (int)(slash - path), path));
		if (mkdirat(root, part, 0755))
			assert_int_equal(errno, EEXIST);
	}
}

void fakesys_file(int root, const char *path, const char *text)
{
	int fd;

	make_folders(root, path);
	fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

void fakesys_link(int root, const char *path, const char *target)
{
	make_folders(root, path);
	assert_int_equal(symlinkat(target, root, path), 0);
}

void fakesys_remove(int root, const char *path)
{
	assert_int_equal(unlinkat(root, path, 0), 0);
}

int fakesys_new(void)
{
	const char *tmp = getenv("TMPDIR");
	int root;

	assert_true(used < TREES);
	str_format(trees[used], NAME, "%.40s/hvinit-unit-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(trees[used]));
	root = open(trees[used++], O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	fakesys_file(root, "proc/meminfo", "MemTotal:        4194304 kB\nMemFree: 1 kB\n");
	fakesys_file(root, "dev/iommu", "");
	fakesys_file(root, "dev/kvm", "");
	fakesys_file(root, "dev/null", "");
	fakesys_file(root, "usr/bin/qemu-system-aarch64", "");
	fakesys_file(root, "usr/share/qemu-efi-aarch64/QEMU_EFI.fd", "");
	fakesys_file(root, "sys/bus/pci/drivers_probe", "");
	fakesys_file(root, "sys/bus/pci/drivers_autoprobe", "1\n");
	fakesys_driver(root, "vfio-pci");
	return root;
}

void fakesys_driver(int root, const char *name)
{
	char path[256];

	str_format(path, sizeof(path), "sys/bus/pci/drivers/%s/bind", name);
	fakesys_file(root, path, "");
}

static void device_file(int root, const char *bdf, const char *attr, const char *text)
{
	char path[256];

	str_format(path, sizeof(path), "sys/bus/pci/devices/%s/%s", bdf, attr);
	fakesys_file(root, path, text);
}

static void device_link(int root, const char *bdf, const char *link, const char *above,
			const char *name)
{
	char path[256];
	char target[256];

	if (!name)
		return;
	str_format(path, sizeof(path), "sys/bus/pci/devices/%s/%s", bdf, link);
	str_format(target, sizeof(target), "../../../../%s/%s", above, name);
	fakesys_link(root, path, target);
}

void fakesys_device(int root, const struct fake_device *device)
{
	char path[256];

	device_file(root, device->bdf, "driver_override", "(null)\n");
	device_file(root, device->bdf, "vendor", "0x8086\n");
	device_file(root, device->bdf, "device", "0x0010\n");
	if (!device->bridge)
		device_file(root, device->bdf, "reset_method", "flr bus\n");
	if (device->bridge)
		device_file(root, device->bdf, "secondary_bus_number", "1\n");
	if (device->class)
		device_file(root, device->bdf, "class", device->class);
	if (device->resource)
		device_file(root, device->bdf, "resource", device->resource);
	if (device->vfio) {
		str_format(path, sizeof(path), "vfio-dev/%s/dev", device->vfio);
		device_file(root, device->bdf, path, "511:0\n");
		str_format(path, sizeof(path), "dev/vfio/devices/%s", device->vfio);
		fakesys_file(root, path, "");
	}
	device_link(root, device->bdf, "driver", "bus/pci/drivers", device->driver);
	device_link(root, device->bdf, "iommu", "devices/platform/arm-smmu-v3/iommu", device->smmu);
	device_link(root, device->bdf, "iommu_group", "kernel/iommu_groups", device->group);
}

/* What the lab's kernel was built with, which is also how an image of hvinit's is known. */
static const char lab_kernel[] =
	"CONFIG_IOMMUFD=y\nCONFIG_VFIO=y\nCONFIG_VFIO_DEVICE_CDEV=y\nCONFIG_VFIO_PCI=y\n"
	"CONFIG_ARM_SMMU_V3=y\nCONFIG_ARM_SMMU_V3_IOMMUFD=y\nCONFIG_KVM=y\nCONFIG_PCI_IOV=y\n"
	"CONFIG_HUGETLBFS=y\nCONFIG_NUMA=y\nCONFIG_TUN=m\nCONFIG_BRIDGE=m\n";

void fakesys_variable(int root, const char *name, const void *data, size_t len)
{
	char path[192];
	int fd;

	str_format(path, sizeof(path), "sys/firmware/efi/efivars/%s", name);
	fakesys_file(root, path, "");
	fd = openat(root, path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(write(fd, "\7\0\0\0", 4), 4);
	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

void fakesys_variable_text(int root, const char *name, const char *text)
{
	char utf16[512];
	size_t len = 0;

	do {
		utf16[len++] = *text;
		utf16[len++] = '\0';
	} while (*text++ && len < sizeof(utf16));
	fakesys_variable(root, name, utf16, len);
}

void fakesys_lab(int root)
{
	static const struct fake_device devices[] = {
		{ .bdf = "0000:00:00.0", .class = "0x060000\n", .group = "0" },
		{ .bdf = "0000:40:00.0", .class = "0x060400\n", .bridge = true, .group = "1" },
		{ .bdf = "0000:41:00.0",
		  .class = "0x010802\n",
		  .group = "2",
		  .smmu = "smmu3.0x000000000c000000",
		  .resource = "0x0000000010000000 0x0000000010003fff 0x0000000000140204\n" },
		{ .bdf = "0000:80:00.0", .class = "0x060400\n", .bridge = true, .group = "3" },
		{ .bdf = "0000:81:00.0",
		  .class = "0x010802\n",
		  .group = "4",
		  .smmu = "smmu3.0x000000000c020000" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		fakesys_device(root, &devices[i]);
	fakesys_file(root, "usr/lib/hvinit/kernel.config", lab_kernel);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

int fakesys_teardown(void **state)
{
	(void)state;
	while (used > 0)
		nftw(trees[--used], remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}
