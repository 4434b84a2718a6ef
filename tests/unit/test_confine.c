/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What QEMU is left with, as the kernel tells it. Needs root, as PID 1 has it; else it skips. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"

static struct confine confine = { .uid = 64003, .gid = 64003, .memlock = 768 << 20 };

/* setgid, setuid and setpcap (capability.h). */
enum { CAPS_NEEDED = 1 << 6 | 1 << 7 | 1 << 8 };

/* A value of /proc/self/status, or "". */
static const char *status(const char *key)
{
	static char line[256];
	FILE *file = fopen("/proc/self/status", "r");
	size_t len = strlen(key);

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, key, len) == 0 && line[len] == ':') {
			fclose(file);
			line[strcspn(line, "\n")] = '\0';
			return line + len + 1 + strspn(line + len + 1, "\t ");
		}
	if (file)
		fclose(file);
	return "";
}

static void expect(const char *key, const char *value)
{
	if (strcmp(status(key), value) == 0)
		return;
	fprintf(stderr, "%s is \"%s\", want \"%s\"\n", key, status(key), value);
	_exit(2);
}

static void expect_limit(const char *name, int resource, rlim_t value)
{
	struct rlimit now;

	if (getrlimit(resource, &now) == 0 && now.rlim_cur == value && now.rlim_max == value)
		return;
	fprintf(stderr, "%s is %llu\n", name, (unsigned long long)now.rlim_cur);
	_exit(3);
}

static void look_around(void)
{
	const char *step = confine_self(&confine);

	if (step) {
		fprintf(stderr, "cannot %s\n", step);
		_exit(1);
	}
	expect("Uid", "64003\t64003\t64003\t64003");
	expect("Gid", "64003\t64003\t64003\t64003");
	expect("Groups", "63999 ");
	expect("NoNewPrivs", "1");
	expect("CapInh", "0000000000000000");
	expect("CapPrm", "0000000000000000");
	expect("CapEff", "0000000000000000");
	expect("CapBnd", "0000000000000000");
	expect("CapAmb", "0000000000000000");
	expect_limit("RLIMIT_CORE", RLIMIT_CORE, 0);
	expect_limit("RLIMIT_MEMLOCK", RLIMIT_MEMLOCK, confine.memlock);
	if (umask(0) != 077 || setuid(0) == 0)
		_exit(4);
	_exit(0);
}

static void test_confined(void **state)
{
	struct rlimit now;
	int result;
	pid_t pid;

	(void)state;
	if ((strtoull(status("CapEff"), NULL, 16) & CAPS_NEEDED) != CAPS_NEEDED) {
		print_message("SKIP: run the tests as root to see privileges being given up\n");
		skip();
	}
	/* A root in a container may not raise limits. */
	if (getrlimit(RLIMIT_MEMLOCK, &now) == 0 && now.rlim_max < confine.memlock)
		confine.memlock = now.rlim_max;
	pid = fork();
	if (pid == 0)
		look_around();
	assert_int_equal(waitpid(pid, &result, 0), pid);
	assert_int_equal(result, 0);
}

/* Without privileges nothing can be given up: that must be told, not passed over. */
static void test_refused(void **state)
{
	const struct confine as_root = { .uid = 0, .gid = 0, .memlock = 0 };
	int result;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0)
		_exit(confine_self(&as_root) ? 0 : 1);
	assert_int_equal(waitpid(pid, &result, 0), pid);
	assert_int_equal(result, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("nothing is left", test_confined, NULL),
		CASE("to stay root is refused", test_refused, NULL),
	};

	return cmocka_run_group_tests_name("confine", tests, NULL, NULL);
}
