/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's files of the work on the host, at their edges. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "fakesys.h"
#include "sys_host.h"

static int root = -1;
static char calls[512];
static const char *failing; /* call that fails */

int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mount(const char *what, const char *on, const char *type, unsigned long flags,
		 const void *options);
int __wrap_umount2(const char *on, int flags);

static int answer(const char *call)
{
	errno = EBUSY;
	return failing && strcmp(call, failing) == 0 ? -1 : 0;
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	str_format(calls + strlen(calls), sizeof(calls) - strlen(calls), "mkdir %s %o;", path,
		   mode);
	if (answer("mkdir"))
		return -1;
	errno = EEXIST;
	return strcmp(path, "/var") == 0 ? -1 : 0;
}

int __wrap_mount(const char *what, const char *on, const char *type, unsigned long flags,
		 const void *options)
{
	str_format(calls + strlen(calls), sizeof(calls) - strlen(calls), "mount %s %s %s 0x%lx %s;",
		   what ? what : "-", on, type ? type : "-", flags,
		   options ? (const char *)options : "-");
	return answer("mount");
}

int __wrap_umount2(const char *on, int flags)
{
	(void)flags;
	str_format(calls + strlen(calls), sizeof(calls) - strlen(calls), "umount %s;", on);
	return answer("umount");
}

