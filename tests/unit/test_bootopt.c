/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The boot option behind the loader's, in a firmware whose variables are files. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>

#include "bootopt.h"
#include "fakeefi.h"
#include "fakesys.h"
#include "sys_machine.h"

#define VARIABLES "sys/firmware/efi/efivars/"
#define GUID "-" SYS_EFI_GLOBAL

static const struct sys_partition partition = {
	.uuid = "1e1e90cd-4241-561f-80ad-04e22d5b6d21",
	.number = 2,
	.first = 0x800,
	.blocks = 0x100000,
	.block_size = 512,
};
static int root = -1;

static void put(const char *name, const void *data, size_t len)
{
	char variable[128];

	str_format(variable, sizeof(variable), "%s" GUID, name);
	fakesys_variable(root, variable, data, len);
}

static void assert_order(const char *wanted, size_t len)
{
	char order[64];

	assert_int_equal(sys_efi_global(root, "BootOrder", order, sizeof(order)), len);
	assert_memory_equal(order, wanted, len);
}

#define ORDER(bytes) assert_order(bytes, sizeof(bytes) - 1)

static int setup(void **state)
{
	(void)state;
	root = fakesys_new();
	put("BootOrder", "\1\0\3\0", 4);
	put("BootCurrent", "\1\0", 2);
	put("Boot0000", "\1\0\0\0\0\0A\0\0\0", 10);
	put("Boot0001", "\1\0\0\0\0\0L\0\0\0", 10);
	put("Boot0003", "\1\0\0\0\0\0S\0\0\0", 10);
	put("BootOptionSupport", "\1\0\0\0", 4);
	efi_writes = 0;
	efi_write_error = 0;
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static int keep(const char *path)
{
	return bootopt_keep(root, &partition, path);
}

/* Byte for byte as the specification has it. */
static void test_bytes(void **state)
{
	static const unsigned char wanted[] =
		"\1\0\0\0\x5a\0"
		"h\0v\0i\0n\0i\0t\0,\0 \0l\0a\0s\0t\0 \0"
		"g\0o\0o\0d\0 \0i\0m\0a\0g\0e\0\0\0"
		"\4\1\x2a\0\2\0\0\0\0\x08\0\0\0\0\0\0\0\0\x10\0\0\0\0\0"
		"\xcd\x90\x1e\x1e\x41\x42\x1f\x56\x80\xad\x04\xe2"
		"\x2d\x5b\x6d\x21\2\2"
		"\4\4\x2c\0\\\0E\0F\0I\0\\\0L\0i\0n\0u\0x\0\\\0h\0v"
		"\0.\0e\0f\0i\0x\0y\0\0\0"
		"\x7f\xff\4";
	unsigned char option[256];

	(void)state;
	assert_int_equal(keep("EFI/Linux/hv.efixy"), 0);
	assert_int_equal(sys_efi_global(root, "Boot0002", option, sizeof(option)), sizeof(wanted));
	assert_memory_equal(option, wanted, sizeof(wanted));
}

static void test_behind_the_loader(void **state)
{
	(void)state;
	assert_int_equal(keep("EFI/Linux/hvinit_1.efi"), 0);
	ORDER("\1\0\2\0\3\0");
	assert_int_equal(efi_writes, 2);
}

/* Flash is not worn by what is so already, and a newer image takes the place of the older. */
static void test_again(void **state)
{
	unsigned char option[256];

	(void)state;
	assert_int_equal(keep("EFI/Linux/hvinit_1.efi"), 0);
	efi_writes = 0;
	assert_int_equal(keep("EFI/Linux/hvinit_1.efi"), 0);
	assert_int_equal(efi_writes, 0);
	assert_int_equal(keep("EFI/Linux/hvinit_2.efi"), 0);
	assert_int_equal(efi_writes, 1);
	ORDER("\1\0\2\0\3\0");
	assert_int_equal(sys_efi_global(root, "Boot0004", option, sizeof(option)), -ENOENT);
}

/* Somebody has ordered it elsewhere, and knows why. */
static void test_order_of_somebody(void **state)
{
	(void)state;
	assert_int_equal(keep("EFI/Linux/hvinit_1.efi"), 0);
	put("BootOrder", "\3\0\1\0\2\0", 6);
	efi_writes = 0;
	assert_int_equal(keep("EFI/Linux/hvinit_1.efi"), 0);
	assert_int_equal(efi_writes, 0);
}

/* What was booted is not in the order: an option of ours would come before the loader. */
static void test_booted_otherwise(void **state)
{
	(void)state;
	put("BootCurrent", "\0\0", 2);
	assert_int_equal(keep("EFI/Linux/hvinit_1.efi"), -ENXIO);
	ORDER("\1\0\3\0");
}

static void test_no_order(void **state)
{
	(void)state;
	fakesys_remove(root, VARIABLES "BootOrder" GUID);
	fakesys_remove(root, VARIABLES "BootCurrent" GUID);
	assert_int_equal(keep("EFI/Linux/hvinit_1.efi"), -ENXIO);
}

static void test_firmware_refuses(void **state)
{
	(void)state;
	efi_write_error = -ENOSPC;
	assert_int_equal(keep("EFI/Linux/hvinit_1.efi"), -ENOSPC);
	ORDER("\1\0\3\0");
}

static void test_order_is_full(void **state)
{
	static const char order[2 * 256];

	(void)state;
	put("BootOrder", order, sizeof(order));
	put("BootCurrent", "\0\0", 2);
	assert_int_equal(keep("EFI/Linux/hvinit_1.efi"), -E2BIG);
}

static void test_nonsense(void **state)
{
	static const struct sys_partition odd = { .uuid = "1e1e90cd" };
	char path[1024];

	(void)state;
	assert_int_equal(bootopt_keep(root, &odd, "EFI/Linux/hvinit_1.efi"), -EINVAL);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(keep(path), -EINVAL);
	assert_int_equal(efi_writes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE("its bytes", test_bytes, setup, teardown, NULL),
		FIXTURE("behind the loader's", test_behind_the_loader, setup, teardown, NULL),
		FIXTURE("written once", test_again, setup, teardown, NULL),
		FIXTURE("an order of somebody's", test_order_of_somebody, setup, teardown, NULL),
		FIXTURE("booted otherwise", test_booted_otherwise, setup, teardown, NULL),
		FIXTURE("no order", test_no_order, setup, teardown, NULL),
		FIXTURE("the firmware refuses", test_firmware_refuses, setup, teardown, NULL),
		FIXTURE("the order is full", test_order_is_full, setup, teardown, NULL),
		FIXTURE("nonsense", test_nonsense, setup, teardown, NULL),
	};

	return cmocka_run_group_tests_name("bootopt", tests, NULL, NULL);
}
