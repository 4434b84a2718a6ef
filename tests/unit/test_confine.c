/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What QEMU is left with, as the kernel tells it. Needs root, as PID 1 has it; else it skips. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/seccomp.h>

#include "confine.h"
#include "sys_deny.h"

/* So that a test can look around. */
static const struct room_thing things[] = {
	{ .path = "/proc", .is_device = true },
	{ .path = "/dev/null", .is_device = true },
	{ .path = "/nowhere", .may_lack = true },
};
static struct confine confine = {
	.uid = 64003,
	.gid = 64003,
	.memlock = 768 << 20,
	.things = things,
	.count = ARRAY_SIZE(things),
};

/* setgid, setuid, setpcap, sys_chroot and sys_admin (capability.h). */
enum { CAPS_NEEDED = 1 << 6 | 1 << 7 | 1 << 8 | 1 << 18 | 1 << 21 };
enum { GET_MDWE = 66 };

/* What the kernel is made to answer; 0: it is asked. */
static int error_of[WALLS];

int __real_sys_deny_new_code(void);
int __wrap_sys_deny_new_code(void);
int __real_sys_deny_files(const char *const writable[]);
int __wrap_sys_deny_files(const char *const writable[]);
int __real_sys_deny_calls(bool allow_io_uring, int *listener);
int __wrap_sys_deny_calls(bool allow_io_uring, int *listener);
int __real_sys_room_leave(enum sys_room_of what);
int __wrap_sys_room_leave(enum sys_room_of what);
const char *__real_sys_room_enter(const struct room_thing *room, unsigned count);
const char *__wrap_sys_room_enter(const struct room_thing *room, unsigned count);

static bool fails(enum wall wall)
{
	errno = error_of[wall];
	return errno != 0;
}

int __wrap_sys_deny_new_code(void)
{
	return fails(WALL_MDWE) ? -1 : __real_sys_deny_new_code();
}

int __wrap_sys_deny_files(const char *const writable[])
{
	return fails(WALL_LANDLOCK) ? -1 : __real_sys_deny_files(writable);
}

int __wrap_sys_deny_calls(bool allow_io_uring, int *listener)
{
	return fails(WALL_SECCOMP) ? -1 : __real_sys_deny_calls(allow_io_uring, listener);
}

int __wrap_sys_room_leave(enum sys_room_of what)
{
	static const enum wall wall[] = { WALL_IPC, WALL_UTS, WALL_NET };

	return fails(wall[what]) ? -1 : __real_sys_room_leave(what);
}

const char *__wrap_sys_room_enter(const struct room_thing *room, unsigned count)
{
	return fails(WALL_ROOT) ? SYS_ROOM_NAMESPACE : __real_sys_room_enter(room, count);
}

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

/* The room has what was asked for, and nothing else; nobody can add to it. */
static void look_for_paths(void)
{
	if (access("/proc/self", F_OK) || access("/dev/null", W_OK))
		_exit(7);
	if (!access("/etc", F_OK) || !access("/usr/bin", F_OK) || !access("/dev/zero", F_OK))
		_exit(8);
	if (open("/new", O_CREAT | O_WRONLY, 0600) >= 0 || mkdir("/dev/new", 0700) == 0)
		_exit(9);
}

/* Who owns what tells of denied calls gives the answer: here another process, as PID 1 is one. */
static void look_for_calls(int listener)
{
	pid_t pid = listener < 0 ? -1 : fork();

	if (pid == 0)
		_exit(sys_denied_next(listener) == SYS_unshare ? 0 : 1);
	if (unshare(CLONE_NEWUTS) == 0 || errno != EPERM)
		_exit(10);
	if (pid > 0) {
		int status;

		if (waitpid(pid, &status, 0) != pid || status)
			_exit(11);
	}
}

