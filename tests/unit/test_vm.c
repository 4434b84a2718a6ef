/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VM's start, step by step, and what else is asked of VMs. */
#include "unit.h"

#include <errno.h>

#include "fakeqemu.h"

/* --- how a start goes --- */

static void test_start(void **state)
{
	const unsigned before = vm_look(0).starts;

	(void)state;
	assert_null(command(VM_EV_START));
	assert_said("demo: starting");
	happen_exec();
	assert_said("demo: exec");
	assert_int_equal(vm_look(0).devices, 2);
	assert_int_equal(vm_look(0).vsmmus, 1);
	assert_int_equal(vm_look(0).pid, theirs.pid);
	qmp("{\"QMP\": {\"version\": {}, \"capabilities\": []}}");
	assert_state("starting"); /* the greeting says nothing about the devices */
	assert_non_null(strstr(told(), "\"qmp_capabilities\""));
	qmp("{\"return\": {}, \"id\": \"capabilities\"}");
	assert_non_null(strstr(told(), "\"query-status\""));
	happen_ready();
	assert_state("prelaunch");
	assert_true(timer_ms > 0);
	happen_resume();
	assert_state("running");
	assert_said("demo: running");
	assert_int_equal(timer_ms, 0);
	assert_int_equal(vm_active(), 1);
	assert_int_equal(vm_look(0).starts, before + 1);
}

/* Each state that it comes to, with the one before it, and how it has ended. */
static void test_events(void **state)
{
	(void)state;
	happened[0] = '\0';
	go_running();
	assert_string_equal(happened, "vm demo starting stopped\n"
				      "vm demo prelaunch starting\n"
				      "vm demo running prelaunch\n");
	happened[0] = '\0';
	happen_pause();
	happen_resume();
	assert_string_equal(happened, "vm demo paused running\n"
				      "vm demo running paused\n");
	happened[0] = '\0';
	command(VM_EV_STOP);
	qmp("{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-shutdown\"}}");
	end_process(STATUS_OK);
	assert_string_equal(happened, "vm demo stopping running\n"
				      "vm demo stopped stopping\n"
				      "end demo stopped\n");
}

/* Only the answer to our own question, and only the right one, says that devices are there. */
static void test_not_ready(void **state)
{
	(void)state;
	command(VM_EV_START);
	happen_exec();
	qmp("{\"return\": {\"status\": \"running\"}, \"id\": \"status\"}");
	assert_state("starting");
	qmp("{\"return\": {\"status\": \"prelaunch\"}, \"id\": \"capabilities\"}");
	assert_state("starting");
	qmp("{\"return\": {\"status\": \"prelaunch\"}}");
	assert_state("starting");
}

static void test_pinning(void **state)
{
	(void)state;
	command(VM_EV_START);
	assert_string_equal(vm_look(0).why, "");
	happen_exec();
	assert_string_equal(vm_look(0).why, "QEMU pins 1024 MiB of memory in ordinary pages");
	happen_ready();
	assert_string_equal(vm_look(0).why, "");
}

/* What its SMMUs say of themselves is asked of a VM that runs and has devices. */
static void test_learn(void **state)
{
	(void)state;
	learned = 0;
	command(VM_EV_START);
	happen_exec();
	happen_ready();
	assert_int_equal(learned, 0);
	happen_resume();
	assert_int_equal(learned, 1);
}

static void test_launch_error(void **state)
{
	(void)state;
	launch_error = EMFILE;
	command(VM_EV_START);
	assert_state("failed");
	assert_said("[LAUNCH-FAIL]");
	assert_said("Too many open files");
	launch_error = 0;
	assert_null(command(VM_EV_START));
	assert_state("starting");
}

static void test_launcher_finding(void **state)
{
	(void)state;
	command(VM_EV_START);
	finding(DIAG_DEV_NONE, "find it: no such PCI device");
	finding(DIAG_LAUNCH_FAIL, "a consequence");
	end_process(STATUS_1);
	assert_state("failed");
	assert_string_equal(vm_look(0).why, "find it: no such PCI device");
	assert_said("[DEV-NONE]");
	assert_said("demo: failed: find it: no such PCI device");
}

