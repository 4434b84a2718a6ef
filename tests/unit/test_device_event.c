/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The manifest's devices come and go. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>

#include "device.h"
#include "device_event.h"
#include "fakesys.h"
#include "manifest.h"
#include "standins.h"

#define BDF "0009:01:00.0"

static struct config config;
static char wrote[128];
static int write_error;

int __wrap_sys_pci_write(int root, const char *bdf, const char *attr, const char *text);

int __wrap_sys_pci_write(int root, const char *bdf, const char *attr, const char *text)
{
	(void)root;
	str_format(wrote, sizeof(wrote), "%s %s %s", bdf, attr, text);
	return write_error;
}

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	str_copy(config.vm[2].name, sizeof(config.vm[2].name), "gpu");
	str_copy(config.vm[2].hostdev[1].bdf, SYS_BDF, BDF);
	device_release(&config, 2, 1);
	device_come(&config, 2, 1);
	device_note(&config, 2, 1, DEVICE_FREE, "", "");
	standins_reset();
	wrote[0] = '\0';
	write_error = 0;
	return 0;
}

static enum device_state now(void)
{
	return device_look(2, 1)->state;
}

static void test_others(void **state)
{
	(void)state;
	device_event(&config, "0009:02:00.0", false);
	device_event(&config, "", true);
	assert_string_equal(said, "");
}

static void test_goes_and_comes(void **state)
{
	(void)state;
	device_event(&config, BDF, false);
	assert_int_equal(now(), DEVICE_GONE);
	device_event(&config, BDF, true);
	assert_int_equal(now(), DEVICE_FREE);
	assert_string_equal(said, "gpu: device " BDF " is gone: it was removed\n"
				  "gpu: device " BDF " is free\n");
	assert_string_equal(wrote, BDF " driver_override vfio-pci");
}

/* One that was not there at boot; its driver is the one of the manifest. */
static void test_comes(void **state)
{
	(void)state;
	str_copy(config.vm[2].hostdev[1].driver, sizeof(config.vm[2].hostdev[1].driver), "nvgrace");
	device_event(&config, BDF, true);
	assert_string_equal(said, "gpu: device " BDF " has come\n");
	assert_string_equal(wrote, BDF " driver_override nvgrace");
}

static void test_unmanaged(void **state)
{
	(void)state;
	config.vm[2].hostdev[1].managed = false;
	device_event(&config, BDF, true);
	assert_string_equal(wrote, "");
}

static void test_in_use(void **state)
{
	(void)state;
	device_note(&config, 2, 1, DEVICE_CLAIMED, NULL, "");
	device_event(&config, BDF, false);
	assert_int_equal(now(), DEVICE_GONE);
	assert_said("it was removed while the VM had it");
}

static void test_quarantined(void **state)
{
	(void)state;
	device_note(&config, 2, 1, DEVICE_QUARANTINED, NULL, "dead");
	said[0] = '\0';
	device_event(&config, BDF, false);
	assert_string_equal(said, "gpu: device " BDF " was removed\n");
	device_event(&config, BDF, true);
	assert_int_equal(now(), DEVICE_QUARANTINED);
}

static void test_errors(void **state)
{
	(void)state;
	write_error = -EIO;
	device_event(&config, BDF, true);
	assert_string_equal(said, "host: reserve it again: Input/output error [AUTOPROBE]\n"
				  "gpu: device " BDF " has come\n");
	said[0] = '\0';
	chore_error = -EAGAIN;
	device_event(&config, BDF, true);
	assert_string_equal(said, BDF ": reserve it again: Resource temporarily unavailable "
				      "[AUTOPROBE]\ngpu: device " BDF " has come\n");
}

static void test_look(void **state)
{
	int root = fakesys_new();

	(void)state;
	str_copy(config.vm[2].hostdev[0].bdf, SYS_BDF, "0009:07:00.0");
	config.vm[2].hostdev[0].vf = 0;
	device_look_all(&config, root);
	assert_int_equal(now(), DEVICE_GONE);
	fakesys_file(root, "sys/bus/pci/devices/" BDF "/vendor", "0x1\n");
	device_look_all(&config, root);
	device_look_all(&config, root);
	assert_int_equal(now(), DEVICE_FREE);
	assert_string_equal(said, "gpu: device " BDF " is gone: it was removed\n"
				  "gpu: device " BDF " is free\n");
	close(root);
	fakesys_teardown(NULL);
}

#define EVENT_CASE(title, function) FIXTURE(title, function, setup, NULL, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EVENT_CASE("no VM's device", test_others),
		EVENT_CASE("goes and comes", test_goes_and_comes),
		EVENT_CASE("comes for the first time", test_comes),
		EVENT_CASE("one that hvinit does not bind", test_unmanaged),
		EVENT_CASE("goes while a VM has it", test_in_use),
		EVENT_CASE("one in quarantine", test_quarantined),
		EVENT_CASE("it cannot be reserved", test_errors),
		EVENT_CASE("events were lost", test_look),
	};

	return cmocka_run_group_tests_name("device_event", tests, NULL, NULL);
}
