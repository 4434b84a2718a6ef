/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written to a VM's control group, in a folder that looks like the kernel's. */
#include "unit.h"

#include <errno.h>

#include "fakesys.h"
#include "limit.h"
#include "manifest.h"
#include "sys.h"

#define GROUP "sys/fs/cgroup/hvinit/vm2/"

static struct config config;
static struct facts facts;
static struct plan plan;
static int root = -1;

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	str_copy(config.vm[2].name, sizeof(config.vm[2].name), "demo");
	root = fakesys_new();
	fakesys_file(root, GROUP "memory.max", "");
	fakesys_file(root, GROUP "pids.max", "");
	fakesys_file(root, GROUP "cpu.weight", "");
	fakesys_file(root, GROUP "cpuset.cpus", "");
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static wall_set limited(void)
{
	wall_set missing = 0;

	plan_vm(&config, 2, &facts, &plan);
	assert_null(limit_vm(root, &plan, &missing));
	return missing;
}

static void assert_file(const char *path, const char *text)
{
	char now[64];

	assert_true(sys_read(root, path, now, sizeof(now)) >= 0);
	assert_string_equal(now, text);
}

static void test_all(void **state)
{
	(void)state;
	config.vm[2].memory_mib = 1000;
	config.vm[2].overhead_mib = 24;
	config.vm[2].cpu_weight = 250;
	str_copy(config.vm[2].cpu_pin, sizeof(config.vm[2].cpu_pin), "4-7,9");
	assert_int_equal(limited(), 0);
	assert_file(GROUP "memory.max", "1073741824");
	assert_file(GROUP "pids.max", "129");
	assert_file(GROUP "cpu.weight", "250");
	assert_file(GROUP "cpuset.cpus", "4-7,9");
}

/* Who may use all CPUs needs no controller for them. */
static void test_any_cpu(void **state)
{
	(void)state;
	fakesys_remove(root, GROUP "cpuset.cpus");
	assert_int_equal(limited(), 0);
	str_copy(config.vm[2].cpu_pin, sizeof(config.vm[2].cpu_pin), "1");
	assert_int_equal(limited(), 1U << WALL_CPUS);
}

static void test_no_controller(void **state)
{
	(void)state;
	fakesys_remove(root, GROUP "pids.max");
	assert_int_equal(limited(), 1U << WALL_TASKS);
	fakesys_remove(root, GROUP "memory.max");
	fakesys_remove(root, GROUP "cpu.weight");
	assert_int_equal(limited(), 1U << WALL_TASKS | 1U << WALL_MEMORY | 1U << WALL_WEIGHT);
}

/* A kernel that refuses a value is no kernel that lacks the controller. */
static void test_refused(void **state)
{
	wall_set missing = 0;

	(void)state;
	fakesys_remove(root, GROUP "pids.max");
	fakesys_file(root, GROUP "pids.max/in the way", "");
	plan_vm(&config, 2, &facts, &plan);
	assert_string_equal(limit_vm(root, &plan, &missing), "pids.max");
	assert_int_equal(errno, EISDIR);
	assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_any_cpu, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_controller, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
