/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the boot loader can boot, from the names in a folder. */
#include "unit.h"

#include <errno.h>

#include "fakesys.h"
#include "images.h"

static int esp = -1;

static int setup(void **state)
{
	(void)state;
	esp = fakesys_new();
	return images_init();
}

static int teardown(void **state)
{
	close(esp);
	return fakesys_teardown(state);
}

static void put(const char *name)
{
	char path[256];

	str_format(path, sizeof(path), "EFI/Linux/%s", name);
	fakesys_file(esp, path, "");
}

static void test_none(void **state)
{
	(void)state;
	assert_false(images_found()->looked);
	assert_int_equal(images_look(esp), -ENOENT);
	assert_false(images_found()->looked);
	put("other.efi");
	assert_int_equal(images_look(esp), 0);
	assert_true(images_found()->looked);
	assert_int_equal(images_found()->count, 0);
}

static void test_newest_first(void **state)
{
	const struct images *images = images_found();

	(void)state;
	put("hvinit_0.9.0.efi");
	put("hvinit_0.10.0+2-1.efi");
	put("hvinit_0.1.0+0-3.efi");
	/* None of them is one. */
	put("hvinit_.efi");
	put("hvinit_1.0.efi.part");
	put("linux_2.0.efi");
	assert_int_equal(images_look(esp), 0);
	images = images_found();
	assert_int_equal(images->count, 3);
	assert_string_equal(images->file[0].version, "0.10.0");
	assert_string_equal(images->file[0].name, "hvinit_0.10.0+2-1.efi");
	assert_true(images->file[0].counted);
	assert_int_equal(images->file[0].left, 2);
	assert_int_equal(images->file[0].done, 1);
	assert_string_equal(images->file[1].version, "0.9.0");
	assert_false(images->file[1].counted);
	assert_string_equal(images->file[2].version, "0.1.0");
}

static void test_too_many(void **state)
{
	char name[64];

	(void)state;
	for (unsigned i = 0; i < IMAGES + 3; i++) {
		str_format(name, sizeof(name), "hvinit_0.%u.efi", i);
		put(name);
	}
	assert_int_equal(images_look(esp), 0);
	assert_int_equal(images_found()->count, IMAGES);
	assert_int_equal(images_found()->more, 3);
	str_format(name, sizeof(name), "0.%u", IMAGES + 2);
	assert_string_equal(images_found()->file[0].version, name);
	assert_string_equal(images_found()->file[IMAGES - 1].version, "0.3");
}

static bool has_other(const char *name, const char *good)
{
	return images_has_other(images_found(), name, good);
}

static void test_other(void **state)
{
	(void)state;
	put("hvinit_0.2.0+2-1.efi");
	assert_int_equal(images_look(esp), 0);
	assert_false(has_other("hvinit_0.2.0+2-1.efi", "hvinit_0.2.0.efi"));
	assert_true(has_other("hvinit_0.3.0+2-1.efi", "hvinit_0.3.0.efi"));
	put("hvinit_0.1.0+0-3.efi");
	assert_int_equal(images_look(esp), 0);
	assert_false(has_other("hvinit_0.2.0+2-1.efi", "hvinit_0.2.0.efi"));
	put("hvinit_0.0.1.efi");
	assert_int_equal(images_look(esp), 0);
	assert_true(has_other("hvinit_0.2.0+2-1.efi", "hvinit_0.2.0.efi"));
	/* The same version again is another image. */
	assert_true(has_other("hvinit_0.0.1r2+2-1.efi", "hvinit_0.0.1r2.efi"));
}

/* FAT keeps the case of a name, and finds it by any. */
static void test_capitals(void **state)
{
	(void)state;
	put("HVINIT_0.2.0.EFI");
	assert_int_equal(images_look(esp), 0);
	assert_int_equal(images_found()->count, 1);
	assert_string_equal(images_found()->file[0].version, "0.2.0");
	assert_false(has_other("hvinit_0.2.0+2-1.efi", "hvinit_0.2.0.efi"));
	assert_true(has_other("hvinit_0.3.0+2-1.efi", "hvinit_0.3.0.efi"));
}

/* However many newer ones are of no use any more. */
static void test_behind_many(void **state)
{
	char name[64];

	(void)state;
	put("hvinit_0.1.0.efi");
	for (unsigned i = 2; i < 20; i++) {
		str_format(name, sizeof(name), "hvinit_0.%u.0+0-3.efi", i);
		put(name);
	}
	assert_int_equal(images_look(esp), 0);
	assert_true(has_other("hvinit_0.20.0+2-1.efi", "hvinit_0.20.0.efi"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE("no folder, no image", test_none, setup, teardown, NULL),
		FIXTURE("the newest first", test_newest_first, setup, teardown, NULL),
		FIXTURE("more than there is room for", test_too_many, setup, teardown, NULL),
		FIXTURE("another one to boot", test_other, setup, teardown, NULL),
		FIXTURE("capitals", test_capitals, setup, teardown, NULL),
		FIXTURE("behind many of no use", test_behind_many, setup, teardown, NULL),
	};

	return cmocka_run_group_tests_name("images", tests, NULL, NULL);
}
