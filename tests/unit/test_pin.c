/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which threads are virtual CPUs, and which of the host's CPUs each of them gets. */
#include "unit.h"

#include <errno.h>
#include <sched.h>

#include "fakesys.h"
#include "pin.h"

static int root = -1;
static char pins[256];
static pid_t refused; /* thread that the kernel does not move */

int __wrap_sched_setaffinity(pid_t thread, size_t size, const cpu_set_t *set);

int __wrap_sched_setaffinity(pid_t thread, size_t size, const cpu_set_t *set)
{
	assert_int_equal(size, sizeof(*set));
	str_format(pins + strlen(pins), sizeof(pins) - strlen(pins), "%d:", (int)thread);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, set))
			str_format(pins + strlen(pins), sizeof(pins) - strlen(pins), "%u,", cpu);
	str_format(pins + strlen(pins), sizeof(pins) - strlen(pins), " ");
	errno = EINVAL;
	return thread == refused ? -1 : 0;
}

static void thread(const char *id, const char *name)
{
	char path[64];

	str_format(path, sizeof(path), "proc/100/task/%s/comm", id);
	fakesys_file(root, path, name);
}

static int setup(void **state)
{
	(void)state;
	pins[0] = '\0';
	refused = -1;
	root = fakesys_new();
	thread("100", "qemu-system-aar\n");
	thread("101", "CPU 0/KVM\n");
	thread("102", "CPU 1/KVM\n");
	thread("103", "IO mon_iothread\n");
	thread("104", "CPU x/KVM\n");
	thread("105", "CPU 0/TCG\n");
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static int pin(const char *list)
{
	struct cpulist cpus;

	assert_true(cpulist_parse(list, &cpus));
	return pin_vcpus(root, 100, &cpus);
}

static void assert_pinned(const char *part)
{
	if (!strstr(pins, part))
		fail_msg("\"%s\" is not in \"%s\"", part, pins);
}

static void test_one_each(void **state)
{
	(void)state;
	assert_int_equal(pin("3,70"), 0);
	assert_pinned("101:3, ");
	assert_pinned("102:70, ");
	assert_int_equal(strlen(pins), strlen("101:3, 102:70, "));
}

static void test_too_few(void **state)
{
	(void)state;
	assert_int_equal(pin("3"), -ENOENT);
}

static void test_too_many(void **state)
{
	(void)state;
	assert_int_equal(pin("3-5"), -ENOENT);
}

static void test_refused(void **state)
{
	(void)state;
	refused = 102;
	assert_int_equal(pin("3-4"), -EINVAL);
}

static void test_gone(void **state)
{
	struct cpulist cpus = { 0 };

	(void)state;
	assert_int_equal(pin_vcpus(root, 999, &cpus), -ENOENT);
}

static void test_self(void **state)
{
	struct cpulist cpus;

	(void)state;
	assert_true(cpulist_parse("0-1,1023", &cpus));
	assert_int_equal(pin_self(&cpus), 0);
	assert_string_equal(pins, "0:0,1,1023, ");
	refused = 0;
	assert_int_equal(pin_self(&cpus), -EINVAL);
}

#define PIN_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PIN_CASE("one CPU each", test_one_each),
		PIN_CASE("fewer CPUs than virtual ones", test_too_few),
		PIN_CASE("more CPUs than virtual ones", test_too_many),
		PIN_CASE("the kernel refuses", test_refused),
		PIN_CASE("no such process", test_gone),
		PIN_CASE("itself", test_self),
	};

	return cmocka_run_group_tests_name("pin", tests, NULL, NULL);
}
