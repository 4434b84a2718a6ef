/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of a VM's devices. */
#include "unit.h"

#include <errno.h>

#include "device.h"
#include "fakeqemu.h"

static void give_device(void)
{
	str_copy(config.vm[0].hostdev[0].bdf, sizeof(config.vm[0].hostdev[0].bdf), "0000:41:00.0");
	set_up();
}

static void device_report(int fd, enum device_state state, const char *why)
{
	struct launch_report r = { .event = LAUNCH_DEVICE, .device = state };

	str_copy(r.finding.subject, sizeof(r.finding.subject), "0000:41:00.0");
	str_copy(r.finding.text, sizeof(r.finding.text), why);
	write_all(fd, &r, sizeof(r));
}

static void end_release(void)
{
	close_fdp(&releaser_report);
	releaser_report = -1;
	assert_true(vm_reaped(releaser, STATUS_OK));
}

static enum device_state device_state(void)
{
	return device_look(0, 0)->state;
}

/* Who ends for good gives its devices back, and only then can it be started. */
static void test_release(void **state)
{
	(void)state;
	give_device();
	command(VM_EV_START);
	device_report(theirs.report, DEVICE_CLAIMED, "");
	wake(REPORT);
	assert_int_equal(device_state(), DEVICE_CLAIMED);
	happen_exec();
	happen_ready();
	happen_resume();
	end_process(STATUS_OK);
	assert_state("stopped");
	assert_int_equal(releases, 1);
	assert_int_equal(vm_active(), 1); /* a machine that goes down waits for it */
	assert_null(command(VM_EV_START));
	assert_state("stopped");
	assert_int_equal(launches, 1);
	device_report(releaser_report, DEVICE_FREE, "");
	end_release();
	assert_int_equal(device_state(), DEVICE_FREE);
	assert_state("starting");
	assert_int_equal(launches, 2);
}

/* The machine that ends with its last VM waits for its devices, too, and then does end. */
static void test_release_and_last_vm(void **state)
{
	(void)state;
	give_device();
	config.host.on_last_vm = HOST_ON_LAST_VM_POWEROFF;
	go_running();
	end_process(STATUS_OK);
	assert_int_equal(shutdowns, 0);
	end_release();
	assert_int_equal(shutdowns, 1 << SHUTDOWN_POWEROFF);
}

/* Who comes back at once keeps them. */
static void test_no_release(void **state)
{
	(void)state;
	give_device();
	config.vm[0].restart = VM_RESTART_ALWAYS;
	go_running();
	clock_ms += 2000;
	end_process(SEGFAULT);
	assert_state("starting");
	end_process(STATUS_1);
	assert_state("backoff");
	assert_int_equal(releases, 0);
	command(VM_EV_STOP);
	assert_int_equal(releases, 1);
	end_release();
	config.vm[0].hostdev[0].managed = false;
	go_running();
	command(VM_EV_STOP);
	end_process(STATUS_OK);
	assert_int_equal(releases, 1);
}

static void test_release_late(void **state)
{
	(void)state;
	give_device();
	go_running();
	end_process(STATUS_OK);
	assert_int_equal(timer_ms, 30000);
	happen_timeout();
	assert_said("does not let go");
	assert_int_equal(vm_active(), 0);
	command(VM_EV_START);
	assert_int_equal(launches, 1); /* nor does it start before it has */
	command(VM_EV_STOP);
	end_release();
	assert_int_equal(launches, 1);
}

static void test_release_fails(void **state)
{
	(void)state;
	give_device();
	release_error = EAGAIN;
	go_running();
	end_process(STATUS_OK);
	assert_said("start a child to release devices");
	assert_null(command(VM_EV_START));
	assert_state("starting");
}

/* A broken device is kept from everybody until somebody says otherwise. */
static void test_quarantine(void **state)
{
	(void)state;
	give_device();
	go_running();
	end_process(STATUS_OK);
	device_report(releaser_report, DEVICE_QUARANTINED, "its configuration space reads ones");
	end_release();
	assert_int_equal(device_state(), DEVICE_QUARANTINED);
	assert_said("demo: device 0000:41:00.0 is quarantined: its configuration space reads ones");
	command(VM_EV_START);
	device_report(theirs.report, DEVICE_CLAIMED, "");
	wake(REPORT);
	assert_int_equal(device_state(), DEVICE_QUARANTINED);
	end_process(STATUS_1);
	end_release();
	assert_true(device_release(&config, 0, 0));
	assert_false(device_release(&config, 0, 0));
	command(VM_EV_START);
	finding(DIAG_DEV_DEAD, "talk to it: its configuration space reads ones");
	assert_int_equal(device_state(), DEVICE_QUARANTINED);
	end_process(STATUS_1);
	end_release();
	device_release(&config, 0, 0);
	command(VM_EV_START);
	finding(DIAG_RESET_FAIL, "bind it: Resource temporarily unavailable");
	assert_said("[RESET-FAIL]");
	assert_int_equal(device_state(), DEVICE_QUARANTINED);
	end_process(STATUS_1);
	end_release();
	device_release(&config, 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY("devices are released", test_release),
		STORY("devices are released, and that was the last VM", test_release_and_last_vm),
		STORY("devices are kept for the next start", test_no_release),
		STORY("devices that are not released", test_release_late),
		STORY("no child to release devices", test_release_fails),
		STORY("a device in quarantine", test_quarantine),
	};

	return cmocka_run_group_tests_name("vm_release", tests, NULL, NULL);
}
