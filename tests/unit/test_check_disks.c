/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks against what the host has: files, block devices and their parts, mounts, PCI devices. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "check.h"
#include "fakesys.h"
#include "manifest.h"
#include "sys_disk.h"

static struct config config;
static struct facts facts;
static struct check_set set;
static struct diag diag;
static int root = -1;

static struct disk_config *const disk = config.vm[0].disk;

/* Only root can make a block device: a file of such a name is taken for one. */
static const struct {
	const char *path;
	unsigned minor;
} blocks[] = { { "dev/nvme0n1", 0 },
	       { "dev/nvme0n1p1", 1 },
	       { "dev/nvme0n1p2", 2 },
	       { "dev/nvme1n1", 8 },
	       { "dev/dm-0", 16 } };

int __real_fstatat(int folder, const char *path, struct stat *st, int flags);
int __wrap_fstatat(int folder, const char *path, struct stat *st, int flags);
int __wrap_fstatat(int folder, const char *path, struct stat *st, int flags)
{
	int result = __real_fstatat(folder, path, st, flags);

	for (size_t i = 0; result == 0 && i < ARRAY_SIZE(blocks); i++)
		if (strcmp(path, blocks[i].path) == 0) {
			st->st_mode = S_IFBLK | 0600;
			st->st_rdev = makedev(259, blocks[i].minor);
		}
	return result;
}

static void make_block(const char *name, const char *number, const char *above, const char *attrs,
		       const char *size)
{
	char path[256];
	char target[256];

	str_format(path, sizeof(path), "sys/devices/%s/%s/dev", above, name);
	fakesys_file(root, path, number);
	str_format(path, sizeof(path), "sys/devices/%s/%s/size", above, name);
	fakesys_file(root, path, size);
	if (attrs) {
		str_format(path, sizeof(path), "sys/devices/%s/%s/partition", above, name);
		fakesys_file(root, path, "1");
		str_format(path, sizeof(path), "sys/devices/%s/%s/start", above, name);
		fakesys_file(root, path, attrs);
	}
	str_format(target, sizeof(target), "../../devices/%s/%s", above, name);
	str_format(path, sizeof(path), "sys/dev/block/%s", number);
	fakesys_link(root, path, target);
	str_format(path, sizeof(path), "sys/class/block/%s", name);
	fakesys_link(root, path, target);
	str_format(path, sizeof(path), "dev/%s", name);
	fakesys_file(root, path, "");
}

#define NVME0 "pci0000:40/0000:40:00.0/0000:41:00.0/nvme/nvme0"
#define NVME1 "pci0000:80/0000:80:00.0/0000:82:00.0/nvme/nvme1"

/* Two drives, one with two partitions, and a mapped device on the second of those. */
static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	memset(&diag, 0, sizeof(diag));
	root = fakesys_new();
	fakesys_lab(root);
	make_block("nvme0n1", "259:0", NVME0, NULL, "1000");
	make_block("nvme0n1p1", "259:1", NVME0 "/nvme0n1", "100", "300");
	make_block("nvme0n1p2", "259:2", NVME0 "/nvme0n1", "400", "600");
	make_block("nvme1n1", "259:8", NVME1, NULL, "1000");
	make_block("dm-0", "259:16", "virtual/block", NULL, "600");
	fakesys_link(root, "sys/devices/virtual/block/dm-0/slaves/nvme0n1p2", "x");
	fakesys_file(root, "proc/self/mountinfo", "1 0 0:1 / /proc rw - proc proc rw\n");
	fakesys_file(root, "srv/a.img", "a");
	fakesys_file(root, "srv/b.img", "b");
	fakesys_link(root, "srv/also-a.img", "a.img");
	str_copy(config.vm[0].name, sizeof(config.vm[0].name), "demo");
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static void give(unsigned vm, unsigned slot, const char *path)
{
	str_copy(config.vm[vm].disk[slot].path, sizeof(disk->path), path);
}

static void check_slot(unsigned slot)
{
	facts_discover(root, &facts);
	set = (struct check_set){
		.config = &config,
		.facts = &facts,
		.machine = true,
		.root = root,
	};
	check_plan(&set);
	check_vm(&set, slot, &diag);
}

static void mount_at(const char *number, const char *source)
{
	char line[256];

	str_format(line, sizeof(line),
		   "1 0 0:1 / /proc rw - proc proc rw\n"
		   "2 1 %s / /mnt rw,relatime shared:1 - ext4 %s rw\n",
		   number, source);
	fakesys_file(root, "proc/self/mountinfo", line);
}

