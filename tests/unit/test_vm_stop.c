/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How VMs are stopped, and what is left of them then. */
#include "unit.h"

#include "fakeqemu.h"

/* --- stopping --- */

static void test_restart(void **state)
{
	(void)state;
	go_running();
	assert_null(command(VM_EV_RESTART));
	assert_state("stopping");
	end_process(STATUS_OK);
	assert_state("starting");
	assert_int_equal(launches, 2);
	command(VM_EV_RESTART);
	end_process(KILLED);
	assert_state("starting");
	/* The last word counts. */
	command(VM_EV_STOP);
	command(VM_EV_RESTART);
	command(VM_EV_KILL);
	end_process(KILLED);
	assert_state("stopped");
}

static void test_stop(void **state)
{
	(void)state;
	config.vm[0].stop_timeout = 7;
	go_running();
	assert_null(command(VM_EV_STOP));
	assert_in_range(timer_ms, 6900, 7000);
	assert_non_null(strstr(told(), "system_powerdown"));
	qmp("{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-shutdown\"}}");
	end_process(STATUS_OK);
	assert_state("stopped");
}

/* A guest that was still booting has missed the first press. */
static void test_press_again(void **state)
{
	(void)state;
	config.vm[0].stop_timeout = 60;
	go_running();
	command(VM_EV_STOP);
	assert_int_equal(timer_ms, 10000);
	told();
	happen_timeout();
	assert_non_null(strstr(told(), "system_powerdown"));
	assert_int_equal(killed, 0);
	end_process(STATUS_OK);
}

static void test_stop_harder(void **state)
{
	(void)state;
	config.vm[0].stop_timeout = 0; /* over at once */
	go_running();
	command(VM_EV_STOP);
	told();
	happen_timeout();
	assert_non_null(strstr(told(), "\"quit\""));
	assert_int_equal(killed, 0);
	assert_int_equal(timer_ms, 10000);
	happen_timeout();
	assert_int_equal(killed, theirs.pid);
	end_process(KILLED);
	assert_state("stopped");
	assert_string_equal(vm_look(0).why, "killed");
}

/* What the operator ended did not fail, however it ended. */
static void test_kill(void **state)
{
	(void)state;
	go_running();
	assert_null(command(VM_EV_KILL));
	end_process(KILLED);
	assert_state("stopped");
	assert_string_equal(vm_look(0).why, "killed");
	command(VM_EV_START);
	assert_null(command(VM_EV_STOP));
	end_process(KILLED);
	assert_state("stopped");
	assert_string_equal(vm_look(0).why, "killed");
	assert_null(strstr(said, "QEMU-DIED"));
}

/* An error at the end is told, though the end was asked for: something may not be written. */
static void test_stop_with_error(void **state)
{
	(void)state;
	go_running();
	command(VM_EV_STOP);
	end_process(STATUS_1);
	assert_state("failed");
	assert_said("status 1");
}

static void test_stop_without_qmp(void **state)
{
	(void)state;
	go_running();
	close(theirs.qmp);
	theirs.qmp = -1;
	command(VM_EV_STOP);
	assert_state("stopping");
	assert_int_equal(killed, theirs.pid);
	assert_int_equal(killed_with, 1 << SIGTERM);
	end_process(SIGTERM);
	assert_state("stopped");
}

/* --- what a process leaves --- */

/* Nothing of an ended VM stays open or goes off later. */
static void test_cleaned_up(void **state)
{
	(void)state;
	go_running();
	command(VM_EV_STOP);
	assert_true(timer_ms > 0);
	end_process(STATUS_OK);
	assert_int_equal(timer_ms, 0);
	for (unsigned i = 0; i < CGROUP; i++)
		assert_int_equal(channels[i]->fd, -1);
}

/* Somebody else may still hold the other ends. */
static void test_cleaned_up_at_once(void **state)
{
	(void)state;
	go_running();
	assert_true(vm_reaped(theirs.pid, STATUS_OK));
	assert_state("stopped");
	for (unsigned i = 0; i < CGROUP; i++)
		assert_int_equal(channels[i]->fd, -1);
}

/* The machine goes on when the kernel does not let go of a process. */
static void test_stuck(void **state)
{
	(void)state;
	go_running();
	command(VM_EV_KILL);
	assert_true(timer_ms > 0);
	happen_timeout();
	assert_state("stuck");
	assert_said("[STUCK]");
	assert_int_equal(vm_active(), 0); /* nobody waits for it */
	end_process(KILLED);
	assert_int_equal(vm_look(0).pid, 0);
	assert_null(command(VM_EV_START));
}

/* As the end of one that nobody has asked to end: nothing else will ever come. */
static void test_stuck_critical(void **state)
{
	(void)state;
	config.vm[0].critical = true;
	config.host.on_critical_failed = HOST_ON_CRITICAL_FAILED_POWEROFF;
	config.vm[0].hang_timeout = 30;
	go_running();
	happen_hung();
	happen_timeout();
	assert_state("stuck");
	assert_said("it is critical and has failed, so the machine powers off");
	assert_int_equal(shutdowns, 1 << SHUTDOWN_POWEROFF);
}

static void test_stuck_last(void **state)
{
	(void)state;
	config.host.on_last_vm = HOST_ON_LAST_VM_POWEROFF;
	go_running();
	command(VM_EV_KILL);
	happen_timeout();
	assert_state("stuck");
	assert_int_equal(shutdowns, 1 << SHUTDOWN_POWEROFF);
}

static void test_lingering(void **state)
{
	(void)state;
	grouped = populated = true;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	go_running();
	clock_ms += 5000;
	end_process(SEGFAULT);
	assert_state("stopping");
	assert_int_equal(groups_killed, 1);
	assert_int_equal(vm_active(), 1);
	assert_int_equal(launches, 1);
	happen_empty();
	assert_int_equal(launches, 2); /* and not before */
	assert_said("demo: failed: ");
	assert_int_equal(history_back(vm_look(0).history, 0)->cause, END_CRASH);
}

static void test_lingering_for_ever(void **state)
{
	(void)state;
	grouped = populated = true;
	go_running();
	command(VM_EV_KILL);
	assert_int_equal(groups_killed, 1);
	end_process(KILLED);
	assert_state("stopping");
	happen_timeout();
	assert_state("stuck");
	assert_said("its cgroup is not empty");
	assert_int_equal(vm_active(), 0);
	happen_empty();
	assert_state("stopped");
	assert_null(command(VM_EV_START));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY("restart", test_restart),
		STORY("stop", test_stop),
		STORY("the power button again", test_press_again),
		STORY("stop, quit, kill", test_stop_harder),
		STORY("kill", test_kill),
		STORY("stop, and QEMU ends with an error", test_stop_with_error),
		STORY("stop without QMP", test_stop_without_qmp),
		STORY("nothing is left", test_cleaned_up),
		STORY("nothing is left, whoever holds the other ends", test_cleaned_up_at_once),
		STORY("stuck", test_stuck),
		STORY("a stuck one that is critical", test_stuck_critical),
		STORY("a stuck one that is the last", test_stuck_last),
		STORY("something is left of QEMU", test_lingering),
		STORY("something is left for ever", test_lingering_for_ever),
	};

	return cmocka_run_group_tests_name("vm_stop", tests, NULL, NULL);
}
