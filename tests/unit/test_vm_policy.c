/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When VMs are started: at boot, and again. */
#include "unit.h"

#include <errno.h>

#include "fakeqemu.h"

/* --- starting again --- */

static void test_never_again(void **state)
{
	(void)state;
	go_running();
	end_process(SEGFAULT);
	assert_state("failed");
}

/* What had been running for a second comes back at once, what had not waits longer and longer. */
static void test_again_on_failure(void **state)
{
	static const unsigned seconds[] = { 1, 2, 4, 8, 16, 32, 60, 60 };

	(void)state;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	config.vm[0].restart_limit = 0;
	go_running();
	clock_ms += 1000;
	end_process(KILLED);
	assert_state("starting");
	assert_said("demo: failed: ");
	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
		end_process(STATUS_1);
		assert_state("backoff");
		assert_int_equal(timer_ms, seconds[i] * 1000);
		assert_int_equal(vm_look(0).again_s, seconds[i]);
		assert_non_null(strstr(vm_look(0).why, "status 1"));
		clock_ms += timer_ms;
		assert_int_equal(vm_look(0).again_s, 0);
		happen_timeout();
		assert_state("starting");
	}
	assert_said("demo: backoff: it starts again in 60 s");
}

/* A minute of running makes up for what was before, and so does somebody's word. */
static void test_backoff_forgets(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	command(VM_EV_START);
	end_process(STATUS_1);
	happen_timeout();
	end_process(STATUS_1);
	assert_int_equal(timer_ms, 2000);
	happen_timeout();
	happen_ready();
	happen_resume();
	clock_ms += 60 * 1000;
	end_process(KILLED);
	assert_state("starting");
	end_process(STATUS_1);
	assert_int_equal(timer_ms, 1000);
	assert_null(command(VM_EV_START));
	end_process(STATUS_1);
	assert_int_equal(timer_ms, 1000);
}

/* Less than a minute does not. */
static void test_backoff_remembers(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	command(VM_EV_START);
	end_process(STATUS_1);
	happen_timeout();
	happen_ready();
	happen_resume();
	clock_ms += 59 * 1000;
	end_process(KILLED);
	assert_state("starting");
	end_process(STATUS_1);
	assert_int_equal(timer_ms, 2000);
}

static void test_not_after_shutdown(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	go_running();
	end_process(STATUS_OK);
	assert_state("stopped");
}

static void test_always(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ALWAYS;
	go_running();
	clock_ms += 5000;
	end_process(STATUS_OK);
	assert_state("starting");
}

/* What was asked for to end stays ended, however it ends. */
static void test_not_after_stop(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ALWAYS;
	go_running();
	command(VM_EV_STOP);
	end_process(STATUS_OK);
	assert_state("stopped");
	go_running();
	command(VM_EV_STOP);
	end_process(SEGFAULT);
	assert_state("failed");
}

static void test_not_while_going_down(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ALWAYS;
	go_running();
	clock_ms += 5000;
	going_down = true;
	end_process(KILLED);
	assert_state("failed");
}

static void test_launch_error_again(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	launch_error = ENOMEM;
	command(VM_EV_START);
	assert_state("backoff");
	launch_error = 0;
	happen_timeout();
	assert_state("starting");
}

/* The fourth end in ten minutes is one too many, also of a VM that always runs for a while. */
static void test_restart_limit(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	config.vm[0].restart_limit = 3;
	go_running();
	for (unsigned i = 0; i < 3; i++) {
		clock_ms += 5000;
		end_process(SEGFAULT);
		assert_state("starting");
		happen_exec();
		happen_ready();
		happen_resume();
	}
	clock_ms += 5000;
	end_process(SEGFAULT);
	assert_state("failed");
	assert_said("start it again: it has ended 4 times in 2");
	assert_said("[RESTART-LIMIT]");
	assert_null(command(VM_EV_START)); /* somebody may have helped: it counts anew */
	end_process(STATUS_1);
	assert_state("backoff");
}

/* What was long ago does not count, and a minute of running makes up for all. */
static void test_restart_limit_forgets(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	config.vm[0].restart_limit = 1;
	config.vm[0].restart_window = 100;
	go_running();
	clock_ms += 2000;
	end_process(SEGFAULT);
	clock_ms += 101 * 1000;
	end_process(STATUS_1);
	assert_state("backoff");
	happen_timeout();
	happen_ready();
	happen_resume();
	clock_ms += 60 * 1000;
	end_process(SEGFAULT);
	assert_state("starting");
}