static void test_good(void **state)
{
	(void)state;
	give(0, 0, "/srv/a.img");
	give(0, 1, "/srv/b.img");
	give(0, 2, "/dev/nvme0n1p1");
	give(0, 3, "/dev/nvme1n1");
	mount_at("259:2", "/dev/nvme0n1p2");
	check_slot(0);
	assert_no_finding(&diag);
}

/* --- the same disk twice --- */

struct pair {
	const char *title;
	const char *first;
	const char *second;
	bool same;
};

static const struct pair pairs[] = {
	{ "one path", "/srv/a.img", "/srv/a.img", true },
	{ "a file by two names", "/srv/a.img", "/srv/also-a.img", true },
	{ "two files", "/srv/a.img", "/srv/b.img", false },
	{ "a disk and its partition", "/dev/nvme0n1", "/dev/nvme0n1p2", true },
	{ "a partition and its disk", "/dev/nvme0n1p1", "/dev/nvme0n1", true },
	{ "two partitions", "/dev/nvme0n1p1", "/dev/nvme0n1p2", false },
	{ "two disks", "/dev/nvme0n1", "/dev/nvme1n1", false },
	{ "a mapped device and what it is made of", "/dev/dm-0", "/dev/nvme0n1p2", true },
	{ "a mapped device and the whole disk", "/dev/nvme0n1", "/dev/dm-0", true },
	{ "a mapped device and another partition", "/dev/dm-0", "/dev/nvme0n1p1", false },
	{ "a file and a disk", "/srv/a.img", "/dev/nvme0n1", false },
};

static void test_pair(void **state)
{
	const struct pair *pair = *state;

	str_copy(config.vm[1].name, sizeof(config.vm[3].name), "other");
	give(0, 0, pair->first);
	give(1, 0, pair->second);
	check_slot(0);
	assert_no_finding(&diag);
	check_slot(1);
	if (pair->same)
		assert_finding(&diag, DIAG_DISK_TWICE, "VM1_DISK0_PATH", "VM0_DISK0_PATH has it");
	else
		assert_no_finding(&diag);
	memset(&diag, 0, sizeof(diag));
	config.vm[0].disk[0].readonly = true;
	check_slot(1);
	assert_int_equal(diag.count, pair->same);
	memset(&diag, 0, sizeof(diag));
	config.vm[1].disk[0].readonly = true;
	check_slot(1);
	assert_no_finding(&diag);
}

static void test_twice_in_one(void **state)
{
	(void)state;
	give(0, 0, "/srv/a.img");
	give(0, 1, "/srv/a.img");
	check_slot(0);
	assert_finding(&diag, DIAG_DISK_TWICE, "VM0_DISK1_PATH", "VM0_DISK0_PATH has it");
}

/* What the paths alone tell, for a machine that cannot be looked at. */
static const struct pair named[] = {
	{ "empty parts", "/a//x", "/a/x/", true },
	{ "parts that mean nothing", "/./a/./x", "/b/../a/x", true },
	{ "above the root", "/../a", "/a", true },
	{ "other files", "/a/x", "/a/x1", false },
	{ "a file above", "/a", "/a/x", false },
	{ "hidden files", "/a/.x", "/a/x", false },
	{ "sda and its partition", "/dev/sda", "/dev/sda1", true },
	{ "a partition and its disk", "/dev//vdb12", "/dev/vdb", true },
	{ "NVMe", "/dev/nvme0n1", "/dev/nvme0n1p2", true },
	{ "an MMC", "/dev/mmcblk0p1", "/dev/mmcblk0", true },
	{ "a name of udev's", "/dev/disk/by-id/a", "/dev/disk/by-id/a-part3", true },
	{ "two partitions by name", "/dev/sda1", "/dev/sda2", false },
	{ "a disk of a longer name", "/dev/sda", "/dev/sdaa1", false },
	{ "ten partitions", "/dev/sda1", "/dev/sda10", false },
	{ "namespaces", "/dev/nvme0n1", "/dev/nvme0n11", false },
	{ "no partition", "/dev/mmcblk0", "/dev/mmcblk0boot0", false },
	{ "volumes", "/dev/mapper/a", "/dev/mapper/a1", false },
	{ "a volume group", "/dev/nvme/a1", "/dev/nvme/a1p1", false },
	{ "no device", "/srv/sda", "/srv/sda1", false },
};

