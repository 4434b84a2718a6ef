/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMUs that do not answer any more. */
#include "unit.h"

#include "fakeqemu.h"
#include "vm_private.h"

static void test_hung(void **state)
{
	(void)state;
	config.vm[0].hang_timeout = 30;
	go_running();
	assert_int_equal(pulse_ms, 15000);
	happen_hung();
	assert_said("[QEMU-HUNG]");
	assert_said("not answered for 30 s");
	end_process(KILLED);
	assert_ended("failed", END_HUNG);
	assert_int_equal(pulse_ms, 0);
}

/* One that answers lives, and one that may hang is not even asked. */
static void test_not_hung(void **state)
{
	(void)state;
	go_running();
	timer_runs_out = true;
	for (unsigned i = 0; i < 5; i++) {
		pulse->ready(pulse->arg, 1);
		assert_non_null(strstr(told(), "query-status"));
		qmp("{\"return\": {\"status\": \"running\"}, \"id\": \"pulse\"}");
		clock_ms += 120 * 1000;
	}
	timer_runs_out = false;
	assert_state("running");
	end_process(STATUS_OK);
	config.vm[0].on_hang = VM_ON_HANG_IGNORE;
	go_running();
	assert_int_equal(pulse_ms, 0);
	happen_hung();
	assert_string_equal(told(), "");
	assert_state("running");
	end_process(STATUS_OK);
}

/* QEMU pins all of the guest's memory for the first device that comes later. */
static void test_not_hung_by_attach(void **state)
{
	(void)state;
	config.vm[0].hang_timeout = 30;
	go_running();
	vm_at(0)->sent = 1;
	timer_runs_out = true;
	pulse->ready(pulse->arg, 1);
	clock_ms += 45 * 1000;
	pulse->ready(pulse->arg, 1);
	assert_state("running");
	vm_at(0)->sent = 0;
	pulse->ready(pulse->arg, 1);
	assert_state("stopping");
}

/* Another one that comes and goes does not put it off. */
static void test_pulse_is_not_put_off(void **state)
{
	(void)state;
	config.vm[0].hang_timeout = 30;
	go_running();
	assert_int_equal(pulse_ms, 15000);
	pulse_ms = 1;
	clock_ms += 5000;
	vm_pulse_changed();
	assert_int_equal(pulse_ms, 1);
	config.vm[0].hang_timeout = 10;
	vm_pulse_changed();
	assert_int_equal(pulse_ms, 5000);
}

static void test_stopped_process(void **state)
{
	(void)state;
	go_running();
	assert_true(vm_reaped(theirs.pid, SIGSTOP << 8 | 0x7f));
	assert_said("demo: QEMU was stopped by signal 19");
	assert_said("unless it goes on");
	assert_state("running");
	assert_true(vm_reaped(theirs.pid, 0xffff));
	assert_said("demo: QEMU goes on");
	end_process(STATUS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY("QEMU hangs", test_hung),
		STORY("QEMU does not hang", test_not_hung),
		STORY("not hung, but attaching", test_not_hung_by_attach),
		STORY("one that comes and goes", test_pulse_is_not_put_off),
		STORY("QEMU is stopped", test_stopped_process),
	};

	return cmocka_run_group_tests_name("vm_pulse", tests, NULL, NULL);
}