static int setup(void **state)
{
	(void)state;
	calls[0] = '\0';
	failing = NULL;
	root = fakesys_new();
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static void test_huge(void **state)
{
	char text[16];
	uint64_t pages = 0;

	(void)state;
	fakesys_file(root, "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "12\n");
	fakesys_file(root,
		     "sys/devices/system/node/node3/hugepages/hugepages-1048576kB/nr_hugepages",
		     "4\n");
	assert_int_equal(sys_huge_read(root, SYS_NO_NODE, 2048, &pages), 0);
	assert_int_equal(pages, 12);
	assert_int_equal(sys_huge_read(root, 3, 1048576, &pages), 0);
	assert_int_equal(pages, 4);
	assert_int_equal(sys_huge_read(root, 0, 2048, &pages), -ENOENT);
	assert_int_equal(sys_huge_write(root, 0, 2048, 1), -ENOENT);
	assert_int_equal(sys_huge_write(root, SYS_NO_NODE, 2048, 345), 0);
	assert_int_equal(sys_read(root, "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages",
				  text, sizeof(text)),
			 3);
	assert_string_equal(text, "345");
}

static void test_partition(void **state)
{
	char node[8];

	(void)state;
	assert_int_equal(sys_partition(root, "x", node, sizeof(node)), -ENOENT);
	fakesys_file(root, "sys/class/block/vda1/uevent", "DEVNAME=vda1\nPARTNAME=x");
	fakesys_file(root, "sys/class/block/vda2/uevent", "DEVNAME=a/long/name\nPARTNAME=y\n");
	fakesys_file(root, "sys/class/block/vda3/uevent", "PARTNAME=z\n");
	fakesys_file(root, "sys/class/block/vda4/uevent", "XPARTNAME=w\nDEVNAME=vda4\n");
	fakesys_file(root, "sys/class/block/loop0/size", "0");
	assert_int_equal(sys_partition(root, "x", node, sizeof(node)), 0);
	assert_string_equal(node, "vda1");
	assert_int_equal(sys_partition(root, "y", node, sizeof(node)), -ENAMETOOLONG);
	assert_int_equal(sys_partition(root, "z", node, sizeof(node)), -ENAMETOOLONG);
	assert_int_equal(sys_partition(root, "w", node, sizeof(node)), -ENOENT);
}

static void test_mount(void **state)
{
	(void)state;
	assert_int_equal(sys_state_mount("vda2"), 0);
	assert_string_equal(calls, "mkdir /var 755;mkdir /var/lib 755;mkdir /var/lib/hvinit 755;"
				   "mount /dev/vda2 /var/lib/hvinit ext4 0x40e errors=remount-ro;");
	assert_int_equal(MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME, 0x40e);
	failing = "mount";
	assert_int_equal(sys_state_mount("vda2"), -EBUSY);
	failing = "mkdir";
	assert_int_equal(sys_state_mount("vda2"), -EBUSY);
}

/* Somebody who holds a file open must not keep the journal from being closed. */
static void test_umount(void **state)
{
	(void)state;
	assert_int_equal(sys_state_umount(), 0);
	assert_string_equal(calls, "umount /var/lib/hvinit;");
	calls[0] = '\0';
	failing = "umount";
	assert_int_equal(sys_state_umount(), 0);
	assert_string_equal(calls, "umount /var/lib/hvinit;mount - /var/lib/hvinit - 0x21 -;");
	assert_int_equal(MS_REMOUNT | MS_RDONLY, 0x21);
}

static void test_mounted(void **state)
{
	(void)state;
	assert_false(sys_state_mounted(root));
	fakesys_file(root, "var/lib/hvinit/x", "");
	assert_false(sys_state_mounted(root));
	fakesys_remove(root, "var/lib/hvinit/x");
	assert_int_equal(unlinkat(root, "var/lib/hvinit", AT_REMOVEDIR), 0);
	fakesys_link(root, "var/lib/hvinit", "/proc"); /* another file system than what is above */
	assert_true(sys_state_mounted(root));
}

static void test_netdev(void **state)
{
	char name[6];

	(void)state;
	assert_int_equal(sys_pci_netdev(root, "0000:01:00.0", name, sizeof(name)), -ENOENT);
	fakesys_file(root, "sys/bus/pci/devices/0000:01:00.0/net/eth7/mtu", "");
	assert_int_equal(sys_pci_netdev(root, "0000:01:00.0", name, sizeof(name)), 0);
	assert_string_equal(name, "eth7");
	fakesys_file(root, "sys/bus/pci/devices/0000:02:00.0/net/longname/mtu", "");
	assert_int_equal(sys_pci_netdev(root, "0000:02:00.0", name, sizeof(name)), -ENAMETOOLONG);
}

static void test_reopen(void **state)
{
	int fd = open("/dev/null", O_RDWR);
	int again = sys_reopen(fd, O_RDONLY);

	(void)state;
	assert_true(again >= 0 && again != fd);
	assert_int_equal(fcntl(again, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(again);
	close(fd);
	assert_int_equal(sys_reopen(fd, O_RDONLY), -ENOENT);
}

static void test_uevents(void **state)
{
	int fd = sys_uevent_open();

	(void)state;
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
}

static int take_thread(void *arg, pid_t thread, const char *name)
{
	str_format(arg, 32, "%d %s", (int)thread, name);
	return thread == 8 ? -ESRCH : 0;
}

static void test_threads(void **state)
{
	char text[32] = "";

	(void)state;
	assert_int_equal(sys_thread_each(root, 7, take_thread, text), -ENOENT);
	fakesys_file(root, "proc/7/task/7/comm", "qemu\n");
	fakesys_file(root, "proc/7/task/9/stat", ""); /* has ended */
	assert_int_equal(sys_thread_each(root, 7, take_thread, text), 0);
	assert_string_equal(text, "7 qemu");
	fakesys_file(root, "proc/7/task/8/comm", "qemu\n");
	assert_int_equal(sys_thread_each(root, 7, take_thread, text), -ESRCH);
}

#define SYS_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SYS_CASE("huge pages", test_huge),
		SYS_CASE("a partition by its name", test_partition),
		SYS_CASE("mounting", test_mount),
		SYS_CASE("unmounting", test_umount),
		SYS_CASE("whether it is mounted", test_mounted),
		SYS_CASE("network interfaces", test_netdev),
		SYS_CASE("opening anew", test_reopen),
		SYS_CASE("uevents", test_uevents),
		SYS_CASE("threads", test_threads),
	};

	return cmocka_run_group_tests_name("sys_host", tests, NULL, NULL);
}