static void test_named(void **state)
{
	const struct pair *pair = *state;

	memset(&diag, 0, sizeof(diag));
	manifest_defaults(&config);
	str_copy(config.vm[0].name, sizeof(config.vm[0].name), "demo");
	str_copy(config.vm[1].name, sizeof(config.vm[1].name), "other");
	give(0, 0, pair->first);
	give(1, 0, pair->second);
	memset(&facts, 0, sizeof(facts));
	set = (struct check_set){ .config = &config, .facts = &facts, .root = -1 };
	check_plan(&set);
	check_vm(&set, 1, &diag);
	if (pair->same)
		assert_finding(&diag, DIAG_DISK_TWICE, "VM1_DISK0_PATH", "VM0_DISK0_PATH has it");
	else
		assert_int_equal(diag_failures(&diag, 1), 0);
}

/* --- what the host does with it --- */

static void test_mounted(void **state)
{
	static const char *const paths[] = { "/dev/nvme0n1p2", "/dev/nvme0n1", "/dev/dm-0" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		memset(&diag, 0, sizeof(diag));
		give(0, 0, paths[i]);
		mount_at("259:16", "/dev/mapper/x");
		check_slot(0);
		assert_finding(&diag, DIAG_DISK_MOUNTED, "VM0_DISK0_PATH", "mounted at /mnt");
	}
}

/* Such file systems have a number of their own, and tell their device by its name. */
static void test_mounted_anonymous(void **state)
{
	(void)state;
	give(0, 0, "/dev/nvme0n1p1");
	mount_at("0:55", "/dev/nvme0n1p1");
	check_slot(0);
	assert_finding(&diag, DIAG_DISK_MOUNTED, "VM0_DISK0_PATH", "mounted at /mnt");
}

static void test_swap(void **state)
{
	(void)state;
	give(0, 0, "/dev/nvme0n1");
	fakesys_file(root, "proc/swaps",
		     "Filename Type Size Used Priority\n/dev/nvme0n1p1 partition 8 0 -2\n");
	check_slot(0);
	assert_finding(&diag, DIAG_DISK_MOUNTED, "VM0_DISK0_PATH", "mounted at swap");
}

static void test_loop(void **state)
{
	(void)state;
	make_block("loop0", "7:0", "virtual/block", NULL, "8");
	fakesys_file(root, "sys/devices/virtual/block/loop0/loop/backing_file", "/srv/a.img\n");
	mount_at("7:0", "/dev/loop0");
	give(0, 0, "/srv/b.img");
	check_slot(0);
	assert_no_finding(&diag);
	give(0, 0, "/srv/also-a.img");
	check_slot(0);
	assert_finding(&diag, DIAG_DISK_MOUNTED, "VM0_DISK0_PATH", "mounted at /mnt");
}

static void test_given(void **state)
{
	(void)state;
	give(0, 0, "/dev/nvme0n1p1");
	str_copy(config.vm[2].name, sizeof(config.vm[2].name), "other");
	str_copy(config.vm[2].hostdev[0].bdf, sizeof(config.vm[2].hostdev[0].bdf), "0000:41:00.0");
	check_slot(0);
	assert_finding(&diag, DIAG_DISK_GIVEN, "VM0_DISK0_PATH",
		       "it is on 0000:41:00.0, which VM2_HOSTDEV0_BDF gives away");
}

/* --- what is in it --- */

static void test_missing(void **state)
{
	(void)state;
	give(0, 0, "/srv/none.img");
	check_slot(0);
	assert_finding(&diag, DIAG_FILE_NONE, "VM0_DISK0_PATH", "open /srv/none.img: no such file");
}

static void test_folder(void **state)
{
	(void)state;
	give(0, 0, "/srv");
	check_slot(0);
	assert_finding(&diag, DIAG_DISK_OPEN, "VM0_DISK0_PATH",
		       "neither a file nor a block device");
}

struct header {
	const char *title;
	unsigned char at; /* offset of a byte that is set */
	unsigned char byte;
	const char *fault; /* NULL: none */
};

enum { QCOW2_HEADER = 104 };

