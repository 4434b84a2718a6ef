/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VM's QEMU finds at its paths. */
#include "unit.h"

#include "argv.h"
#include "manifest.h"
#include "room.h"

static struct config config;
static struct facts facts;
static struct plan plan;
static struct room_thing things[ROOM_THINGS];
static unsigned count;

static void furnish(void)
{
	plan_vm(&config, 0, &facts, &plan);
	count = room_furnish(&plan, things);
	assert_true(count <= ROOM_THINGS);
}

static const struct room_thing *thing(const char *path)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(things[i].path, path) == 0)
			return &things[i];
	return NULL;
}

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	str_copy(config.vm[0].name, sizeof(config.vm[0].name), "demo");
	return 0;
}

static void test_always(void **state)
{
	(void)state;
	furnish();
	assert_true(thing(QEMU_PATH)->is_program);
	assert_false(thing(QEMU_PATH)->is_device);
	assert_true(thing("/dev/kvm")->is_device);
	assert_false(thing("/dev/kvm")->is_program);
	assert_null(thing("/dev/iommu"));
	assert_null(thing(MANIFEST_PATH));
}

/* What is only read is neither a program nor a device. */
static void test_files(void **state)
{
	const char *const files[] = { "/boot/Image", "/boot/initrd" };
	unsigned before;

	(void)state;
	furnish();
	before = count;
	str_copy(config.vm[0].kernel, sizeof(config.vm[0].kernel), files[0]);
	str_copy(config.vm[0].initrd, sizeof(config.vm[0].initrd), files[1]);
	furnish();
	assert_int_equal(count, before + 2);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		assert_false(thing(files[i])->is_program || thing(files[i])->is_device ||
			     thing(files[i])->may_lack);
}

/* Disks come as descriptors: no path of them is to be seen. */
static void test_no_disk(void **state)
{
	unsigned before;

	(void)state;
	furnish();
	before = count;
	str_copy(config.vm[0].disk[0].path, sizeof(config.vm[0].disk[0].path), "/srv/a.img");
	furnish();
	assert_int_equal(count, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_always, setup),
		cmocka_unit_test_setup(test_files, setup),
		cmocka_unit_test_setup(test_no_disk, setup),
	};

	return cmocka_run_group_tests_name("room", tests, NULL, NULL);
}
