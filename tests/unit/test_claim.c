/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking a device, with a kernel that fails at each step in turn, and one that lies. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "claim.h"
#include "fakesys.h"
#include "module.h"
#include "sys.h"

#define BDF "0000:41:00.0"
#define DEVICE "sys/bus/pci/devices/" BDF

/* What the kernel does when it is asked; 0 or the errno it answers with. */
static struct {
	int override_error;
	int unbind_error;
	int probe_error;
	const char *binds_to; /* the driver that a probe ends at; NULL: none */
	int option_error;
	bool no_iommufd;
	const char *module; /* the driver that comes with any module; NULL: there is none */
} kernel;

static char calls[256]; /* in order */
static int root = -1;
static struct diag diag;

static void note(const char *what, const char *value)
{
	size_t used = strlen(calls);

	str_format(calls + used, sizeof(calls) - used, "%s=%s;", what, value);
}

static void set_driver(const char *name)
{
	char target[64];

	unlinkat(root, DEVICE "/driver", 0);
	if (!name)
		return;
	str_format(target, sizeof(target), "../../drivers/%s", name);
	fakesys_link(root, DEVICE "/driver", target);
}

int __wrap_sys_pci_write(int dir, const char *bdf, const char *attr, const char *text);
int __wrap_sys_driver_probe(int dir, const char *bdf);
int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_sys_iommufd_open(int dir);
int __real_sys_iommufd_open(int dir);
int __wrap_sys_vfio_open(int dir, const char *name);
int __real_sys_vfio_open(int dir, const char *name);

int __wrap_module_load(int dir, const char *name);

int __wrap_module_load(int dir, const char *name)
{
	assert_int_equal(dir, root);
	note("load", name);
	if (!kernel.module)
		return -ENOENT;
	fakesys_driver(root, kernel.module);
	return 0;
}

int __wrap_sys_pci_write(int dir, const char *bdf, const char *attr, const char *text)
{
	assert_int_equal(dir, root);
	assert_string_equal(bdf, BDF);
	note(attr, text);
	if (strcmp(attr, "driver_override") == 0)
		return -kernel.override_error;
	assert_string_equal(attr, "driver/unbind");
	if (!kernel.unbind_error)
		set_driver(NULL);
	return -kernel.unbind_error;
}

int __wrap_sys_driver_probe(int dir, const char *bdf)
{
	assert_int_equal(dir, root);
	note("probe", bdf);
	if (!kernel.probe_error)
		set_driver(kernel.binds_to);
	return -kernel.probe_error;
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	(void)fd;
	(void)request;
	(void)arg;
	errno = kernel.option_error;
	return kernel.option_error ? -1 : 0;
}

int __wrap_sys_iommufd_open(int dir)
{
	return kernel.no_iommufd ? -EACCES : __real_sys_iommufd_open(dir);
}

int __wrap_sys_vfio_open(int dir, const char *name)
{
	note("open", name);
	return __real_sys_vfio_open(dir, name);
}

