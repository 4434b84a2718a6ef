/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where an image comes from: labels on media, paths, and what must not be looked at. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "fakesys.h"
#include "manifest.h"
#include "module.h"
#include "sys.h"
#include "sys_esp.h"
#include "sys_medium.h"
#include "update_source.h"
#include "wait.h"

enum { ISO_VOLUME = 32768 + 40, FAT_SIZE = 64 * 1024 };

static struct config config;
static struct diag diag;
static int root = -1;
static int got = -1;
static char mounted[64]; /* "sda vfat" */
static int mount_error;
static char loaded[256];
static char probed[64];

/* The linker gives the wrapped names. NOLINTBEGIN(bugprone-reserved-identifier) */
bool __wrap_wait_until(bool (*there)(void *arg), void *arg, uint64_t deadline_us);
int __wrap_sys_mount_detached(const char *node, const char *type, bool writable);
int __wrap_module_load(int dir, const char *name);
int __wrap_sys_driver_probe(int dir, const char *bdf);

bool __wrap_wait_until(bool (*there)(void *arg), void *arg, uint64_t deadline_us)
{
	assert_int_equal(deadline_us, 1234);
	return there(arg);
}

/* What is mounted is a folder beside the nodes. */
int __wrap_sys_mount_detached(const char *node, const char *type, bool writable)
{
	char path[64];

	assert_false(writable);
	str_format(mounted, sizeof(mounted), "%s %s", node, type);
	str_format(path, sizeof(path), "mnt/%s", node);
	return mount_error ? mount_error : openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int __wrap_module_load(int dir, const char *name)
{
	assert_int_equal(dir, root);
	str_format(loaded + strlen(loaded), sizeof(loaded) - strlen(loaded), "%s ", name);
	return -ENOENT;
}

int __wrap_sys_driver_probe(int dir, const char *bdf)
{
	assert_int_equal(dir, root);
	str_copy(probed, sizeof(probed), bdf);
	return 0;
}
/* NOLINTEND(bugprone-reserved-identifier) */

static void block(const char *name, const char *number, const char *more)
{
	char path[64];
	char text[256];

	str_format(path, sizeof(path), "sys/class/block/%s/uevent", name);
	str_format(text, sizeof(text), "DEVNAME=%s\n%s", name, more);
	fakesys_file(root, path, text);
	str_format(path, sizeof(path), "sys/class/block/%s/dev", name);
	fakesys_file(root, path, number);
	str_format(path, sizeof(path), "sys/class/block/%s/size", name);
	fakesys_file(root, path, "100000\n");
}

/* A partition's folder is in its disk's, so that its disk's number is above it. */
static void partition(const char *disk, const char *name, const char *start, const char *more)
{
	char path[128];
	char target[128];
	char text[256];

	str_format(target, sizeof(target), "sys/class/block/%s/%s", disk, name);
	str_format(path, sizeof(path), "%s/uevent", target);
	str_format(text, sizeof(text), "DEVNAME=%s\nPARTN=1\n%s", name, more);
	fakesys_file(root, path, text);
	str_format(path, sizeof(path), "%s/partition", target);
	fakesys_file(root, path, "1\n");
	str_format(path, sizeof(path), "%s/start", target);
	fakesys_file(root, path, start);
	str_format(path, sizeof(path), "%s/size", target);
	fakesys_file(root, path, "1000\n");
	str_format(path, sizeof(path), "sys/class/block/%s", name);
	str_format(target, sizeof(target), "%s/%s", disk, name);
	fakesys_link(root, path, target);
}

static void node(const char *name, off_t at, const void *data, size_t size)
{
	char path[64];
	int fd;

	str_format(path, sizeof(path), "dev/%s", name);
	if (!sys_exists(root, path))
		fakesys_file(root, path, "");
	fd = openat(root, path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, size, at), (ssize_t)size);
	assert_int_equal(ftruncate(fd, FAT_SIZE), 0);
	close(fd);
}

