/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How VMs end, and what is told and kept of that. */
#include "unit.h"

#include <errno.h>

#include "fakeqemu.h"

/* --- QEMU ends --- */

static void test_guest_shutdown(void **state)
{
	(void)state;
	go_running();
	qmp("{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": \"guest-shutdown\"}}");
	end_process(STATUS_OK);
	assert_state("stopped");
	assert_said("demo: stopped: guest-shutdown");
	assert_int_equal(guest_ended, 1);
	assert_int_equal(vm_active(), 0);
	assert_int_equal(vm_look(0).pid, 0);
}

static void test_crash(void **state)
{
	(void)state;
	go_running();
	end_process(SEGFAULT);
	assert_state("failed");
	assert_said("[QEMU-DIED]");
	assert_said("signal 11");
}

/* Two events: where it is now, and what has brought it there. */
static void test_crash_event(void **state)
{
	(void)state;
	go_running();
	happened[0] = '\0';
	end_process(SEGFAULT);
	assert_string_equal(happened, "vm demo failed running\n"
				      "end demo crash\n");
	happened[0] = '\0';
	command(VM_EV_START);
	end_process(STATUS_1);
	assert_string_equal(happened, "vm demo starting failed\n"
				      "vm demo failed starting\n"
				      "end demo launch\n");
}

static void test_killed_from_outside(void **state)
{
	(void)state;
	go_running();
	end_process(KILLED);
	assert_state("failed");
	assert_said("signal 9");
	assert_null(command(VM_EV_START));
	assert_state("starting");
}

static void test_launcher_dies(void **state)
{
	(void)state;
	command(VM_EV_START);
	end_process(STATUS_1);
	assert_string_equal(vm_look(0).why, "the launcher ended with status 1");
	command(VM_EV_START);
	end_process(SEGFAULT);
	assert_said("[LAUNCH-FAIL]");
	assert_said("the launcher was killed by signal 11");
	assert_state("failed");
}

static void test_died_silently(void **state)
{
	(void)state;
	go_running();
	end_process(3 << 8);
	assert_said("[QEMU-DIED]");
	assert_said("status 3");
}

static void test_other_reasons(void **state)
{
	(void)state;
	go_running();
	qmp("{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"host-qmp-quit\"}}");
	qmp("{\"event\": \"DEVICE_DELETED\", \"data\": {\"reason\": \"another\"}}");
	end_process(STATUS_OK);
	assert_string_equal(vm_look(0).why, "host-qmp-quit");
}

/* --- QEMU refuses --- */

static void test_refused(void **state)
{
	(void)state;
	command(VM_EV_START);
	happen_exec();
	words("qemu-system-aarch64: warning: something\n"
	      "qemu-system-aarch64: -device x: no such device\n\n");
	end_process(STATUS_1);
	assert_state("failed");
	assert_said("[QEMU-REFUSED]");
	assert_string_equal(vm_look(0).why, "QEMU: -device x: no such device");
}

static void test_no_nesting(void **state)
{
	(void)state;
	command(VM_EV_START);
	happen_exec();
	words("IOMMU_VIOMMU_ALLOC failed: Operation not supported\nvfio 0000:41:00.0: failed\n");
	end_process(STATUS_1);
	assert_said("[NO-NESTING]");
	assert_state("failed");
}

static void test_refusal_known(void **state)
{
	(void)state;
	command(VM_EV_START);
	happen_exec();
	words("qemu-system-aarch64: -device {\"driver\":\"x\",\"id\":\"iommu0\"}: "
	      "An iommu is already attached to this bus\n");
	end_process(STATUS_1);
	assert_said("[SMMU-TWICE]");
	assert_string_equal(vm_look(0).why,
			    "QEMU: iommu0: An iommu is already attached to this bus");
}

/* QEMU gives up by abort() where a guest has asked for the impossible. */
static void test_refusal_by_signal(void **state)
{
	(void)state;
	go_running();
	words("qemu: hardware error: vfio: DMA mapping failed, unable to continue\nCPU #0:\n");
	end_process(SEGFAULT);
	assert_said("[MAP-FAIL]");
	assert_said("signal 11");
	assert_said("unable to continue");
}

