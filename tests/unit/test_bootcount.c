/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Failed boots, on an invented machine whose firmware variables are files. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "bootcount.h"
#include "fakesys.h"
#include "standins.h"
#include "sys_machine.h"

#define VARIABLE "sys/firmware/efi/efivars/HvinitFailedBoots-" SYS_EFI_OURS
#define LOADER "LoaderBootCountPath-" SYS_EFI_LOADER

static int root = -1;

static void boot(void)
{
	bootcount_init(root, "etc/os-release", "etc/manifest");
}

static void another_image(const char *manifest)
{
	fakesys_file(root, "etc/manifest", manifest);
	boot();
}

static const char *kept(void)
{
	static char text[512];

	return sys_efi_read(root, VARIABLE, text, sizeof(text)) < 0 ? "" : text;
}

static int setup(void **state)
{
	(void)state;
	standins_reset();
	root = fakesys_new();
	fakesys_file(root, "sys/firmware/efi/efivars/Other", "");
	fakesys_file(root, "etc/os-release", "ID=hvinit\n");
	another_image("one");
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

/* A boot that does not fail writes nothing. */
static void test_good(void **state)
{
	(void)state;
	bootcount_good();
	assert_int_equal(bootcount_failed(), 0);
	assert_false(bootcount_is_bad());
	assert_false(sys_exists(root, VARIABLE));
}

static void test_three(void **state)
{
	(void)state;
	for (unsigned n = 0; n < BOOTCOUNT_LIMIT; n++) {
		assert_int_equal(bootcount_failed(), n);
		assert_false(bootcount_is_bad());
		/* However many reasons it has. */
		assert_int_equal(bootcount_fail(), 0);
		assert_int_equal(bootcount_fail(), 0);
		boot();
	}
	assert_int_equal(bootcount_failed(), BOOTCOUNT_LIMIT);
	assert_true(bootcount_is_bad());
	bootcount_good();
	assert_said("failed boots before: 3");
	assert_false(bootcount_is_bad());
	assert_false(sys_exists(root, VARIABLE));
	assert_int_equal(bootcount_fail(), 0);
	boot();
	assert_int_equal(bootcount_failed(), 1);
}

/* A panic that the watchdog has ended leaves two traces of one death. */
static void test_died(void **state)
{
	(void)state;
	bootcount_died("the kernel panicked");
	bootcount_died("the watchdog bit");
	assert_string_equal(said,
			    "host: the boot before this one has failed: the kernel panicked\n");
	boot();
	assert_int_equal(bootcount_failed(), 1);
	bootcount_died("again");
	assert_int_equal(bootcount_fail(), 0);
	boot();
	assert_int_equal(bootcount_failed(), 3);
}

static void test_images(void **state)
{
	(void)state;
	bootcount_fail();
	another_image("two");
	assert_int_equal(bootcount_failed(), 0);
	bootcount_fail();
	boot();
	bootcount_fail();
	another_image("one");
	assert_int_equal(bootcount_failed(), 1);
	bootcount_good();
	assert_true(sys_exists(root, VARIABLE));
	another_image("two");
	assert_int_equal(bootcount_failed(), 2);
	bootcount_good();
	assert_false(sys_exists(root, VARIABLE));
}

/* The oldest makes room: the variable does not grow. */
static void test_many_images(void **state)
{
	static const char *const names[] = { "1", "2", "3", "4", "5", "6" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		another_image(names[i]);
		assert_int_equal(bootcount_fail(), 0);
	}
	assert_int_equal(strlen(kept()), 4 * 35 - 1);
	another_image("3");
	assert_int_equal(bootcount_failed(), 1);
	another_image("2");
	assert_int_equal(bootcount_failed(), 0);
}

static void test_release_counts(void **state)
{
	(void)state;
	bootcount_fail();
	fakesys_file(root, "etc/os-release", "ID=hvinit\nVERSION_ID=2\n");
	boot();
	assert_int_equal(bootcount_failed(), 0);
}

/* The loader falls back by itself, as long as it can. */
static void test_loader(void **state)
{
	static const struct {
		const char *path;
		bool bad;
	} rows[] = {
		{ "\\EFI\\Linux\\hvinit_1.0+2-1.efi", false },
		{ "\\EFI\\Linux\\hvinit_1.0+0-3.efi", true },
		{ "\\EFI\\Linux\\hvinit_1.0+1.efi", false },
		{ "\\EFI\\Linux\\hvinit_1.0.efi", true },
		{ "", true },
	};

	(void)state;
	for (unsigned n = 0; n < BOOTCOUNT_LIMIT; n++) {
		bootcount_fail();
		boot();
	}
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fakesys_variable_text(root, LOADER, rows[i].path);
		boot();
		assert_int_equal(bootcount_is_bad(), rows[i].bad);
	}
}

static void test_strange(void **state)
{
	static const char *const texts[] = { "", "xx", "\7\7\7\7", "\7\7\7\7nonsense 7\n",
					     "\7\7\7\7"
					     "0123456789abcdef0123456789abcdef" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		fakesys_file(root, VARIABLE, texts[i]);
		boot();
		assert_int_equal(bootcount_failed(), 0);
	}
	assert_int_equal(bootcount_fail(), 0);
	boot();
	assert_int_equal(bootcount_failed(), 1);
}

static void test_no_firmware(void **state)
{
	(void)state;
	fakesys_remove(root, "sys/firmware/efi/efivars/Other");
	unlinkat(root, "sys/firmware/efi/efivars", AT_REMOVEDIR);
	boot();
	assert_int_equal(bootcount_fail(), -ENOENT);
	bootcount_died("the kernel panicked");
	assert_said("[EFI-WRITE]");
}

#define BOOT_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOOT_CASE("a boot that does not fail", test_good),
		BOOT_CASE("three that fail", test_three),
		BOOT_CASE("evidence of a death", test_died),
		BOOT_CASE("several images", test_images),
		BOOT_CASE("more images than are kept", test_many_images),
		BOOT_CASE("another release is another image", test_release_counts),
		BOOT_CASE("a boot loader that counts", test_loader),
		BOOT_CASE("strange values", test_strange),
		BOOT_CASE("no firmware variables", test_no_firmware),
	};

	return cmocka_run_group_tests_name("bootcount", tests, NULL, NULL);
}