static int setup(void **state)
{
	static const struct fake_device device = { .bdf = BDF, .driver = "nvme", .group = "1" };

	(void)state;
	memset(&kernel, 0, sizeof(kernel));
	memset(&diag, 0, sizeof(diag));
	calls[0] = '\0';
	kernel.binds_to = "vfio-pci";
	root = fakesys_new();
	fakesys_device(root, &device);
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

/* --- whether it answers, and giving it back --- */

static void test_alive(void **state)
{
	(void)state;
	assert_true(claim_is_alive(root, BDF, 0, &diag)); /* unknown is not dead */
	fakesys_file(root, "sys/bus/pci/devices/" BDF "/config",
		     "\xff\xff\xff\xff\x06\x04\x10\x01\x02\x02\x08\x01");
	assert_true(claim_is_alive(root, BDF, 0, &diag));
	assert_no_finding(&diag);
	fakesys_file(root, "sys/bus/pci/devices/" BDF "/config",
		     "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
	assert_false(claim_is_alive(root, BDF, 0, &diag));
	assert_finding(&diag, DIAG_DEV_DEAD, BDF, "its configuration space reads ones");
}

static void test_release(void **state)
{
	(void)state;
	assert_true(claim_release(root, BDF, 0, &diag)); /* on a host driver: not ours */
	assert_string_equal(calls, "");
	set_driver("vfio-pci");
	assert_true(claim_release(root, BDF, 0, &diag));
	assert_string_equal(calls, "driver/unbind=" BDF ";");
	assert_true(claim_release(root, BDF, 0, &diag));
	assert_no_finding(&diag);
	set_driver("vfio-pci");
	kernel.unbind_error = EBUSY;
	assert_false(claim_release(root, BDF, 0, &diag));
	assert_finding(&diag, DIAG_RELEASE_FAIL, BDF, "take it from vfio-pci: ");
}

static bool bind(void)
{
	return claim_bind(root, BDF, "vfio-pci", 2, &diag);
}

/* --- binding --- */

static void test_bind(void **state)
{
	(void)state;
	assert_true(bind());
	assert_no_finding(&diag);
	/* The override must stand before the old driver lets go, or that driver comes back. */
	assert_string_equal(calls, "driver_override=vfio-pci;driver/unbind=" BDF ";probe=" BDF ";");
}

static void test_bind_driverless(void **state)
{
	(void)state;
	set_driver(NULL);
	assert_true(bind());
	assert_string_equal(calls, "driver_override=vfio-pci;probe=" BDF ";");
}

static void test_bind_twice(void **state)
{
	(void)state;
	set_driver("vfio-pci");
	assert_true(bind());
	assert_no_finding(&diag);
	assert_string_equal(calls, "");
}

static void test_no_driver(void **state)
{
	(void)state;
	assert_false(claim_bind(root, BDF, "no-such-driver", 2, &diag));
	assert_finding(&diag, DIAG_DRV_NAME, BDF, "no-such-driver: no such PCI driver");
	assert_int_equal(diag.finding[0].vm, 2);
	assert_string_equal(calls, "load=no-such-driver;");
}

/* A driver for one kind of device may be a module, whose name has '_' where the driver's has '-'. */
static void test_module(void **state)
{
	(void)state;
	kernel.module = "xe-vfio-pci";
	kernel.binds_to = "xe-vfio-pci";
	set_driver(NULL);
	assert_true(claim_bind(root, BDF, "xe_vfio_pci", 3, &diag));
	assert_no_finding(&diag);
	assert_string_equal(calls, "load=xe_vfio_pci;driver_override=xe-vfio-pci;probe=" BDF ";");
}

/* The same name as people write it; nothing is loaded for a driver that is there. */
static void test_spelling(void **state)
{
	(void)state;
	fakesys_driver(root, "xe-vfio-pci");
	kernel.binds_to = "xe-vfio-pci";
	set_driver(NULL);
	assert_true(claim_bind(root, BDF, "xe_vfio_pci", 3, &diag));
	assert_no_finding(&diag);
	assert_string_equal(calls, "driver_override=xe-vfio-pci;probe=" BDF ";");
}

static void test_other_module(void **state)
{
	(void)state;
	kernel.module = "mlx5_core";
	set_driver(NULL);
	assert_false(claim_bind(root, BDF, "xe_vfio_pci", 3, &diag));
	assert_finding(&diag, DIAG_DRV_NAME, BDF, "bind to xe_vfio_pci: no such PCI driver");
}

static void test_unmanaged(void **state)
{
	(void)state;
	set_driver("mlx5_vfio_pci");
	assert_true(claim_is_bound(root, BDF, 3, &diag));
	set_driver("nvme");
	assert_false(claim_is_bound(root, BDF, 3, &diag));
	assert_finding(&diag, DIAG_UNMANAGED, BDF, "use it as it is: it is on nvme");
	diag.count = 0;
	set_driver(NULL);
	assert_false(claim_is_bound(root, BDF, 3, &diag));
	assert_finding(&diag, DIAG_UNMANAGED, BDF, "it is on no driver");
	assert_string_equal(calls, ""); /* and nothing was touched */
}

static void test_override_fails(void **state)
{
	(void)state;
	kernel.override_error = EINVAL;
	assert_false(bind());
	assert_finding(&diag, DIAG_BIND_FAIL, BDF, "write driver_override: Invalid argument");
	/* Its own driver must not have been taken away for nothing. */
	assert_null(strstr(calls, "unbind"));
}

static void test_unbind_fails(void **state)
{
	(void)state;
	kernel.unbind_error = EBUSY;
	assert_false(bind());
	assert_finding(&diag, DIAG_BIND_FAIL, BDF, "unbind its driver: Device or resource busy");
	assert_null(strstr(calls, "probe"));
}

static void test_probe_fails(void **state)
{
	(void)state;
	kernel.probe_error = ENODEV;
	assert_false(bind());
	assert_finding(&diag, DIAG_BIND_FAIL, BDF, "probe its driver: No such device");
}

/* drivers_probe reports success when no driver took the device. */
static void test_silent_none(void **state)
{
	(void)state;
	kernel.binds_to = NULL;
	assert_false(bind());
	assert_finding(&diag, DIAG_BIND_SILENT, BDF, "bind to vfio-pci: it is on no driver");
}

static void test_silent_other(void **state)
{
	(void)state;
	kernel.binds_to = "e1000e";
	assert_false(bind());
	assert_finding(&diag, DIAG_BIND_SILENT, BDF, "it is on e1000e");
}

/* A name that begins with the right one is another driver. */
static void test_longer_name(void **state)
{
	(void)state;
	kernel.binds_to = "vfio-pci-core";
	assert_false(bind());
	assert_finding(&diag, DIAG_BIND_SILENT, BDF, "it is on vfio-pci-core");
}

/* --- the character device --- */

static void test_open(void **state)
{
	int fd;

	(void)state;
	fakesys_file(root, DEVICE "/vfio-dev/vfio7/dev", "511:7\n");
	fakesys_file(root, "dev/vfio/devices/vfio7", "");
	fd = claim_open(root, BDF, 2, &diag);
	assert_no_finding(&diag);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_string_equal(calls, "open=vfio7;");
	close(fd);
}

static void test_no_cdev(void **state)
{
	(void)state;
	assert_int_equal(claim_open(root, BDF, 2, &diag), -1);
	assert_finding(&diag, DIAG_CDEV_NONE, BDF, "No such file");
}

static void test_empty_cdev(void **state)
{
	(void)state;
	fakesys_file(root, DEVICE "/vfio-dev/power/x", "");
	assert_int_equal(claim_open(root, BDF, 2, &diag), -1);
	assert_finding(&diag, DIAG_CDEV_NONE, BDF, "No such file");
}

/* A device without IOMMU could write to all memory. */
static void test_noiommu(void **state)
{
	(void)state;
	fakesys_file(root, DEVICE "/vfio-dev/noiommu-vfio0/dev", "511:0\n");
	fakesys_file(root, "dev/vfio/devices/noiommu-vfio0", "");
	assert_int_equal(claim_open(root, BDF, 2, &diag), -1);
	assert_finding(&diag, DIAG_CDEV_NONE, BDF, "without an IOMMU");
	assert_string_equal(calls, "");
}

static void test_no_node(void **state)
{
	(void)state;
	fakesys_file(root, DEVICE "/vfio-dev/vfio7/dev", "511:7\n");
	assert_int_equal(claim_open(root, BDF, 2, &diag), -1);
	assert_finding(&diag, DIAG_CDEV_OPEN, BDF, "open VFIO device vfio7: No such file");
}

/* --- iommufd --- */

static void test_iommufd(void **state)
{
	int fd;

	(void)state;
	fd = claim_iommufd(root, 2, &diag);
	assert_no_finding(&diag);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(fd);
}

static void test_iommufd_refused(void **state)
{
	(void)state;
	kernel.no_iommufd = true;
	assert_int_equal(claim_iommufd(root, 2, &diag), -1);
	assert_finding(&diag, DIAG_IOMMUFD_OPEN, "iommufd", "open /dev/iommu: Permission denied");
}

static void test_iommufd_option(void **state)
{
	int before = open(".", O_PATH);
	int after;

	(void)state;
	close(before);
	kernel.option_error = EBUSY;
	assert_int_equal(claim_iommufd(root, 2, &diag), -1);
	assert_finding(&diag, DIAG_IOMMUFD_OPEN, "iommufd", "IOMMU_OPTION_RLIMIT_MODE: Device");
	after = open(".", O_PATH);
	close(after);
	assert_int_equal(before, after); /* nothing was left open */
}

#define CLAIM_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM_CASE("whether it answers", test_alive),
		CLAIM_CASE("released", test_release),
		CLAIM_CASE("bind: override, unbind, probe", test_bind),
		CLAIM_CASE("bind: a device without driver", test_bind_driverless),
		CLAIM_CASE("bind: done already", test_bind_twice),
		CLAIM_CASE("bind: no such driver", test_no_driver),
		CLAIM_CASE("a driver that is a module", test_module),
		CLAIM_CASE("a driver under another spelling", test_spelling),
		CLAIM_CASE("a module of another driver", test_other_module),
		CLAIM_CASE("a device that is not to be bound", test_unmanaged),
		CLAIM_CASE("bind: the override fails", test_override_fails),
		CLAIM_CASE("bind: the unbind fails", test_unbind_fails),
		CLAIM_CASE("bind: the probe fails", test_probe_fails),
		CLAIM_CASE("bind: silently on no driver", test_silent_none),
		CLAIM_CASE("bind: silently on another driver", test_silent_other),
		CLAIM_CASE("bind: a driver with a longer name", test_longer_name),
		CLAIM_CASE("open: a device", test_open),
		CLAIM_CASE("open: no VFIO folder", test_no_cdev),
		CLAIM_CASE("open: an empty VFIO folder", test_empty_cdev),
		CLAIM_CASE("open: a device without IOMMU", test_noiommu),
		CLAIM_CASE("open: no node", test_no_node),
		CLAIM_CASE("iommufd: opened", test_iommufd),
		CLAIM_CASE("iommufd: refused", test_iommufd_refused),
		CLAIM_CASE("iommufd: the option is refused", test_iommufd_option),
	};

	return cmocka_run_group_tests_name("claim", tests, NULL, NULL);
}