static void test_command_refused(void **state)
{
	(void)state;
	command(VM_EV_START);
	happen_exec();
	happen_ready();
	happen_refused();
	assert_said("[QEMU-REFUSED]");
	assert_state("stopping");
	end_process(KILLED);
	assert_state("failed");
}

/* Words of an earlier start must not explain a later end. */
static void test_old_words(void **state)
{
	(void)state;
	command(VM_EV_START);
	words("IOMMU_VIOMMU_ALLOC failed\n");
	end_process(STATUS_1);
	said[0] = '\0';
	go_running();
	end_process(STATUS_1);
	assert_said("[QEMU-DIED]");
	assert_null(strstr(said, "NO-NESTING"));
}

static void test_many_words(void **state)
{
	(void)state;
	command(VM_EV_START);
	happen_exec();
	for (unsigned i = 0; i < 400; i++)
		words("a line of some length, so that the log runs over, and over, and over\n");
	words("the last word\n");
	end_process(STATUS_1);
	assert_string_equal(vm_look(0).why, "QEMU: the last word");
}

/* --- how it ended, in the history --- */

static void shut_down(const char *reason)
{
	char line[128];

	str_format(line, sizeof(line), "{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"%s\"}}",
		   reason);
	qmp(line);
}

static void test_history(void **state)
{
	const struct history *history = vm_look(0).history;

	(void)state;
	go_running();
	clock_ms += 7000;
	shut_down("guest-shutdown");
	end_process(STATUS_OK);
	assert_ended("stopped", END_SHUTDOWN);
	assert_in_range(history_back(history, 0)->ran_ms, 7000, 7999);
	command(VM_EV_START);
	end_process(STATUS_1);
	assert_ended("failed", END_LAUNCH);
	assert_int_equal(history_back(history, 0)->ran_ms, 0);
	command(VM_EV_START);
	happen_exec();
	end_process(STATUS_1);
	assert_ended("failed", END_REFUSED);
	go_running();
	end_process(STATUS_1);
	assert_ended("failed", END_EXIT);
	go_running();
	end_process(SEGFAULT);
	assert_ended("failed", END_CRASH);
	go_running();
	command(VM_EV_STOP);
	end_process(STATUS_OK);
	assert_ended("stopped", END_STOPPED);
	go_running();
	command(VM_EV_KILL);
	end_process(KILLED);
	assert_ended("stopped", END_KILLED);
	launch_error = EAGAIN;
	command(VM_EV_START);
	assert_ended("failed", END_LAUNCH);
	assert_int_equal(history->count, 8);
	assert_int_equal(history->tally[END_LAUNCH], 2);
}

static void test_guest_may_not_shut_down(void **state)
{
	(void)state;
	config.vm[0].on_shutdown = VM_ON_SHUTDOWN_FAILED;
	go_running();
	shut_down("guest-shutdown");
	end_process(STATUS_OK);
	assert_ended("failed", END_SHUTDOWN);
	assert_said("[GUEST-ENDED]");
}

static void test_guest_reset(void **state)
{
	(void)state;
	go_running();
	qmp("{\"event\": \"RESET\", \"data\": {\"guest\": true, \"reason\": \"guest-reset\"}}");
	qmp("{\"event\": \"RESET\", \"data\": {\"guest\": true, \"reason\": \"guest-reset\"}}");
	qmp("{\"event\": \"RESET\", \"data\": {\"reason\": \"host-qmp-system-reset\"}}");
	assert_state("running");
	assert_int_equal(vm_look(0).history->resets, 2);
	assert_int_equal(times_said("has reset itself"), 1);
	shut_down("guest-reset");
	end_process(STATUS_OK);
	assert_ended("stopped", END_RESET);
	config.vm[0].on_reset = VM_ON_RESET_FAILED;
	go_running();
	shut_down("guest-reset");
	end_process(STATUS_OK);
	assert_ended("failed", END_RESET);
	assert_said("[GUEST-ENDED]");
}

