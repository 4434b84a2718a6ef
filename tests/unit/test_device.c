/* SPDX-License-Identifier: GPL-2.0-or-later */
/* States of devices. */
#include "unit.h"

#include "device.h"
#include "manifest.h"
#include "standins.h"

static struct config config;

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	str_copy(config.vm[2].name, sizeof(config.vm[2].name), "gpu");
	str_copy(config.vm[2].hostdev[1].bdf, SYS_BDF, "0009:01:00.0");
	str_copy(config.vm[2].hostdev[2].bdf, SYS_BDF, "000a:01:00.0");
	config.vm[2].hostdev[2].vf = 3;
	device_release(&config, 2, 1);
	device_come(&config, 2, 1);
	device_note(&config, 2, 1, DEVICE_FREE, "", "");
	said[0] = happened[0] = '\0';
	return 0;
}

static void test_find(void **state)
{
	unsigned vm;
	unsigned hostdev;

	(void)state;
	assert_true(device_find(&config, "0009:01:00.0", &vm, &hostdev));
	assert_int_equal(vm, 2);
	assert_int_equal(hostdev, 1);
	assert_false(device_find(&config, "0009:01:00.1", &vm, &hostdev));
	assert_false(device_find(&config, "", &vm, &hostdev));
	/* Where a virtual function is only a launcher knows. */
	assert_false(device_find(&config, "000a:01:00.0", &vm, &hostdev));
	device_note(&config, 2, 2, DEVICE_CLAIMED, "000a:01:10.3", "");
	assert_true(device_find(&config, "000a:01:10.3", &vm, &hostdev));
	assert_int_equal(hostdev, 2);
}

static void test_told(void **state)
{
	(void)state;
	device_note(&config, 2, 1, DEVICE_CLAIMED, "0009:01:00.0", "");
	device_note(&config, 2, 1, DEVICE_FREE, NULL, "");
	assert_string_equal(said, "");
	device_note(&config, 2, 1, DEVICE_GONE, NULL, "it was removed");
	assert_string_equal(said, "gpu: device 0009:01:00.0 is gone: it was removed\n");
	device_note(&config, 2, 1, DEVICE_GONE, NULL, "it was removed");
	assert_string_equal(said, "gpu: device 0009:01:00.0 is gone: it was removed\n");
	said[0] = '\0';
	/* Its VM, or what released it, comes late. */
	device_note(&config, 2, 1, DEVICE_FREE, NULL, "");
	assert_string_equal(said, "");
	assert_true(device_come(&config, 2, 1));
	assert_false(device_come(&config, 2, 1));
	assert_string_equal(said, "gpu: device 0009:01:00.0 is free\n");
	assert_string_equal(device_look(2, 1)->why, "");
}

static void test_quarantine(void **state)
{
	(void)state;
	device_note(&config, 2, 1, DEVICE_QUARANTINED, NULL, "it reads ones");
	assert_string_equal(said, "gpu: device 0009:01:00.0 is quarantined: it reads ones\n");
	device_note(&config, 2, 1, DEVICE_FREE, NULL, "");
	device_note(&config, 2, 1, DEVICE_GONE, NULL, "");
	assert_int_equal(device_look(2, 1)->state, DEVICE_QUARANTINED);
	assert_string_equal(device_look(2, 1)->why, "it reads ones");
	assert_true(device_release(&config, 2, 1));
	assert_int_equal(device_look(2, 1)->state, DEVICE_FREE);
	assert_false(device_release(&config, 2, 1));
}

/* Every change of state, those included that are no trouble and so no line of the log. */
static void test_events(void **state)
{
	(void)state;
	device_note(&config, 2, 1, DEVICE_CLAIMED, "0009:01:00.0", "");
	device_note(&config, 2, 1, DEVICE_CLAIMED, NULL, "");
	device_note(&config, 2, 1, DEVICE_FREE, NULL, "");
	assert_string_equal(happened, "device gpu 1 0009:01:00.0 claimed\n"
				      "device gpu 1 0009:01:00.0 free\n");
	assert_string_equal(said, "");
	happened[0] = '\0';
	device_note(&config, 2, 1, DEVICE_GONE, NULL, "it was removed");
	device_note(&config, 2, 1, DEVICE_FREE, NULL, "");
	device_come(&config, 2, 1);
	device_come(&config, 2, 1);
	assert_string_equal(happened, "device gpu 1 0009:01:00.0 gone\n"
				      "device gpu 1 0009:01:00.0 free\n");
	happened[0] = '\0';
	device_note(&config, 2, 1, DEVICE_QUARANTINED, NULL, "it reads ones");
	device_note(&config, 2, 1, DEVICE_CLAIMED, NULL, "");
	device_release(&config, 2, 1);
	device_release(&config, 2, 1);
	assert_string_equal(happened, "device gpu 1 0009:01:00.0 quarantined\n"
				      "device gpu 1 0009:01:00.0 claimed\n");
}

/* Until a launcher has told where a virtual function is, nobody says where it could be. */
static void test_event_of_vf(void **state)
{
	(void)state;
	device_note(&config, 2, 2, DEVICE_FREE, "", "");
	happened[0] = '\0';
	device_note(&config, 2, 2, DEVICE_CLAIMED, NULL, "");
	assert_string_equal(happened, "device gpu 2  claimed\n");
	happened[0] = '\0';
	device_note(&config, 2, 2, DEVICE_FREE, "000a:01:10.3", "");
	assert_string_equal(happened, "device gpu 2 000a:01:10.3 free\n");
}

static void test_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DEVICE_STATES; i++)
		assert_non_null(device_state_name(i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE("by address", test_find, setup, NULL, NULL),
		FIXTURE("what is worth a line", test_told, setup, NULL, NULL),
		FIXTURE("quarantine", test_quarantine, setup, NULL, NULL),
		FIXTURE("events", test_events, setup, NULL, NULL),
		FIXTURE("events of a virtual function", test_event_of_vf, setup, NULL, NULL),
		FIXTURE("names", test_names, setup, NULL, NULL),
	};

	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
