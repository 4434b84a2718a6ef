/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control groups, in a folder that looks like the kernel's. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "fakesys.h"
#include "sys.h"
#include "sys_cgroup.h"

#define GROUP "sys/fs/cgroup/hvinit/vm3"

static int root = -1;

int __wrap_mkdirat(int dir, const char *path, mode_t mode);
int __real_mkdirat(int dir, const char *path, mode_t mode);

/* The kernel fills a new group with its files. */
int __wrap_mkdirat(int dir, const char *path, mode_t mode)
{
	int error = __real_mkdirat(dir, path, mode);

	if (!error && strstr(path, "/vm3")) {
		fakesys_file(dir, GROUP "/cgroup.events", "populated 0\nfrozen 0\n");
		fakesys_file(dir, GROUP "/cgroup.procs", "");
		fakesys_file(dir, GROUP "/cgroup.kill", "");
		fakesys_file(dir, GROUP "/memory.events", "low 0\noom 3\noom_kill 2\n");
	}
	return error;
}

static int setup(void **state)
{
	(void)state;
	root = fakesys_new();
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static void have_cgroups(void)
{
	fakesys_file(root, "sys/fs/cgroup/cgroup.subtree_control", "");
}

static void assert_file(const char *path, const char *text)
{
	char now[64];

	assert_true(sys_read(root, path, now, sizeof(now)) >= 0);
	assert_string_equal(now, text);
}

static void test_make(void **state)
{
	int events;

	(void)state;
	have_cgroups();
	events = sys_cgroup_make(root, 3);
	assert_true(events >= 0);
	assert_int_equal(fcntl(events, F_GETFD), FD_CLOEXEC);
	assert_file("sys/fs/cgroup/cgroup.subtree_control", "+cpuset"); /* the last */
	assert_false(sys_cgroup_populated(events));
	fakesys_file(root, GROUP "/cgroup.events", "populated 1\nfrozen 0\n");
	assert_true(sys_cgroup_populated(events));
	close(events);
	assert_false(sys_cgroup_populated(-1));
}

static void test_words(void **state)
{
	(void)state;
	have_cgroups();
	close(sys_cgroup_make(root, 3));
	assert_int_equal(sys_cgroup_kill(root, 3), 0);
	assert_file(GROUP "/cgroup.kill", "1");
	assert_int_equal(sys_cgroup_oom_kills(root, 3), 2);
}

/* A directory of another file system is none: that nothing is forked is all that can be seen here. */
static void test_fork(void **state)
{
	(void)state;
	have_cgroups();
	close(sys_cgroup_make(root, 3));
	assert_true(sys_cgroup_fork(root, 3) < 0);
}

/* A group that is not empty cannot be made anew. */
static void test_busy(void **state)
{
	(void)state;
	have_cgroups();
	close(sys_cgroup_make(root, 3));
	assert_int_equal(sys_cgroup_make(root, 3), -ENOTEMPTY);
}

static void test_none(void **state)
{
	(void)state;
	assert_int_equal(sys_cgroup_make(root, 3), -ENOENT);
	assert_int_equal(sys_cgroup_fork(root, 3), -ENOENT);
	assert_int_equal(sys_cgroup_kill(root, 3), -ENOENT);
	assert_int_equal(sys_cgroup_oom_kills(root, 3), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE("a group is made", test_make, setup, teardown, NULL),
		FIXTURE("a process is born in a group only", test_fork, setup, teardown, NULL),
		FIXTURE("joined, killed, counted", test_words, setup, teardown, NULL),
		FIXTURE("one that is in use", test_busy, setup, teardown, NULL),
		FIXTURE("no control groups", test_none, setup, teardown, NULL),
	};

	return cmocka_run_group_tests_name("sys_cgroup", tests, NULL, NULL);
}
