/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that the boot loader counts tries in. */
#include "unit.h"

#include <errno.h>

#include "bootentry.h"
#include "fakesys.h"
#include "sys.h"

#define FOLDER "EFI/Linux/"

static struct bootentry entry;

static const struct name {
	const char *path;
	const char *good; /* NULL: it is refused */
	bool counted;
	unsigned left;
	unsigned done;
} names[] = {
	{ "\\EFI\\Linux\\hvinit_1.0+3.efi", "hvinit_1.0.efi", true, 3, 0 },
	{ "\\EFI\\Linux\\hvinit_1.0+2-1.efi", "hvinit_1.0.efi", true, 2, 1 },
	{ "/EFI/Linux/hvinit_1.0+0-3.efi", "hvinit_1.0.efi", true, 0, 3 },
	{ "\\EFI\\Linux\\hvinit_1.0.efi", "hvinit_1.0.efi", false, 0, 0 },
	/* A version with a plus, as Debian's have them, is no counter; the last plus is. */
	{ "/EFI/Linux/hvinit_1.0+git.efi", "hvinit_1.0+git.efi", false, 0, 0 },
	{ "/EFI/Linux/hvinit_1.0+git+2.efi", "hvinit_1.0+git.efi", true, 2, 0 },
	{ "/EFI/Linux/hvinit+2-.efi", "hvinit+2-.efi", false, 0, 0 },
	{ "/EFI/Linux/hvinit+-1.efi", "hvinit+-1.efi", false, 0, 0 },
	{ "/EFI/Linux/hvinit+2-1-1.efi", "hvinit+2-1-1.efi", false, 0, 0 },
	{ "/EFI/Linux/hvinit+99999999999999999999.efi", "hvinit+99999999999999999999.efi", false, 0,
	  0 },
	{ "/EFI/Linux/+2.efi", "+2.efi", false, 0, 0 },
	{ "/EFI/Linux/hvinit+2", "hvinit+2", false, 0, 0 },
	{ "hvinit+2.efi", NULL, false, 0, 0 },
	{ "/hvinit+2.efi", NULL, false, 0, 0 },
	{ "/EFI/Linux/", NULL, false, 0, 0 },
	{ "/EFI/../../hvinit+2.efi", NULL, false, 0, 0 },
	{ "", NULL, false, 0, 0 },
};

static void test_name(void **state)
{
	const struct name *name = *state;

	assert_int_equal(bootentry_parse(name->path, &entry), name->good != NULL);
	if (!name->good)
		return;
	assert_string_equal(entry.folder, "EFI/Linux");
	assert_string_equal(entry.good, name->good);
	assert_int_equal(entry.counted, name->counted);
	assert_int_equal(entry.left, name->left);
	assert_int_equal(entry.done, name->done);
}

static void test_too_long(void **state)
{
	char path[2 * BOOTENTRY_PATH];

	(void)state;
	memset(path, 'a', sizeof(path));
	memcpy(path, "/EFI/", 5);
	path[sizeof(path) - 1] = '\0';
	assert_false(bootentry_parse(path, &entry));
}

/* --- on a partition --- */

static int esp = -1;

static int setup(void **state)
{
	(void)state;
	esp = fakesys_new();
	fakesys_file(esp, FOLDER "hvinit_2.0+2-1.efi", "new");
	fakesys_file(esp, FOLDER "hvinit_1.0.efi", "old");
	return 0;
}

static int teardown(void **state)
{
	close(esp);
	return fakesys_teardown(state);
}

static int bless(const char *path)
{
	assert_true(bootentry_parse(path, &entry));
	return bootentry_bless(esp, &entry);
}

static void test_bless(void **state)
{
	(void)state;
	assert_int_equal(bless("\\EFI\\Linux\\hvinit_2.0+2-1.efi"), 0);
	assert_true(sys_exists(esp, FOLDER "hvinit_2.0.efi"));
	assert_false(sys_exists(esp, FOLDER "hvinit_2.0+2-1.efi"));
	/* Twice is as good as once. */
	assert_int_equal(bless("\\EFI\\Linux\\hvinit_2.0+2-1.efi"), 0);
	/* One without counters is good already. */
	assert_int_equal(bless("\\EFI\\Linux\\hvinit_1.0.efi"), 0);
	assert_true(sys_exists(esp, FOLDER "hvinit_1.0.efi"));
}

/* No image is lost for another. */
static void test_both_are_there(void **state)
{
	(void)state;
	fakesys_file(esp, FOLDER "hvinit_2.0.efi", "another");
	assert_int_equal(bless("\\EFI\\Linux\\hvinit_2.0+2-1.efi"), -EEXIST);
	assert_true(sys_exists(esp, FOLDER "hvinit_2.0+2-1.efi"));
}

static void test_not_there(void **state)
{
	(void)state;
	assert_int_equal(bless("\\EFI\\Linux\\hvinit_3.0+2-1.efi"), -ENOENT);
	assert_int_equal(bless("\\EFI\\Other\\hvinit_2.0+2-1.efi"), -ENOENT);
}

int main(void)
{
	static char titles[ARRAY_SIZE(names)][64];
	struct CMUnitTest tests[ARRAY_SIZE(names) + 4] = {
		CASE("too long a path", test_too_long, NULL),
		FIXTURE("blessed", test_bless, setup, teardown, NULL),
		FIXTURE("both names are there", test_both_are_there, setup, teardown, NULL),
		FIXTURE("not there", test_not_there, setup, teardown, NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(titles[i], sizeof(titles[i]), "path %s", names[i].path);
		tests[4 + i] = FIXTURE(titles[i], test_name, NULL, NULL, (void *)&names[i]);
	}
	return cmocka_run_group_tests_name("bootentry", tests, NULL, NULL);
}