static void iso(const char *name, const char *label)
{
	char volume[32];

	memset(volume, ' ', sizeof(volume));
	memcpy(volume, label, strlen(label));
	node(name, 32768, "\1CD001\1", 7);
	node(name, ISO_VOLUME, volume, sizeof(volume));
}

/* FAT32 with its root folder in the third cluster of a sector each. */
static void fat(const char *name, const char *label, const char *entry, bool fat32)
{
	uint8_t boot[512] = { 0xeb, [510] = 0x55, 0xaa };
	uint8_t folder[64] = { 0xe5, [11] = 0x08, [32 + 11] = 0x08 };

	boot[12] = 2;
	boot[13] = 1;
	boot[14] = 32;
	boot[16] = 2;
	if (fat32)
		boot[36] = 4;
	else
		boot[22] = 4;
	boot[44] = 3;
	memset(boot + (fat32 ? 71 : 43), ' ', 11);
	memcpy(boot + (fat32 ? 71 : 43), label, strlen(label));
	memset(folder + 32, ' ', 11);
	memcpy(folder + 32, entry, strlen(entry));
	folder[32] = entry[0] ? folder[32] : 0;
	node(name, 0, boot, sizeof(boot));
	node(name, (off_t)(32 + 8 + (fat32 ? 1 : 0)) * 512, folder, sizeof(folder));
}

static void image(const char *node_name)
{
	char path[64];

	str_format(path, sizeof(path), "mnt/%s/hvinit.efi", node_name);
	fakesys_file(root, path, node_name);
}

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	diag = (struct diag){ 0 };
	mounted[0] = loaded[0] = probed[0] = '\0';
	mount_error = 0;
	root = fakesys_new();
	/* What every machine has. */
	block("sr0", "11:0", "");
	block("nvme0n1", "259:0", "");
	partition("nvme0n1", "nvme0n1p1", "2048\n", "PARTNAME=ESP\n");
	fat("nvme0n1p1", "NO NAME", "", true);
	node("nvme0n1", 0, "x", 1);
	return 0;
}

static int teardown(void **state)
{
	close_fdp(&root);
	close_fdp(&got);
	root = got = -1;
	return fakesys_teardown(state);
}

static bool find(void)
{
	char text[32] = "";

	diag = (struct diag){ 0 };
	close_fdp(&got);
	got = update_source_medium(root, &config, 1234, &diag);
	if (got < 0)
		return false;
	assert_no_finding(&diag);
	assert_true(read(got, text, sizeof(text) - 1) > 0);
	/* The file has its node's name in it. */
	assert_true(str_prefix(mounted, text));
	return true;
}

/* --- labels --- */

static void test_iso(void **state)
{
	(void)state;
	block("sda", "8:0", "");
	iso("sda", "HVINIT-UPDATE");
	image("sda");
	assert_true(find());
	assert_string_equal(mounted, "sda iso9660");
	iso("sda", "HVINIT-UPDATE-2");
	assert_false(find());
	assert_finding(&diag, DIAG_UPDATE_NONE, "HVINIT-UPDATE", "no block device has it");
	iso("sda", "hvinit-update");
	assert_true(find());
}

static void test_fat(void **state)
{
	(void)state;
	block("sda", "8:0", "");
	image("sda");
	for (int fat32 = 0; fat32 < 2; fat32++) {
		fat("sda", "HVINIT-UPDA", "", fat32);
		assert_true(find());
		assert_string_equal(mounted, "sda vfat");
		/* Some programs leave the boot sector alone. */
		fat("sda", "NO NAME", "HVINIT-UPDA", fat32);
		assert_true(find());
		fat("sda", "NO NAME", "HVINIT-UPD", fat32);
		assert_false(find());
		fat("sda", "NO NAME", "", fat32);
		assert_false(find());
	}
}

