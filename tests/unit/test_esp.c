/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The partition that the machine has booted from: found by its UUID, and missed with the reason. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>

#include "esp.h"
#include "fakesys.h"
#include "module.h"
#include "sys_machine.h"
#include "wait.h"

#define LOADER "LoaderDevicePartUUID-" SYS_EFI_LOADER
#define UUID "1E1E90CD-4241-561F-80AD-04E22D5B6D21"

static int root = -1;
static char calls[256];
static int module_error;
static bool comes_late;
static bool protected; /* nothing can be written */
static int busy; /* times that somebody else has it mounted */

int __wrap_module_load(int dir, const char *name);
int __wrap_sys_mount_detached(const char *node, const char *type, bool writable);
int __wrap_poll(void *events, unsigned long count, int ms);
bool __wrap_wait_until(bool (*there)(void *arg), void *arg, uint64_t deadline_us);

int __wrap_module_load(int dir, const char *name)
{
	assert_int_equal(dir, root);
	str_format(calls + strlen(calls), sizeof(calls) - strlen(calls), "%s;", name);
	return module_error;
}

int __wrap_poll(void *events, unsigned long count, int ms)
{
	(void)events;
	(void)count;
	assert_true(ms > 0);
	return 0;
}

int __wrap_sys_mount_detached(const char *node, const char *type, bool writable)
{
	if (busy > 0 && busy--)
		return -EBUSY;
	if (writable && protected)
		return -EACCES;
	str_format(calls + strlen(calls), sizeof(calls) - strlen(calls), "mount %s %s %s", node,
		   type, writable ? "rw" : "ro");
	return 77;
}

static void put_disk(const char *disk, const char *uuid)
{
	char path[128];
	char text[256];

	str_format(path, sizeof(path), "sys/devices/%s/%sp1/uevent", disk, disk);
	str_format(text, sizeof(text),
		   "DEVNAME=%sp1\nDEVTYPE=partition\nPARTN=1\nPARTNAME=ESP\nPARTUUID=%s\n", disk,
		   uuid);
	fakesys_file(root, path, text);
	str_format(path, sizeof(path), "sys/devices/%s/%sp1/start", disk, disk);
	fakesys_file(root, path, "2048\n");
	str_format(path, sizeof(path), "sys/devices/%s/%sp1/size", disk, disk);
	fakesys_file(root, path, "1048576\n");
	str_format(path, sizeof(path), "sys/devices/%s/queue/logical_block_size", disk);
	fakesys_file(root, path, strcmp(disk, "big0") == 0 ? "4096\n" : "512\n");
	str_format(path, sizeof(path), "sys/class/block/%sp1", disk);
	str_format(text, sizeof(text), "../../devices/%s/%sp1", disk, disk);
	fakesys_link(root, path, text);
}

/* The disk comes when its driver has found it. */
bool __wrap_wait_until(bool (*there)(void *arg), void *arg, uint64_t deadline_us)
{
	assert_true(deadline_us > boottime_us());
	if (!there(arg) && comes_late)
		put_disk("nvme0", UUID);
	return there(arg);
}

static int setup(void **state)
{
	(void)state;
	root = fakesys_new();
	fakesys_variable_text(root, LOADER, UUID);
	put_disk("sda", "00000000-4241-561f-80ad-04e22d5b6d21");
	calls[0] = '\0';
	module_error = busy = 0;
	comes_late = protected = false;
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static void test_found(void **state)
{
	struct sys_partition partition;

	(void)state;
	put_disk("nvme0", "1e1e90cd-4241-561f-80ad-04e22d5b6d21");
	assert_int_equal(esp_find(root, &partition), 0);
	assert_string_equal(partition.node, "nvme0p1");
	assert_int_equal(partition.number, 1);
	assert_int_equal(partition.first, 2048);
	assert_int_equal(partition.blocks, 1048576);
	assert_int_equal(partition.block_size, 512);
}

/* The firmware counts in the disk's own blocks, the kernel in sectors of 512 bytes. */
static void test_large_blocks(void **state)
{
	struct sys_partition partition;

	(void)state;
	put_disk("big0", UUID);
	assert_int_equal(esp_find(root, &partition), 0);
	assert_int_equal(partition.first, 256);
	assert_int_equal(partition.blocks, 131072);
	assert_int_equal(partition.block_size, 4096);
}

static void test_mounted(void **state)
{
	(void)state;
	comes_late = true;
	assert_int_equal(esp_mount(root, true), 77);
	assert_string_equal(calls, "nls_cp437;nls_iso8859-1;vfat;mount nvme0p1 vfat rw");
	calls[0] = '\0';
	/* What is no module may be built in. */
	module_error = -ENOENT;
	assert_int_equal(esp_mount(root, false), 77);
	assert_string_equal(calls, "nls_cp437;nls_iso8859-1;vfat;mount nvme0p1 vfat ro");
}

/* Somebody looks at it, and is soon done, or is not. */
static void test_busy(void **state)
{
	(void)state;
	put_disk("nvme0", UUID);
	busy = 20;
	assert_int_equal(esp_mount(root, true), 77);
	assert_int_equal(busy, 0);
	busy = 10000;
	assert_int_equal(esp_mount(root, true), -EBUSY);
}

static void test_protected(void **state)
{
	(void)state;
	put_disk("nvme0", UUID);
	protected = true;
	assert_int_equal(esp_mount(root, true), -EACCES);
	assert_non_null(strstr(esp_error(-EACCES), "write-protected"));
	assert_int_equal(esp_mount(root, false), 77);
}

static void test_module_fails(void **state)
{
	(void)state;
	comes_late = true;
	module_error = -EPERM;
	assert_int_equal(esp_mount(root, true), -EPERM);
	assert_string_equal(calls, "nls_cp437;");
}

static void test_no_loader(void **state)
{
	(void)state;
	fakesys_remove(root, "sys/firmware/efi/efivars/" LOADER);
	assert_int_equal(esp_mount(root, false), -ENODATA);
	assert_non_null(strstr(esp_error(-ENODATA), "does not tell"));
}

static void test_no_disk(void **state)
{
	(void)state;
	assert_int_equal(esp_mount(root, false), -ENOENT);
	assert_non_null(strstr(esp_error(-ENOENT), "no disk that has a driver"));
	assert_string_equal(calls, "");
}

/* A disk was copied, and both are there: it must not be guessed which one was booted. */
static void test_two(void **state)
{
	(void)state;
	put_disk("nvme0", UUID);
	put_disk("nvme1", UUID);
	assert_int_equal(esp_mount(root, false), -EEXIST);
	assert_non_null(strstr(esp_error(-EEXIST), "two disks"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE("found", test_found, setup, teardown, NULL),
		FIXTURE("blocks of 4096 bytes", test_large_blocks, setup, teardown, NULL),
		FIXTURE("mounted", test_mounted, setup, teardown, NULL),
		FIXTURE("busy", test_busy, setup, teardown, NULL),
		FIXTURE("write-protected", test_protected, setup, teardown, NULL),
		FIXTURE("a module fails", test_module_fails, setup, teardown, NULL),
		FIXTURE("no loader", test_no_loader, setup, teardown, NULL),
		FIXTURE("no disk", test_no_disk, setup, teardown, NULL),
		FIXTURE("two", test_two, setup, teardown, NULL),
	};

	return cmocka_run_group_tests_name("esp", tests, NULL, NULL);
}