/* --- the machine after the last VM --- */

static void test_last_vm(void **state)
{
	(void)state;
	go_running();
	end_process(STATUS_OK);
	assert_int_equal(shutdowns, 0);
	config.host.on_last_vm = HOST_ON_LAST_VM_POWEROFF;
	go_running();
	end_process(STATUS_OK);
	assert_int_equal(shutdowns, 1 << SHUTDOWN_POWEROFF);
	shutdowns = 0;
	config.host.on_last_vm = HOST_ON_LAST_VM_REBOOT;
	go_running();
	end_process(STATUS_OK);
	assert_int_equal(shutdowns, 1 << SHUTDOWN_REBOOT);
}

/* A VM that cannot even start must not send the machine into a reboot loop. */
static void test_last_vm_never_ran(void **state)
{
	(void)state;
	config.host.on_last_vm = HOST_ON_LAST_VM_REBOOT;
	go_running();
	end_process(STATUS_OK);
	shutdowns = 0;
	command(VM_EV_START);
	end_process(STATUS_1);
	assert_int_equal(shutdowns, 0);
}

/* The machine does not end while a VM is about to come back. */
static void test_last_vm_in_backoff(void **state)
{
	(void)state;
	config.host.on_last_vm = HOST_ON_LAST_VM_POWEROFF;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	go_running();
	end_process(SEGFAULT);
	assert_state("backoff");
	assert_int_equal(shutdowns, 0);
	command(VM_EV_STOP);
	assert_state("stopped");
	assert_int_equal(shutdowns, 1 << SHUTDOWN_POWEROFF);
}

/* --- order at boot --- */

static void test_autostart(void **state)
{
	(void)state;
	config.vm[0].autostart = false;
	vm_autostart();
	assert_state("stopped");
	config.vm[0].autostart = true;
	vm_autostart();
	assert_state("starting");
	assert_int_equal(launches, 1);
}

static void test_autostart_invalid(void **state)
{
	(void)state;
	diag_add(&faults, 0, DIAG_SYMBOL_VALUE, "VM0_CPUS", "bad");
	set_up();
	vm_autostart();
	assert_state("invalid");
	assert_int_equal(launches, 0);
}

/* "a" is before "b" and "c", which are before "d". */
static void four(void)
{
	static const char names[] = "abcd";
	static const int64_t orders[] = { 1, 5, 5, 99 };

	for (unsigned slot = 0; slot < 4; slot++) {
		struct vm_config *vm = &config.vm[slot];

		str_format(vm->name, sizeof(vm->name), "%c", names[slot]);
		vm->start_order = orders[slot];
	}
	set_up();
}

static void test_order(void **state)
{
	(void)state;
	four();
	vm_autostart();
	assert_string_equal(order, "a ");
	assert_string_equal(vm_look(1).why, "waits for its turn to be started");
	happen_ready();
	assert_string_equal(order, "a ");
	happen_resume();
	assert_string_equal(order, "a b c ");
	choose(1);
	happen_ready();
	happen_resume();
	assert_string_equal(order, "a b c ");
	end_process_of(2, STATUS_1); /* a failure does not hold up the rest */
	assert_string_equal(order, "a b c d ");
}

/* Nobody waits for a VM that is invalid, has no AUTOSTART, or has run already. */
static void test_order_of_others(void **state)
{
	(void)state;
	diag_add(&faults, 0, DIAG_SYMBOL_VALUE, "VM0_CPUS", "bad");
	config.vm[1].autostart = false;
	four();
	vm_autostart();
	assert_string_equal(order, "c ");
	end_process_of(2, STATUS_OK);
	assert_string_equal(order, "c d ");
	vm_autostart();
	assert_string_equal(order, "c d ");
}

/* One in backoff has failed: others do not wait for it. */
static void test_order_and_backoff(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	four();
	vm_autostart();
	end_process(STATUS_1);
	assert_state("backoff");
	assert_string_equal(order, "a b c ");
}

static void test_order_and_commands(void **state)
{
	(void)state;
	four();
	vm_autostart();
	assert_null(vm_command(3, VM_EV_START)); /* by hand: not ordered */
	assert_string_equal(order, "a d ");
	assert_null(vm_command(1, VM_EV_STOP));
	assert_string_equal(vm_look(1).why, "not started after all");
	assert_non_null(vm_command(1, VM_EV_STOP));
	choose(0);
	happen_ready();
	happen_resume();
	assert_string_equal(order, "a d c ");
}

