/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host stands on, through everything that can lie between a file and a PCI device. */
#include "unit.h"

#include <fcntl.h>

#include "fakesys.h"
#include "use.h"

#define DISK "0000:01:00.0"
#define OTHER "0000:02:00.0"
#define MIRROR "0000:03:00.0"

static struct facts facts;
static int root = -1;

/* A disk's folder, and the links that name it. */
static void add_block(const char *folder, const char *name, const char *number)
{
	char path[256];
	char target[256];

	str_format(path, sizeof(path), "sys/devices/%s/uevent", folder);
	fakesys_file(root, path, "");
	str_format(path, sizeof(path), "sys/class/block/%s", name);
	str_format(target, sizeof(target), "../../devices/%s", folder);
	fakesys_link(root, path, target);
	str_format(path, sizeof(path), "sys/dev/block/%s", number);
	str_format(target, sizeof(target), "../../devices/%s", folder);
	fakesys_link(root, path, target);
}

#define NVME(bridge, bdf, rest) "pci0000:00/0000:00:" bridge "/" bdf "/nvme/" rest

static int setup(void **state)
{
	static const struct fake_device devices[] = {
		{ .bdf = "0000:00:01.0", .class = "0x060400\n", .bridge = true },
		{ .bdf = DISK, .class = "0x010802\n" },
		{ .bdf = OTHER, .class = "0x010802\n" },
		{ .bdf = MIRROR, .class = "0x010802\n" },
		{ .bdf = "0000:02:02.0", .class = "0x010802\n" },
	};

	(void)state;
	root = fakesys_new();
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		fakesys_device(root, &devices[i]);
	add_block(NVME("01.0", DISK, "nvme0/nvme0n1"), "nvme0n1", "259:0");
	add_block(NVME("01.0", DISK, "nvme0/nvme0n1/nvme0n1p1"), "nvme0n1p1", "259:1");
	add_block(NVME("02.0", OTHER, "nvme1/nvme1n1"), "nvme1n1", "259:2");
	add_block(NVME("03.0", MIRROR, "nvme2/nvme2n1"), "nvme2n1", "259:3");
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static const char *use_of(const char *bdf)
{
	facts_discover(root, &facts);
	return facts_find(&facts, bdf)->use;
}

static void mounted(const char *lines)
{
	fakesys_file(root, "proc/self/mountinfo", lines);
}

static void test_nothing(void **state)
{
	(void)state;
	assert_string_equal(use_of(DISK), "");
	mounted("nonsense\n22 1 259:9 / /gone rw - ext4\n\n23 1 259:9 / /gone rw - ext4 /dev/x rw\n"
		"24 1 0:22 / /proc rw - proc proc rw\n");
	assert_string_equal(use_of(DISK), "");
	assert_string_equal(use_of(OTHER), "");
}

static void test_mount(void **state)
{
	(void)state;
	mounted("22 1 259:1 / /boot rw,relatime shared:1 master:2 - vfat /dev/nvme0n1p1 rw\n"
		"23 1 259:0 / /later rw - ext4 /dev/nvme0n1 rw\n");
	assert_string_equal(use_of(DISK), "mounted at /boot");
	assert_string_equal(use_of(OTHER), "");
	assert_string_equal(use_of("0000:00:01.0"), "");
}

/* A mount point can have any name. */
static void test_strange_mount(void **state)
{
	(void)state;
	mounted("22 1 259:1 / /a\\040b\\012\\033[2J\"\\134 rw - ext4 /dev/nvme0n1p1 rw\n");
	assert_string_equal(use_of(DISK), "mounted at /a b??[2J?\\");
}

/* btrfs and its like have a number that is no device's. */
static void test_anonymous(void **state)
{
	(void)state;
	mounted("22 1 0:31 /@ / rw - btrfs /dev/nvme1n1 rw\n");
	assert_string_equal(use_of(OTHER), "mounted at /");
	assert_string_equal(use_of(DISK), "");
}

/* /dev/mapper upon a RAID of two disks. */
static void test_stacked(void **state)
{
	(void)state;
	add_block("virtual/block/dm-0", "dm-0", "253:0");
	add_block("virtual/block/md0", "md0", "9:0");
	add_block("virtual/block/md0/md0p1", "md0p1", "259:7");
	fakesys_link(root, "sys/devices/virtual/block/dm-0/slaves/md0p1", "../../md0/md0p1");
	fakesys_link(root, "sys/devices/virtual/block/md0/slaves/nvme1n1", "../../gone");
	fakesys_link(root, "sys/devices/virtual/block/md0/slaves/nvme2n1", "../../gone");
	mounted("22 1 253:0 / /srv rw - ext4 /dev/mapper/srv rw\n");
	assert_string_equal(use_of(OTHER), "mounted at /srv");
	assert_string_equal(use_of(MIRROR), "mounted at /srv");
	assert_string_equal(use_of(DISK), "");
}

/* A loop of slaves does not exist, but a recorded tree can hold anything. */
static void test_loop(void **state)
{
	(void)state;
	add_block("virtual/block/dm-0", "dm-0", "253:0");
	fakesys_link(root, "sys/devices/virtual/block/dm-0/slaves/dm-0", "..");
	mounted("22 1 253:0 / /srv rw - ext4 /dev/dm-0 rw\n");
	assert_string_equal(use_of(DISK), "");
}

/* With multipath, the drive is no child of its controllers. */
static void test_multipath(void **state)
{
	(void)state;
	add_block("virtual/nvme-subsystem/nvme-subsys3/nvme3n1", "nvme3n1", "259:8");
	fakesys_link(root, "sys/class/nvme-subsystem/nvme-subsys3",
		     "../../devices/virtual/nvme-subsystem/nvme-subsys3");
	fakesys_link(root, "sys/devices/virtual/nvme-subsystem/nvme-subsys3/nvme3",
		     "../../../" NVME("03.0", MIRROR, "nvme3"));
	fakesys_link(root, "sys/devices/virtual/nvme-subsystem/nvme-subsys3/power", "../../none");
	mounted("22 1 259:8 / /srv rw - ext4 /dev/nvme3n1 rw\n");
	assert_string_equal(use_of(MIRROR), "mounted at /srv");
	assert_string_equal(use_of(OTHER), "");
}

static void test_swap(void **state)
{
	(void)state;
	fakesys_file(root, "proc/swaps",
		     "Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n"
		     "/dev/nvme0n1p1                          partition\t1000\t0\t-2\n");
	assert_string_equal(use_of(DISK), "swap");
}

/* The boot loader writes the partition's UUID in capitals, the kernel in small letters. */
static void test_boot(void **state)
{
	static const char name[] = "sys/firmware/efi/efivars/"
				   "LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
	static const char value[] = "\6\0\0\0A\0B\0-\0001\0\0";
	int fd;

	(void)state;
	fakesys_file(root, name, "");
	fd = openat(root, name, O_WRONLY);
	assert_int_equal(write(fd, value, sizeof(value)), sizeof(value));
	close(fd);
	assert_string_equal(use_of(OTHER), "");
	fakesys_file(root, "sys/class/block/nvme1n1/uevent", "DEVTYPE=partition\nPARTUUID=ab-1\n");
	assert_string_equal(use_of(OTHER), "booted from");
	assert_string_equal(use_of(DISK), "");
}

/* No driver has it, and so no partition of its is to be seen: it may be reserved for a VM. */
static void test_boot_without_driver(void **state)
{
	static const char name[] =
		"sys/firmware/efi/efivars/Boot0000-8be4df61-93ca-11d2-aa0d-00e098032b8c";
	static const char current[] =
		"sys/firmware/efi/efivars/BootCurrent-8be4df61-93ca-11d2-aa0d-00e098032b8c";
	static const char option[] = "\7\0\0\0\1\0\0\0\x16\0\0\0\2\1\x0c\0\xd0\x41\x08\x0a\0\0\0\0"
				     "\1\1\6\0\0\2\x7f\xff\4\0";
	int fd;

	(void)state;
	fakesys_file(root, "sys/devices/pci0000:02/firmware_node/uid", "0\n");
	fakesys_file(root, "sys/devices/pci0000:02/0000:02:02.0/vendor", "");
	fakesys_file(root, name, "");
	fd = openat(root, name, O_WRONLY);
	assert_int_equal(write(fd, option, sizeof(option) - 1), sizeof(option) - 1);
	close(fd);
	fakesys_file(root, current, "");
	fd = openat(root, current, O_WRONLY);
	assert_int_equal(write(fd, "\7\0\0\0\0\0", 6), 6);
	close(fd);
	assert_string_equal(use_of("0000:02:02.0"), "booted from");
	assert_string_equal(use_of(DISK), "");
}

static void test_console(void **state)
{
	(void)state;
	fakesys_file(root, "sys/class/tty/console/active", "tty0 ttyAMA0 ttyS4\n");
	fakesys_link(root, "sys/class/tty/tty0", "../../devices/virtual/tty/tty0");
	fakesys_link(root, "sys/class/tty/ttyS4",
		     "../../devices/pci0000:00/" OTHER "/" OTHER ":0/" OTHER ":0.0/tty/ttyS4");
	assert_string_equal(use_of(OTHER), "console ttyS4");
	assert_string_equal(use_of(DISK), "");
}

static void test_net(void **state)
{
	(void)state;
	fakesys_file(root, "sys/devices/pci0000:00/" OTHER "/virtio1/net/eth0/flags", "0x1002\n");
	fakesys_link(root, "sys/class/net/eth0",
		     "../../devices/pci0000:00/" OTHER "/virtio1/net/eth0");
	fakesys_file(root, "sys/devices/virtual/net/lo/flags", "0x9\n");
	fakesys_link(root, "sys/class/net/lo", "../../devices/virtual/net/lo");
	assert_string_equal(use_of(OTHER), "");
	fakesys_file(root, "sys/devices/pci0000:00/" OTHER "/virtio1/net/eth0/flags", "0x1003\n");
	assert_string_equal(use_of(OTHER), "network eth0 is up");
	assert_string_equal(use_of(DISK), "");
}

struct function {
	const char *vendor;
	const char *device;
	const char *class;
	const char *boot_vga;
	const char *use;
};

static const struct function functions[] = {
	{ "0x1a03", "0x2000", "0x030000", NULL, "BMC" },
	{ "0x102b", "0x0536", "0x030000", NULL, "BMC" },
	{ "0x102b", "0x0521", "0x030000", NULL, "" },
	{ "0x102b", "0x2527", "0x030000", "0\n", "" },
	{ "0x19e5", "0x1711", "0x030000", NULL, "BMC" },
	{ "0x19e5", "0xa22e", "0x020000", NULL, "" },
	{ "0x103c", "0x3306", "0x0c0701", NULL, "BMC" },
	{ "0x103c", "0x3306", "0x088000", NULL, "BMC" },
	{ "0x103c", "0x3307", "0x088000", NULL, "BMC" },
	{ "0x103c", "0x22f6", "0x0c0320", NULL, "BMC" },
	{ "0x103c", "0x3300", "0x0c0300", NULL, "BMC" },
	{ "0x103c", "0x323b", "0x010400", NULL, "" },
	{ "0x1590", "0x0389", "0x088000", NULL, "BMC" },
	{ "0x1590", "0x0294", "0x010700", NULL, "" },
	{ "0x10de", "0x2342", "0x030200", NULL, "" },
	{ "0x1002", "0x1234", "0x030000", "1\n", "boot display" },
};

static void put(const char *attr, const char *text)
{
	char path[128];

	str_format(path, sizeof(path), "sys/bus/pci/devices/" OTHER "/%s", attr);
	fakesys_file(root, path, text);
}

static void test_function(void **state)
{
	const struct function *row = *state;

	setup(NULL);
	put("vendor", row->vendor);
	put("device", row->device);
	put("class", row->class);
	if (row->boot_vga)
		put("boot_vga", row->boot_vga);
	assert_string_equal(use_of(OTHER), row->use);
	put("secondary_bus_number", "1\n");
	assert_string_equal(use_of(OTHER), "");
	teardown(NULL);
}

static void test_partition(void **state)
{
	char bdf[SYS_BDF] = "";

	(void)state;
	assert_false(use_partition(root, "hvinit-state", bdf));
	fakesys_file(root, "sys/class/block/nvme0n1p1/uevent", "PARTNAME=hvinit-state\n");
	assert_true(use_partition(root, "hvinit-state", bdf));
	assert_string_equal(bdf, DISK);
	assert_false(use_partition(root, "hvinit", bdf));
	assert_false(use_partition(root, "hvinit-state2", bdf));
}

#define USE_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	static char title[ARRAY_SIZE(functions)][64];
	struct CMUnitTest tests[12 + ARRAY_SIZE(functions)] = {
		USE_CASE("nothing", test_nothing),
		USE_CASE("mounted", test_mount),
		USE_CASE("a strange mount point", test_strange_mount),
		USE_CASE("a file system without a number", test_anonymous),
		USE_CASE("block devices upon others", test_stacked),
		USE_CASE("block devices in a loop", test_loop),
		USE_CASE("NVMe multipath", test_multipath),
		USE_CASE("swap", test_swap),
		USE_CASE("the boot partition", test_boot),
		USE_CASE("booted from, without a driver", test_boot_without_driver),
		USE_CASE("a console", test_console),
		USE_CASE("a network interface", test_net),
		USE_CASE("a partition by name", test_partition),
	};

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		str_format(title[i], sizeof(title[i]), "function %s:%s: %s", functions[i].vendor,
			   functions[i].device, functions[i].use);
		tests[12 + i] = CASE(title[i], test_function, &functions[i]);
	}
	return cmocka_run_group_tests_name("use", tests, NULL, NULL);
}
