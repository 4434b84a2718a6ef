/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes in over a VM's channels while it runs, and how they close. */
#include "unit.h"

#include "fakeqemu.h"

/* --- QEMU's words --- */

/* QEMU goes on after some words: they are told once, and are no reason for its end. */
static void test_warnings(void **state)
{
	(void)state;
	go_running();
	words("qemu-system-aarch64: warning: IOMMU_IOAS_MAP failed: Bad add");
	assert_null(strstr(said, "MAP-EFAULT"));
	words("ress, PCI BAR?\nqemu-system-aarch64: Failed to attach GBPA hwpt 6 for hiodi\n");
	assert_said("[MAP-EFAULT]");
	assert_said("[ATTACH-FAIL]");
	said[0] = '\0';
	words("qemu-system-aarch64: warning: IOMMU_IOAS_MAP failed: Bad address, PCI BAR?\n");
	assert_null(strstr(said, "MAP-EFAULT"));
	end_process(STATUS_OK);
	assert_state("stopped");
	go_running();
	words("qemu-system-aarch64: warning: IOMMU_IOAS_MAP failed: Bad address, PCI BAR?\n");
	assert_said("[MAP-EFAULT]");
}

/* A warning is found behind a line that is longer than what is looked at in one go. */
static void test_warning_after_long_line(void **state)
{
	char part[1000];

	(void)state;
	memset(part, 'x', sizeof(part) - 1);
	part[sizeof(part) - 1] = '\0';
	go_running();
	for (unsigned i = 0; i < 9; i++)
		words(part);
	words("\nqemu-system-aarch64: Device 0x100: Failed to install STE\n");
	assert_said("[ATTACH-FAIL]");
}

/* --- QMP --- */

static void test_garbage(void **state)
{
	(void)state;
	go_running();
	qmp("nonsense");
	assert_said("[QMP-BAD]");
	assert_state("running");
	end_process(STATUS_OK);
	assert_state("stopped");
}

/* Whoever owns QEMU must not be able to fill the log. */
static void test_much_garbage(void **state)
{
	(void)state;
	go_running();
	for (unsigned i = 0; i < 500; i++)
		qmp("nonsense");
	assert_in_range(times_said("QMP-BAD"), 1, 20);
}

/* Messages that are well formed, but far too many. */
static void test_many_messages(void **state)
{
	(void)state;
	learned = 0;
	config.vm[0].hang_timeout = 30;
	go_running();
	for (unsigned i = 0; i < 2000; i++) {
		qmp("{\"event\": \"STOP\"}");
		qmp("{\"event\": \"RESUME\"}");
	}
	assert_in_range(times_said("paused"), 1, 300);
	assert_said("messages were skipped");
	assert_in_range(learned, 0, 1);
}

static void test_lost_monitor(void **state)
{
	(void)state;
	go_running();
	happen_lost();
	assert_state("running");
	assert_true(timer_ms > 0);
	happen_timeout();
	assert_state("stopping");
	assert_said("closed its monitor and runs on");
	end_process(KILLED);
	assert_state("failed");
}

/* The usual end: the monitor closes a moment before the process is reaped. */
static void test_monitor_closes_first(void **state)
{
	(void)state;
	go_running();
	qmp("{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-shutdown\"}}");
	happen_lost();
	end_process(STATUS_OK);
	assert_state("stopped");
	assert_string_equal(vm_look(0).why, "guest-shutdown");
	assert_int_equal(timer_ms, 0);
}

/* --- the guest's console --- */

static void test_echo(void **state)
{
	(void)state;
	config.vm[0].console_echo = true;
	go_running();
	write_all(theirs.serial, "\033[31mhel", 8);
	wake(SERIAL);
	assert_null(strstr(said, "demo| "));
	write_all(theirs.serial, "lo\r\n\a\nlast", 11);
	wake(SERIAL);
	assert_said("] demo| hello\n");
	assert_null(strstr(said, "] demo| \n")); /* empty lines are left out */
	end_process(STATUS_OK);
	assert_said("] demo| last\n");
}

/* Without echo it is for those who have its console before them. */
static void test_no_echo(void **state)
{
	(void)state;
	go_running();
	write_all(theirs.serial, "hello\n", 6);
	wake(SERIAL);
	assert_null(strstr(said, "hello"));
	assert_int_equal(guest_printed, 1);
	assert_true(vm_console(0)->total >= 6);
}

static void test_echo_of_a_long_line(void **state)
{
	char line[1000];

	(void)state;
	config.vm[0].console_echo = true;
	go_running();
	memset(line, 'x', sizeof(line));
	write_all(theirs.serial, line, sizeof(line));
	wake(SERIAL);
	assert_said("demo| xxxxxxxx");
	assert_true(strlen(said) < 2 * sizeof(line));
}

static void test_type(void **state)
{
	char text[8];

	(void)state;
	assert_false(vm_type(0, "x", 1));
	go_running();
	assert_true(vm_type(0, "abc", 3));
	assert_int_equal(read(theirs.serial, text, sizeof(text)), 3);
	while (vm_type(0, said, 64))
		;
	assert_state("running");
}

/* --- all of them --- */

/* QEMU closes one channel after the other; each must be noticed once and for all. */
static void test_closed_channels(void **state)
{
	(void)state;
	go_running();
	close(theirs.qmp);
	close(theirs.serial);
	close(theirs.words);
	close(theirs.report);
	theirs.qmp = theirs.serial = theirs.words = theirs.report = -1;
	for (unsigned i = 0; i < CGROUP; i++) {
		wake(i);
		assert_int_equal(channels[i]->fd, -1);
	}
	assert_state("running");
	end_process(STATUS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY("QEMU warns in words that are known", test_warnings),
		STORY("QEMU warns after a long line", test_warning_after_long_line),
		STORY("garbage on QMP", test_garbage),
		STORY("much garbage on QMP", test_much_garbage),
		STORY("many messages", test_many_messages),
		STORY("the monitor is lost", test_lost_monitor),
		STORY("the monitor closes first", test_monitor_closes_first),
		STORY("echo", test_echo),
		STORY("no echo while its console is on the screen", test_no_echo),
		STORY("echo of a long line", test_echo_of_a_long_line),
		STORY("typing", test_type),
		STORY("channels close", test_closed_channels),
	};

	return cmocka_run_group_tests_name("vm_io", tests, NULL, NULL);
}