static void test_gpt(void **state)
{
	(void)state;
	block("sda", "8:0", "");
	partition("sda", "sda1", "2048\n", "PARTNAME=HVINIT-UPDATE\n");
	fat("sda1", "NO NAME", "", true);
	image("sda1");
	assert_true(find());
	assert_string_equal(mounted, "sda1 vfat");
	/* A file system that is none of those that are looked for. */
	node("sda1", 0, "ext4", 4);
	assert_false(find());
	assert_finding(&diag, DIAG_UPDATE_READ, "HVINIT-UPDATE",
		       "mount sda1: it is neither FAT nor");
}

/* An ISO image on a stick has partitions, too. */
static void test_whole_and_part(void **state)
{
	(void)state;
	block("sda", "8:0", "");
	partition("sda", "sda1", "0\n", "");
	iso("sda", "HVINIT-UPDATE");
	iso("sda1", "HVINIT-UPDATE");
	image("sda");
	assert_true(find());
	assert_string_equal(mounted, "sda iso9660");
}

static void test_two(void **state)
{
	(void)state;
	block("sda", "8:0", "");
	block("sdb", "8:16", "");
	iso("sda", "HVINIT-UPDATE");
	fat("sdb", "HVINIT-UPDA", "", true);
	image("sda");
	assert_false(find());
	assert_finding(&diag, DIAG_UPDATE_TWICE, "HVINIT-UPDATE", " have it");
}

/* A guest could have written there what it wants the host to mount. */
static void test_guests_disk(void **state)
{
	(void)state;
	block("sda", "8:0", "");
	iso("sda", "HVINIT-UPDATE");
	image("sda");
	str_copy(config.vm[0].disk[0].path, sizeof(config.vm[0].disk[0].path), "/dev/sda");
	/* A node cannot be made without root: only the real one is a block device. */
	fakesys_remove(root, "dev/sda");
	if (mknodat(root, "dev/sda", S_IFBLK | 0600, 8 << 8))
		skip();
	fakesys_link(root, "sys/dev/block/8:0", "../../class/block/sda");
	assert_false(find());
	assert_finding(&diag, DIAG_UPDATE_NONE, "HVINIT-UPDATE", "no block device has it");
	assert_string_equal(mounted, "");
}

/* --- the file on it --- */

static void test_file(void **state)
{
	(void)state;
	block("sda", "8:0", "");
	iso("sda", "HVINIT-UPDATE");
	mount_error = -EUCLEAN;
	assert_false(find());
	assert_finding(&diag, DIAG_UPDATE_READ, "HVINIT-UPDATE", "mount sda (iso9660): ");
	mount_error = 0;
	fakesys_file(root, "mnt/sda/other", "");
	assert_false(find());
	assert_finding(&diag, DIAG_UPDATE_READ, "HVINIT-UPDATE",
		       "open /hvinit.efi on sda: No such file");
	fakesys_link(root, "mnt/sda/hvinit.efi", "other");
	assert_false(find());
	assert_finding(&diag, DIAG_UPDATE_READ, "HVINIT-UPDATE", "it is a symbolic link");
	fakesys_remove(root, "mnt/sda/hvinit.efi");
	fakesys_file(root, "mnt/sda/hvinit.efi/x", "");
	assert_false(find());
	assert_finding(&diag, DIAG_UPDATE_READ, "HVINIT-UPDATE", "it is no regular file");
	fakesys_remove(root, "mnt/sda/hvinit.efi/x");
	assert_int_equal(unlinkat(root, "mnt/sda/hvinit.efi", AT_REMOVEDIR), 0);
	fakesys_file(root, "mnt/sda/HVINIT.EFI", "sda");
	assert_true(find());
}