/* Reports that are still in the pipe when the launcher is reaped count, too. */
static void test_late_report(void **state)
{
	struct launch_report r = { .event = LAUNCH_FINDING };
	struct diag one = { 0 };

	(void)state;
	command(VM_EV_START);
	diag_add(&one, 0, DIAG_BIND_FAIL, "0000:41:00.0", "probe its driver: No such device");
	r.finding = one.finding[0];
	write_all(theirs.report, &r, sizeof(r));
	end_process(STATUS_1);
	assert_state("failed");
	assert_said("[BIND-FAIL]");
}

static void test_launcher_warning(void **state)
{
	(void)state;
	command(VM_EV_START);
	finding(DIAG_MODULE_LOAD, "only a warning");
	happen_exec();
	happen_ready();
	happen_resume();
	assert_state("running");
	end_process(STATUS_OK);
	assert_state("stopped");
}

static void test_no_answer(void **state)
{
	(void)state;
	config.vm[0].memory_mib = 24 * 1024;
	command(VM_EV_START);
	assert_true(timer_ms > 210 * 1000); /* what 24 GiB have been seen to take */
	happen_timeout();
	assert_int_equal(killed, theirs.pid);
	end_process(KILLED);
	assert_state("failed");
	assert_said("[QMP-LATE]");
}

static void test_start_again(void **state)
{
	(void)state;
	command(VM_EV_START);
	finding(DIAG_DEV_NONE, "the first time");
	end_process(STATUS_1);
	assert_state("failed");
	go_running();
	assert_string_equal(vm_look(0).why, "");
	end_process(STATUS_OK);
	assert_state("stopped");
}

static void test_start_while_going_down(void **state)
{
	(void)state;
	going_down = true;
	assert_non_null(command(VM_EV_START));
	assert_state("stopped");
	assert_int_equal(launches, 0);
}

/* --- CPUs --- */

static void test_pin(void **state)
{
	char wanted[64];

	(void)state;
	str_copy(config.vm[0].cpu_pin, sizeof(config.vm[0].cpu_pin), "2-3");
	config.vm[0].cpus = 2;
	command(VM_EV_START);
	assert_string_equal(pins, "");
	happen_ready();
	str_format(wanted, sizeof(wanted), "%d: 2-3", (int)theirs.pid);
	assert_string_equal(pins, wanted);
	assert_non_null(strstr(told(), "\"cont\""));
}

/* With another number of CPUs they share: the launcher has seen to it. */
static void test_pin_shared(void **state)
{
	(void)state;
	str_copy(config.vm[0].cpu_pin, sizeof(config.vm[0].cpu_pin), "2-3");
	config.vm[0].cpus = 3;
	go_running();
	assert_string_equal(pins, "");
}

static void test_pin_fails(void **state)
{
	(void)state;
	str_copy(config.vm[0].cpu_pin, sizeof(config.vm[0].cpu_pin), "2");
	pin_error = ENOENT;
	go_running();
	assert_said("pin virtual CPUs to 2: No such file or directory [VCPU-PIN]");
	end_process(STATUS_OK);
	assert_state("stopped");
}

/* --- the others --- */

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(vm_find("demo"), 0);
	assert_int_equal(vm_find("dem"), -1);
	assert_int_equal(vm_find(""), -1);
	assert_true(vm_exists(0));
	assert_false(vm_exists(1));
	assert_false(vm_exists(HV_VM_SLOTS));
}

static void test_reaped(void **state)
{
	(void)state;
	assert_false(vm_reaped(1, STATUS_OK));
	go_running();
	assert_false(vm_reaped(theirs.pid + 1, STATUS_OK));
	assert_state("running");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY("a start", test_start),
		STORY("events of a life", test_events),
		STORY("answers that do not mean ready", test_not_ready),
		STORY("memory is pinned", test_pinning),
		STORY("asking for its SMMUs", test_learn),
		STORY("no launcher", test_launch_error),
		STORY("a finding of the launcher", test_launcher_finding),
		STORY("a finding read at the end", test_late_report),
		STORY("a warning of the launcher", test_launcher_warning),
		STORY("no answer from QEMU", test_no_answer),
		STORY("a start after a failure", test_start_again),
		STORY("start while the machine goes down", test_start_while_going_down),
		STORY("a CPU for each virtual one", test_pin),
		STORY("CPUs that are shared", test_pin_shared),
		STORY("CPUs that cannot be had", test_pin_fails),
		STORY("names", test_names),
		STORY("other processes", test_reaped),
	};

	return cmocka_run_group_tests_name("vm", tests, NULL, NULL);
}