/* A machine that waits with its last VM is not at its end. */
static void test_order_and_last_vm(void **state)
{
	(void)state;
	config.host.on_last_vm = HOST_ON_LAST_VM_POWEROFF;
	four();
	config.vm[1].uefi_vars = config.vm[2].uefi_vars = VM_UEFI_VARS_KEEP;
	vm_autostart();
	happen_ready();
	happen_resume();
	end_process(STATUS_OK);
	assert_string_equal(order, "a ");
	assert_int_equal(shutdowns, 0);
}

static void test_unfit(void **state)
{
	(void)state;
	unfit(DIAG_VCPU_PIN); /* a warning */
	assert_state("stopped");
	unfit(DIAG_HUGE_SHORT);
	assert_state("failed");
	assert_string_equal(vm_look(0).why, "reserve 512 pages: no");
	vm_autostart();
	assert_state("failed");
	assert_null(command(VM_EV_START)); /* somebody may have helped */
	assert_state("starting");
}

/*
 * One that needs what the host makes waits for that, and those after it wait with it, but not
 * longer than a host takes that will be ready at all. Only the last story may come after this one:
 * a host once ready stays so.
 */
static void test_host_ready(void **state)
{
	(void)state;
	four();
	config.vm[1].uefi_vars = VM_UEFI_VARS_KEEP;
	vm_autostart();
	assert_int_equal(patience_ms, 120 * 1000);
	happen_ready();
	happen_resume();
	assert_string_equal(order, "a c ");
	end_process_of(2, STATUS_OK);
	timer = patience;
	timer->ready(timer->arg, 1); /* it has not run out */
	assert_string_equal(order, "a c ");
	happen_timeout();
	assert_said("host: prepare devices: not done in 120 s");
	assert_string_equal(order, "a c b ");
	assert_int_equal(timer->fd, -1);
	vm_host_ready(); /* after all */
	end_process_of(1, STATUS_OK);
	assert_string_equal(order, "a c b d ");
}

/* An image on trial is judged by those that are critical and start at boot, whatever others do. */
static void test_judged_by(void **state)
{
	(void)state;
	set_up();
	vm_judge_boot();
	assert_true(critical_up);
	config.vm[0].critical = true;
	config.vm[0].autostart = true;
	vm_judge_boot();
	assert_false(critical_up);
	go_running();
	assert_true(critical_up);
	end_process(SEGFAULT);
	assert_false(critical_up);
	config.vm[0].autostart = false;
	vm_judge_boot();
	assert_true(critical_up);
}

/* This story must be the last: nothing starts by itself from then on. */
static void test_safe(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ALWAYS;
	go_running();
	end_process(SEGFAULT);
	assert_state("backoff");
	assert_false(trial_suspended);
	vm_safe();
	assert_true(trial_suspended);
	assert_state("stopped");
	go_running();
	end_process(SEGFAULT);
	assert_state("failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY("never again", test_never_again),
		STORY("again on failure", test_again_on_failure),
		STORY("backoff forgets", test_backoff_forgets),
		STORY("backoff remembers", test_backoff_remembers),
		STORY("not again after a shutdown", test_not_after_shutdown),
		STORY("always again", test_always),
		STORY("not again after stop", test_not_after_stop),
		STORY("not again while the machine goes down", test_not_while_going_down),
		STORY("no launcher, and again", test_launch_error_again),
		STORY("the restarts' limit", test_restart_limit),
		STORY("the restarts' limit forgets", test_restart_limit_forgets),
		STORY("the last VM ends", test_last_vm),
		STORY("the last VM never ran", test_last_vm_never_ran),
		STORY("the last VM is in backoff", test_last_vm_in_backoff),
		STORY("autostart", test_autostart),
		STORY("autostart of an invalid VM", test_autostart_invalid),
		STORY("order", test_order),
		STORY("order, and others", test_order_of_others),
		STORY("order, and one in backoff", test_order_and_backoff),
		STORY("order, and commands", test_order_and_commands),
		STORY("order, and the last VM", test_order_and_last_vm),
		STORY("unfit", test_unfit),
		STORY("the host is ready", test_host_ready),
		STORY("what an image is judged by", test_judged_by),
		STORY("safe mode", test_safe),
	};

	return cmocka_run_group_tests_name("vm_policy", tests, NULL, NULL);
}