static void test_path(void **state)
{
	(void)state;
	fakesys_file(root, "tmp/image", "x");
	got = update_source_path(root, "/tmp/image", &diag);
	assert_true(got >= 0);
	assert_int_equal(update_source_path(root, "/tmp/nothing", &diag), -1);
	assert_finding(&diag, DIAG_UPDATE_READ, "/tmp/nothing", "open it: No such file");
	diag = (struct diag){ 0 };
	assert_int_equal(update_source_path(root, "/tmp", &diag), -1);
	assert_finding(&diag, DIAG_UPDATE_READ, "/tmp", "open it: it is no regular file");
	diag = (struct diag){ 0 };
	assert_int_equal(mkfifoat(root, "tmp/fifo", 0600), 0);
	assert_int_equal(update_source_path(root, "/tmp/fifo", &diag), -1);
	assert_finding(&diag, DIAG_UPDATE_READ, "/tmp/fifo", "open it: it is no regular file");
}

static void test_drivers(void **state)
{
	static const struct fake_device xhci = { .bdf = "0000:00:0a.0" };
	static const struct fake_device given = { .bdf = "0000:00:0b.0" };

	(void)state;
	fakesys_device(root, &xhci);
	fakesys_device(root, &given);
	str_copy(config.vm[0].hostdev[0].bdf, sizeof(config.vm[0].hostdev[0].bdf), given.bdf);
	update_source_drivers(root, &config);
	assert_string_equal(probed, xhci.bdf);
	assert_non_null(strstr(loaded, "xhci-pci usb-storage uas sd_mod sr_mod isofs vfat "));
}

/* --- FAT --- */

static void test_dirty(void **state)
{
	(void)state;
	for (int fat32 = 0; fat32 < 2; fat32++) {
		fat("sda", "X", "", fat32);
		assert_false(sys_fat_is_dirty(root, "sda"));
		node("sda", fat32 ? 65 : 37, "\1", 1);
		assert_true(sys_fat_is_dirty(root, "sda"));
	}
	/* What cannot be read could be. */
	assert_true(sys_fat_is_dirty(root, "nothing"));
	node("sda", 510, "xx", 2);
	assert_true(sys_fat_is_dirty(root, "sda"));
}

/* Files of memory have no blocks. */
static void test_first_block(void **state)
{
	_cleanup_fd_ int fd = openat(root, "proc", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(sys_first_block(fd), 0);
	assert_int_equal(sys_first_block(-1), 0);
}

/* Boot sectors and volumes of any content. */
static void test_damaged(void **state)
{
	static const uint8_t values[] = { 0, 1, 2, 8, 0x7f, 0x80, 0xe5, 0xff };
	uint32_t seed = 5;

	(void)state;
	block("sda", "8:0", "");
	for (int i = 0; i < 2000; i++) {
		fat("sda", "HVINIT-UPDA", "HVINIT-UPDA", i & 1);
		for (unsigned n = 1 + next_random(&seed) % 6; n > 0; n--)
			node("sda", next_random(&seed) % 80,
			     &values[next_random(&seed) % sizeof(values)], 1);
		find();
		sys_fat_is_dirty(root, "sda");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE("ISO 9660", test_iso, setup, teardown, NULL),
		FIXTURE("FAT", test_fat, setup, teardown, NULL),
		FIXTURE("GPT", test_gpt, setup, teardown, NULL),
		FIXTURE("whole and part", test_whole_and_part, setup, teardown, NULL),
		FIXTURE("two media", test_two, setup, teardown, NULL),
		FIXTURE("a guest's disk", test_guests_disk, setup, teardown, NULL),
		FIXTURE("the file on it", test_file, setup, teardown, NULL),
		FIXTURE("path", test_path, setup, teardown, NULL),
		FIXTURE("drivers", test_drivers, setup, teardown, NULL),
		FIXTURE("not unmounted", test_dirty, setup, teardown, NULL),
		FIXTURE("first block", test_first_block, setup, teardown, NULL),
		FIXTURE("damaged", test_damaged, setup, teardown, NULL),
	};

	return cmocka_run_group_tests_name("update_source", tests, NULL, NULL);
}
