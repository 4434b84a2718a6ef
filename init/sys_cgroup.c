/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documentation/admin-guide/cgroup-v2.rst of Linux has the files. */
#include "sys_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/sched.h>

#include "sys.h"
#include "util.h"

#define CGROUPS "sys/fs/cgroup"
#define PARENT CGROUPS "/hvinit"

enum { PATH_SIZE = 96, EVENTS = 512 };

static void path_of(char path[PATH_SIZE], unsigned slot, const char *file)
{
	str_format(path, PATH_SIZE, PARENT "/vm%u/%s", slot, file);
}

/* The value of a line "key value". */
static unsigned value_of(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (; *text; text += *text == '\n') {
		if (strncmp(text, key, len) == 0 && text[len] == ' ')
			return (unsigned)strtoul(text + len, NULL, 10);
		text += strcspn(text, "\n");
	}
	return 0;
}

/* One at a time: with one that the kernel lacks, none of a list would be turned on. */
static void have_controllers(int root)
{
	static const char *const wanted[] = { "+cpu", "+pids", "+memory", "+cpuset" };

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		sys_write(root, CGROUPS "/cgroup.subtree_control", wanted[i]);
		sys_write(root, PARENT "/cgroup.subtree_control", wanted[i]);
	}
}

int sys_cgroup_make(int root, unsigned slot)
{
	char path[PATH_SIZE];
	int fd;

	if (mkdirat(root, PARENT, 0755) && errno != EEXIST)
		return -errno;
	have_controllers(root);
	path_of(path, slot, "");
	if (unlinkat(root, path, AT_REMOVEDIR) && errno != ENOENT)
		return -errno;
	if (mkdirat(root, path, 0755))
		return -errno;
	path_of(path, slot, "cgroup.events");
	fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

pid_t sys_cgroup_fork(int root, unsigned slot)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	_cleanup_fd_ int group = -1;
	char path[PATH_SIZE];
	long pid;

	path_of(path, slot, "");
	group = openat(root, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (group < 0)
		return -errno;
	args.cgroup = (unsigned)group;
	/*
	 * What fork() of a C library adds is for threads, of which PID 1 has none; but the child's
	 * library takes itself for PID 1's thread, so that raise() and abort() must not be used.
	 */
	pid = syscall(SYS_clone3, &args, sizeof(args));
	return pid < 0 ? -errno : (pid_t)pid;
}

int sys_cgroup_set(int root, unsigned slot, const char *file, const char *value)
{
	char path[PATH_SIZE];

	path_of(path, slot, file);
	return sys_write(root, path, value);
}

int sys_cgroup_kill(int root, unsigned slot)
{
	char path[PATH_SIZE];

	path_of(path, slot, "cgroup.kill");
	return sys_write(root, path, "1");
}

bool sys_cgroup_populated(int events)
{
	char text[EVENTS];
	ssize_t n = pread(events, text, sizeof(text) - 1, 0);

	if (n < 0)
		return false;
	text[n] = '\0';
	return value_of(text, "populated") != 0;
}

unsigned sys_cgroup_oom_kills(int root, unsigned slot)
{
	char path[PATH_SIZE];
	char text[EVENTS];

	path_of(path, slot, "memory.events");
	return sys_read(root, path, text, sizeof(text)) < 0 ? 0 : value_of(text, "oom_kill");
}