/* Those that nobody has to answer for: without a listener, or of io_uring's kind. */
static void look_for_arguments(int listener)
{
	const struct sock_fprog none = { 0 };
	int fd = memfd_create("data", MFD_CLOEXEC);
	int bytes;

	if (fd < 0 || socket(AF_UNIX, SOCK_STREAM, 0) < 0)
		_exit(12);
	if (ioctl(fd, FIONREAD, &bytes) && errno == EPERM)
		_exit(18);
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
		    &none) >= 0 ||
	    errno != EPERM)
		_exit(13);
	/* From now on what is denied is so without an answer. */
	close(listener);
	if (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != ENOSYS)
		_exit(14);
	if (socket(AF_NETLINK, SOCK_RAW, 0) >= 0 || errno != ENOSYS)
		_exit(15);
	if (ioctl(0, TUNSETPERSIST, 1) == 0 || errno != ENOSYS)
		_exit(16);
	if (memfd_create("program", MFD_CLOEXEC | 0x10) >= 0 || errno != ENOSYS)
		_exit(17);
}

static void look_around(void)
{
	struct confine_result result;
	const char *step = confine_self(&confine, &result);

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
	if (!(result.missing & 1U << WALL_SECCOMP))
		expect("Seccomp", "2");
	if (!(result.missing & 1U << WALL_MDWE) && prctl(GET_MDWE, 0, 0, 0, 0) != 1)
		_exit(5);
	/* noroot and what locks it, no-setuid-fixup-locked, keep-caps-locked, no ambient, locked. */
	if (prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) != 0xeb)
		_exit(6);
	look_for_paths();
	look_for_calls(result.listener);
	if (result.listener >= 0)
		look_for_arguments(result.listener);
	expect_limit("RLIMIT_CORE", RLIMIT_CORE, 0);
	expect_limit("RLIMIT_MEMLOCK", RLIMIT_MEMLOCK, confine.memlock);
	if (umask(0) != 077 || setuid(0) == 0)
		_exit(4);
	_exit(0);
}

static void need_root(void)
{
	struct rlimit now;

	if ((strtoull(status("CapEff"), NULL, 16) & CAPS_NEEDED) != CAPS_NEEDED) {
		print_message("SKIP: run the tests as root to see privileges being given up\n");
		skip();
	}
	/* A root in a container may not raise limits. */
	if (getrlimit(RLIMIT_MEMLOCK, &now) == 0 && now.rlim_max < confine.memlock)
		confine.memlock = now.rlim_max;
}

static void test_confined(void **state)
{
	int result;
	pid_t pid;

	(void)state;
	need_root();
	pid = fork();
	if (pid == 0)
		look_around();
	assert_int_equal(waitpid(pid, &result, 0), pid);
	assert_int_equal(result, 0);
}

/* Without privileges nothing can be given up: that must be told, not passed over. */
static void test_refused(void **state)
{
	const struct confine as_root = { .things = things, .count = ARRAY_SIZE(things) };
	struct confine_result ignored;
	int result;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0)
		_exit(confine_self(&as_root, &ignored) ? 0 : 1);
	assert_int_equal(waitpid(pid, &result, 0), pid);
	assert_int_equal(result, 0);
}

/* In a child: 0 when just the walls of want are missing, 100 when a step has failed. */
static int missing_differs(wall_set want)
{
	struct confine_result confined;
	int result;
	pid_t pid = fork();

	if (pid == 0) {
		if (confine_self(&confine, &confined))
			_exit(100);
		/* An old kernel may lack more. */
		_exit((confined.missing & want) == want && getuid() == confine.uid ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &result, 0), pid);
	return WEXITSTATUS(result);
}

/* A kernel that has no such thing is told from one that refuses. */
static void test_missing(void **state)
{
	static const int unknown[] = { ENOSYS, EOPNOTSUPP, EINVAL };

	(void)state;
	need_root();
	for (unsigned wall = 0; wall <= WALL_MDWE; wall++) {
		error_of[wall] = unknown[wall % ARRAY_SIZE(unknown)];
		assert_int_equal(missing_differs(1U << wall), 0);
		error_of[wall] = EPERM;
		assert_int_equal(missing_differs(1U << wall), 100);
		error_of[wall] = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("nothing is left", test_confined, NULL),
		CASE("what the kernel lacks is told", test_missing, NULL),
		CASE("to stay root is refused", test_refused, NULL),
	};

	return cmocka_run_group_tests_name("confine", tests, NULL, NULL);
}