static const struct header headers[] = {
	{ "qcow2 version 3", 7, 3, NULL },
	{ "qcow2 version 2", 7, 2, NULL },
	{ "qcow2 version 1", 7, 1, "not of that format" },
	{ "another magic number", 0, 'X', "not of that format" },
	{ "qcow2 with a backing file", 15, 1, "it has a backing file" },
	{ "qcow2 that is encrypted", 35, 1, "it is encrypted" },
	{ "qcow2 with an external data file", 79, 4, "its data is in another file" },
	{ "qcow2 that is marked dirty", 79, 1, NULL },
};

static void write_disk(const unsigned char *data, size_t len)
{
	int fd = openat(root, "srv/a.img", O_WRONLY | O_TRUNC);

	assert_int_equal(write(fd, data, len), len);
	close(fd);
}

static void test_qcow2(void **state)
{
	unsigned char data[QCOW2_HEADER] = "QFI\xfb\0\0\0\3";
	const struct header *header = *state;

	data[header->at] = header->byte;
	write_disk(data, sizeof(data));
	give(0, 0, "/srv/a.img");
	disk[0].format = DISK_FORMAT_QCOW2;
	check_slot(0);
	if (header->fault)
		assert_finding(&diag, DIAG_DISK_FORMAT, "VM0_DISK0_FORMAT", header->fault);
	else
		assert_no_finding(&diag);
}

static void test_short(void **state)
{
	(void)state;
	write_disk((const unsigned char *)"QFI\xfb", 4);
	give(0, 0, "/srv/a.img");
	disk[0].format = DISK_FORMAT_QCOW2;
	check_slot(0);
	assert_finding(&diag, DIAG_DISK_FORMAT, "VM0_DISK0_FORMAT", "not of that format");
}

/* --- the seam --- */

static void test_look(void **state)
{
	struct sys_disk found;

	(void)state;
	assert_int_equal(sys_disk_look(root, "/srv/a.img", &found), 0);
	assert_false(found.block);
	assert_true(found.inode);
	assert_int_equal(sys_disk_look(root, "/dev/nvme0n1p2", &found), 0);
	assert_true(found.block);
	assert_string_equal(found.number, "259:2");
	assert_int_equal(sys_disk_look(root, "/none", &found), -ENOENT);
	assert_int_equal(sys_disk_look(root, "/srv", &found), -EINVAL);
	assert_true(sys_disk_is_node("/dev/vda"));
	assert_false(sys_disk_is_node("/device"));
}

static int count(void *arg, const struct sys_extent *extent)
{
	(void)extent;
	return ++*(int *)arg > 30;
}

/* A mapped device that is made of itself would be walked through for ever. */
static void test_circle(void **state)
{
	int parts = 0;

	(void)state;
	fakesys_link(root, "sys/devices/virtual/block/dm-0/slaves/dm-0", "x");
	assert_int_equal(sys_extent_each(root, "259:16", count, &parts), 0);
	assert_true(parts > 1);
	assert_true(parts < 30);
	assert_int_equal(sys_extent_each(root, "9:99", count, &parts), 0);
}

#define DISK_CASE(title, function, row) FIXTURE(title, function, setup, teardown, row)

int main(void)
{
	struct CMUnitTest tests[12 + ARRAY_SIZE(pairs) + ARRAY_SIZE(named) + ARRAY_SIZE(headers)] = {
		DISK_CASE("disks in order", test_good, NULL),
		DISK_CASE("a disk twice in one VM", test_twice_in_one, NULL),
		DISK_CASE("a disk that is mounted", test_mounted, NULL),
		DISK_CASE("a mount that tells its device by name", test_mounted_anonymous, NULL),
		DISK_CASE("a disk that is swapped to", test_swap, NULL),
		DISK_CASE("a file that is mounted", test_loop, NULL),
		DISK_CASE("a disk on a device that is given away", test_given, NULL),
		DISK_CASE("no such file", test_missing, NULL),
		DISK_CASE("a folder", test_folder, NULL),
		DISK_CASE("a qcow2 header cut short", test_short, NULL),
		DISK_CASE("what a path is", test_look, NULL),
		DISK_CASE("a circle of mapped devices", test_circle, NULL),
	};
	size_t n = 12;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		tests[n++] = DISK_CASE(pairs[i].title, test_pair, &pairs[i]);
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		tests[n++] = CASE(named[i].title, test_named, &named[i]);
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
		tests[n++] = DISK_CASE(headers[i].title, test_qcow2, &headers[i]);
	return cmocka_run_group_tests_name("check_disks", tests, NULL, NULL);
}