static void test_guest_panic(void **state)
{
	(void)state;
	go_running();
	qmp("{\"event\": \"GUEST_PANICKED\", \"data\": {\"action\": \"poweroff\"}}");
	assert_said("demo: the guest's kernel has panicked");
	shut_down("guest-panic");
	end_process(STATUS_OK);
	assert_ended("failed", END_PANIC);
	assert_said("[GUEST-PANIC]");
}

/* A guest that is to be looked at stays, and its pause says why it was. */
static void test_guest_panic_paused(void **state)
{
	(void)state;
	go_running();
	qmp("{\"event\": \"GUEST_PANICKED\", \"data\": {\"action\": \"pause\"}}");
	happen_pause();
	assert_state("paused");
	assert_string_equal(vm_look(0).why, "guest-panicked");
	qmp("{\"return\": {\"status\": \"guest-panicked\"}, \"id\": \"paused\"}");
	assert_string_equal(vm_look(0).why, "guest-panicked");
	end_process(STATUS_OK);
}

static void test_io_error(void **state)
{
	(void)state;
	go_running();
	for (unsigned i = 0; i < 2; i++)
		qmp("{\"event\": \"BLOCK_IO_ERROR\", \"data\": {\"device\": \"disk0\"}}");
	happen_pause();
	qmp("{\"return\": {\"status\": \"io-error\"}, \"id\": \"paused\"}");
	assert_state("paused");
	assert_string_equal(vm_look(0).why, "io-error");
	assert_said("demo: a disk has failed");
	happen_resume();
	assert_state("running");
	qmp("{\"return\": {\"status\": \"io-error\"}, \"id\": \"paused\"}"); /* it comes late */
	assert_state("running");
	end_process(STATUS_OK);
}

static void test_guest_watchdog(void **state)
{
	(void)state;
	go_running();
	qmp("{\"event\": \"WATCHDOG\", \"data\": {\"action\": \"poweroff\"}}");
	end_process(STATUS_OK);
	assert_ended("failed", END_WATCHDOG);
	assert_said("[GUEST-WATCHDOG]");
	go_running();
	qmp("{\"event\": \"WATCHDOG\", \"data\": {\"action\": \"reset\"}}");
	qmp("{\"event\": \"RESET\", \"data\": {\"reason\": \"guest-reset\"}}");
	shut_down("guest-shutdown");
	end_process(STATUS_OK);
	assert_ended("stopped", END_SHUTDOWN);
}

/* In an appliance nobody has a reason to: a VM that is to be there comes back. */
static void test_host_signal(void **state)
{
	(void)state;
	go_running();
	shut_down("host-signal");
	end_process(STATUS_OK);
	assert_ended("failed", END_SIGNAL);
}

static void test_oom(void **state)
{
	(void)state;
	grouped = true;
	oom_kills = 1;
	go_running();
	end_process(KILLED);
	assert_ended("failed", END_OOM);
	assert_said("[OOM-KILL]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY("the guest shuts down", test_guest_shutdown),
		STORY("QEMU crashes", test_crash),
		STORY("events of a crash", test_crash_event),
		STORY("QEMU is killed from outside", test_killed_from_outside),
		STORY("the launcher dies", test_launcher_dies),
		STORY("QEMU dies silently", test_died_silently),
		STORY("reasons of other events", test_other_reasons),
		STORY("QEMU refuses", test_refused),
		STORY("no nesting", test_no_nesting),
		STORY("QEMU refuses in words that are known", test_refusal_known),
		STORY("QEMU refuses and aborts", test_refusal_by_signal),
		STORY("a command is refused", test_command_refused),
		STORY("words of an earlier start", test_old_words),
		STORY("more words than are kept", test_many_words),
		STORY("history", test_history),
		STORY("a guest that may not shut down", test_guest_may_not_shut_down),
		STORY("the guest resets itself", test_guest_reset),
		STORY("the guest panics", test_guest_panic),
		STORY("the guest panics and is kept", test_guest_panic_paused),
		STORY("a disk fails", test_io_error),
		STORY("the guest's watchdog bites", test_guest_watchdog),
		STORY("QEMU is told to end from outside", test_host_signal),
		STORY("out of memory", test_oom),
	};

	return cmocka_run_group_tests_name("vm_judge", tests, NULL, NULL);
}
