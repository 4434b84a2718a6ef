/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's files, at the edges of what the kernel writes into them. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fakesys.h"
#include "sys.h"

#define BDF "0000:01:00.0"
#define DEVICE "sys/bus/pci/devices/" BDF

static int root = -1;

static int setup(void **state)
{
	static const struct fake_device device = { .bdf = BDF, .driver = "nvme" };

	(void)state;
	root = fakesys_new();
	fakesys_device(root, &device);
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static void test_root(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(sys_root_open("/nonexistent"), -ENOENT);
	assert_int_equal(sys_root_open("/dev/null"), -ENOTDIR);
	fd = sys_root_open("/");
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

/* The buffer must have room for a byte more than the file: that is how its end is found. */
static void test_read(void **state)
{
	char buf[5] = "xxxx";

	(void)state;
	fakesys_file(root, "four", "abc\n");
	assert_int_equal(sys_read(root, "four", buf, sizeof(buf)), 3);
	assert_string_equal(buf, "abc");
	fakesys_file(root, "five", "abcd\n");
	assert_int_equal(sys_read(root, "five", buf, sizeof(buf)), -EFBIG);
	assert_string_equal(buf, "");
	fakesys_file(root, "bare", "abc");
	assert_int_equal(sys_read(root, "bare", buf, sizeof(buf)), 3);
	fakesys_file(root, "empty", "");
	assert_int_equal(sys_read(root, "empty", buf, sizeof(buf)), 0);
	fakesys_file(root, "newline", "\n");
	assert_int_equal(sys_read(root, "newline", buf, sizeof(buf)), 0);
	assert_string_equal(buf, "");
	assert_int_equal(sys_read(root, "missing", buf, sizeof(buf)), -ENOENT);
	assert_int_equal(sys_read(root, "sys", buf, sizeof(buf)), -EISDIR);
}

static void test_exists(void **state)
{
	(void)state;
	assert_true(sys_exists(root, "/dev/kvm")); /* "/" is the root that was given */
	assert_true(sys_exists(root, "dev/kvm"));
	assert_false(sys_exists(root, "/etc/passwd"));
}

static void test_link(void **state)
{
	char name[8];

	(void)state;
	assert_int_equal(sys_pci_link(root, BDF, "driver", name, sizeof(name)), 0);
	assert_string_equal(name, "nvme");
	assert_int_equal(sys_pci_link(root, BDF, "iommu", name, sizeof(name)), -ENOENT);
	assert_string_equal(name, "");
	fakesys_link(root, DEVICE "/plain", "name");
	assert_int_equal(sys_pci_link(root, BDF, "plain", name, sizeof(name)), 0);
	assert_string_equal(name, "name");
	fakesys_link(root, DEVICE "/long", "../a-long-name");
	assert_int_equal(sys_pci_link(root, BDF, "long", name, sizeof(name)), -ENAMETOOLONG);
	assert_int_equal(sys_pci_link(root, BDF, "vendor", name, sizeof(name)), -EINVAL);
}

static void test_long_paths(void **state)
{
	char attr[400];
	char buf[8];

	(void)state;
	memset(attr, 'x', sizeof(attr) - 1);
	attr[sizeof(attr) - 1] = '\0';
	assert_int_equal(sys_pci_read(root, BDF, attr, buf, sizeof(buf)), -ENAMETOOLONG);
	assert_int_equal(sys_pci_write(root, BDF, attr, "x"), -ENAMETOOLONG);
	assert_int_equal(sys_pci_link(root, BDF, attr, buf, sizeof(buf)), -ENAMETOOLONG);
	assert_int_equal(sys_vfio_name(root, attr, buf, sizeof(buf)), -ENAMETOOLONG);
	assert_int_equal(sys_vfio_open(root, attr), -ENAMETOOLONG);
	assert_false(sys_driver_exists(root, attr));
	assert_false(sys_pci_has(root, BDF, attr));
}

static void test_write(void **state)
{
	char buf[32];

	(void)state;
	assert_int_equal(sys_pci_write(root, BDF, "driver_override", "vfio-pci"), 0);
	assert_true(sys_pci_read(root, BDF, "driver_override", buf, sizeof(buf)) > 0);
	assert_memory_equal(buf, "vfio-pci", 8);
	assert_int_equal(sys_pci_write(root, BDF, "no_such", "x"), -ENOENT);
	assert_int_equal(sys_driver_probe(root, BDF), 0);
	assert_int_equal(sys_read(root, "sys/bus/pci/drivers_probe", buf, sizeof(buf)), 12);
	assert_string_equal(buf, BDF);
	assert_int_equal(sys_autoprobe_off(root), 0);
	assert_int_equal(sys_read(root, "sys/bus/pci/drivers_autoprobe", buf, sizeof(buf)), 1);
	assert_string_equal(buf, "0");
}

static int count_two(void *arg, const char *bdf)
{
	unsigned *n = arg;

	assert_int_not_equal(bdf[0], '.');
	return ++*n == 2 ? 42 : 0;
}

static void test_each(void **state)
{
	static const struct fake_device more[] = { { .bdf = "0000:02:00.0" },
						   { .bdf = "0000:03:00.0" } };
	unsigned n = 0;

	(void)state;
	assert_int_equal(sys_pci_each(root, count_two, &n), 0);
	assert_int_equal(n, 1);
	fakesys_device(root, &more[0]);
	fakesys_device(root, &more[1]);
	n = 0;
	assert_int_equal(sys_pci_each(root, count_two, &n), 42);
	assert_int_equal(n, 2);
}

static void test_vfio_name(void **state)
{
	char name[6];

	(void)state;
	assert_int_equal(sys_vfio_name(root, BDF, name, sizeof(name)), -ENOENT);
	fakesys_file(root, DEVICE "/vfio-dev/vfio7/dev", "");
	assert_int_equal(sys_vfio_name(root, BDF, name, sizeof(name)), 0);
	assert_string_equal(name, "vfio7");
	assert_int_equal(sys_vfio_name(root, BDF, name, 5), -ENAMETOOLONG);
}

static void test_memory(void **state)
{
	(void)state;
	assert_int_equal(sys_memory_kib(root), 4194304);
	fakesys_file(root, "proc/meminfo", "MemFree: 7 kB\n");
	assert_int_equal(sys_memory_kib(root), 0);
	fakesys_file(root, "proc/meminfo", "MemTotal: many\n");
	assert_int_equal(sys_memory_kib(root), 0);
}

static void test_nodes(void **state)
{
	int fd;

	(void)state;
	fd = sys_iommufd_open(root);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	fakesys_remove(root, "dev/iommu");
	assert_int_equal(sys_iommufd_open(root), -ENOENT);
	assert_int_equal(sys_vfio_open(root, "vfio0"), -ENOENT);
}

static void test_close_range(void **state)
{
	int low = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(dup2(low, 200), 200);
	assert_int_equal(dup2(low, 210), 210);
	assert_int_equal(sys_close_range(200, 205), 0);
	assert_int_equal(fcntl(200, F_GETFD), -1);
	assert_true(fcntl(210, F_GETFD) >= 0);
	assert_int_equal(sys_close_range(210, 205), -EINVAL);
	close(210);
	close(low);
}

#define SYS_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SYS_CASE("roots", test_root),
		SYS_CASE("reading", test_read),
		SYS_CASE("what exists", test_exists),
		SYS_CASE("links", test_link),
		SYS_CASE("paths that are too long", test_long_paths),
		SYS_CASE("writing", test_write),
		SYS_CASE("every device", test_each),
		SYS_CASE("names of VFIO devices", test_vfio_name),
		SYS_CASE("memory", test_memory),
		SYS_CASE("device nodes", test_nodes),
		SYS_CASE("closing a range", test_close_range),
	};

	return cmocka_run_group_tests_name("sys", tests, NULL, NULL);
}
