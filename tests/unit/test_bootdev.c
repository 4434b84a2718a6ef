/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device that the firmware has booted from, as its variables tell it, and nonsense in them. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>

#include "bootdev.h"
#include "fakesys.h"

#define GUID "-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define VARIABLES "sys/firmware/efi/efivars/"

static int root = -1;

static void put(const char *name, const void *data, size_t len)
{
	char variable[128];

	str_format(variable, sizeof(variable), "%s" GUID, name);
	fakesys_variable(root, variable, data, len);
}

static void put_current(unsigned number)
{
	const unsigned char bytes[] = { number & 0xff, number >> 8 };

	put("BootCurrent", bytes, sizeof(bytes));
}

#define ROOT_BRIDGE(uid) "\2\1\x0c\0\xd0\x41\x08\x0a" uid "\0\0\0"
#define PCI(slot, function) "\1\1\6\0" function slot
#define NVME "\3\x17\x10\0\1\0\0\0\0\0\0\0\0\0\0\0"
#define END "\x7f\xff\4\0"

/* A load option "NV" with these paths, whose length field says len. */
static void put_option(const char *name, const char *paths, size_t size, size_t len)
{
	unsigned char option[256] = { 1,   0, 0,   0, len & 0xff, (unsigned char)(len >> 8),
				      'N', 0, 'V', 0, 0,	  0 };

	memcpy(option + 12, paths, size);
	put(name, option, 12 + size);
}

#define OPTION(name, paths) put_option(name, paths, sizeof(paths) - 1, sizeof(paths) - 1)

static int setup(void **state)
{
	(void)state;
	root = fakesys_new();
	fakesys_file(root, "sys/devices/pci0000:00/firmware_node/uid", "0\n");
	fakesys_file(root, "sys/devices/pci0000:00/0000:00:08.0/vendor", "");
	fakesys_file(root, "sys/devices/pci0000:00/0000:00:08.1/vendor", "");
	fakesys_file(root, "sys/devices/pci0001:40/firmware_node/uid", "64\n");
	fakesys_file(root, "sys/devices/pci0001:40/0001:40:00.0/0001:41:02.3/vendor", "");
	fakesys_link(root, "sys/bus/pci/devices/0001:40:00.0",
		     "../../../devices/pci0001:40/0001:40:00.0");
	fakesys_file(root, "sys/devices/system/cpu", "");
	put_current(1);
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static void assert_found(const char *wanted)
{
	char bdf[SYS_BDF];

	assert_int_equal(bootdev_find(root, bdf), 0);
	assert_string_equal(bdf, wanted);
}

static void assert_not_found(void)
{
	char bdf[SYS_BDF];

	assert_true(bootdev_find(root, bdf) < 0);
}

static void test_on_root(void **state)
{
	(void)state;
	OPTION("Boot0001", ROOT_BRIDGE("\0") PCI("\x08", "\0") NVME END);
	assert_found("0000:00:08.0");
	OPTION("Boot0001", ROOT_BRIDGE("\0") PCI("\x08", "\1") NVME END);
	assert_found("0000:00:08.1");
}

static void test_below_bridge(void **state)
{
	(void)state;
	put_current(0x1a2b);
	OPTION("Boot1A2B", ROOT_BRIDGE("\x40") PCI("\0", "\0") PCI("\2", "\3") NVME END);
	assert_found("0001:41:02.3");
}

/* What is there no more, or never was. */
static void test_nowhere(void **state)
{
	(void)state;
	assert_not_found(); /* no such option */
	OPTION("Boot0001", ROOT_BRIDGE("\0") PCI("\x09", "\0") END);
	assert_not_found();
	OPTION("Boot0001", ROOT_BRIDGE("\7") PCI("\x08", "\0") END);
	assert_not_found();
	OPTION("Boot0001", ROOT_BRIDGE("\0") NVME END);
	assert_not_found();
	OPTION("Boot0001", NVME END); /* a path that begins at a partition is such a one */
	assert_not_found();
	OPTION("Boot0001", ROOT_BRIDGE("\0") PCI("\x08", "\0") PCI("\0", "\0") END);
	assert_not_found();
}

/* Lengths that are wrong, in every place that has one. */
static void test_nonsense(void **state)
{
	static const char good[] = ROOT_BRIDGE("\0") PCI("\x08", "\0") NVME END;

	(void)state;
	for (size_t len = 0; len < 22; len++) {
		put_option("Boot0001", good, sizeof(good) - 1, len < 18 ? len : 0xffff);
		assert_not_found();
	}
	for (size_t size = 0; size < sizeof(good) - 1; size++) {
		put_option("Boot0001", good, size, sizeof(good) - 1);
		assert_not_found();
	}
	put("Boot0001",
	    "\1\0\0\0\xff\xff"
	    "A\0B\0C",
	    11);
	assert_not_found();
	put("Boot0001", "", 0);
	assert_not_found();
	OPTION("Boot0001", "\2\1\0\0" ROOT_BRIDGE("\0") PCI("\x08", "\0") END);
	assert_not_found();
	put("BootCurrent", "\1", 1);
	assert_not_found();
}

#define BOOT_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOOT_CASE("on a root bus", test_on_root),
		BOOT_CASE("below a bridge", test_below_bridge),
		BOOT_CASE("nowhere", test_nowhere),
		BOOT_CASE("nonsense", test_nonsense),
	};

	return cmocka_run_group_tests_name("bootdev", tests, NULL, NULL);
}
