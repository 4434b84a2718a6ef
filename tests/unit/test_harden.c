/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What PID 1 gives up, in a child that is root as it is; else it skips. */
#include "unit.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/capability.h>

#include "harden.h"
#include "sys_sysctl.h"

static int scope_error; /* what the kernel answers about tracing */

int __wrap_sys_ptrace_for_root(void);
int __wrap_sys_memfd_noexec(void);

int __wrap_sys_memfd_noexec(void)
{
	return 0;
}

/* Of the whole machine: not for a test. */
int __wrap_sys_ptrace_for_root(void)
{
	return scope_error;
}

static bool has(int cap)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	syscall(SYS_capget, &header, data);
	return data[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap);
}

/* The status of a child that hardens itself: 0, or what is wrong. */
static int in_child(int (*look)(const char *failed))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(look(harden_self()));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int look_all(const char *failed)
{
	if (failed)
		return 1;
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 2;
	if (has(CAP_SYS_RAWIO) || has(CAP_SETFCAP) || has(CAP_CHECKPOINT_RESTORE))
		return 3;
	if (prctl(PR_CAPBSET_READ, CAP_SYS_RAWIO, 0, 0, 0))
		return 4;
	/* What launchers need. */
	return has(CAP_SETPCAP) && has(CAP_SETUID) && has(CAP_SETGID) ? 0 : 5;
}

static void test_all(void **state)
{
	(void)state;
	if (!has(CAP_SETPCAP) || !has(CAP_SETUID)) {
		print_message("SKIP: run the tests as root to see capabilities being dropped\n");
		skip();
	}
	scope_error = 0;
	assert_int_equal(in_child(look_all), 0);
	scope_error = -ENOENT;
	assert_int_equal(in_child(look_all), 0);
}

static int look_refused(const char *failed)
{
	if (!failed || errno != EPERM || strcmp(failed, "restrict tracing") != 0)
		return 1;
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 2;
}

/* One part that fails keeps no other from being done, and is told. */
static void test_refused(void **state)
{
	(void)state;
	scope_error = -EPERM;
	assert_int_equal(in_child(look_refused), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("nothing unneeded is left", test_all, NULL),
		CASE("what fails is told", test_refused, NULL),
	};

	return cmocka_run_group_tests_name("harden", tests, NULL, NULL);
}
