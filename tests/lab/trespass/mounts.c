/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Another root, other mounts, other namespaces. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/sched.h>

#include "trespass.h"
#include "util.h"

/* mount(2)'s younger siblings: newer than the headers of the C library. */
enum {
	TREE_CLONE = 1,
	MOVE_EMPTY_PATH = 4, /* of the tree that is moved */
	FS_CREATE = 6,
	ATTR_READ_ONLY = 1,
};

struct attributes {
	uint64_t set;
	uint64_t clear;
	uint64_t propagation;
	uint64_t user;
};

#define PLACE "/run"

int own_mounts(void)
{
	return unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static int leave(int spaces)
{
	return outcome(unshare(spaces));
}

int try_unshare_mounts(void)
{
	return leave(CLONE_NEWNS);
}

int try_unshare_net(void)
{
	return leave(CLONE_NEWNET);
}

int try_unshare_ipc(void)
{
	return leave(CLONE_NEWIPC);
}

int try_unshare_uts(void)
{
	return leave(CLONE_NEWUTS);
}

int try_unshare_pids(void)
{
	return leave(CLONE_NEWPID);
}

int try_unshare_cgroup(void)
{
	return leave(CLONE_NEWCGROUP);
}

int try_unshare_time(void)
{
	return leave(CLONE_NEWTIME);
}

/* The filter of system calls cannot look into the arguments of this one. */
static int clone_into(uint64_t spaces)
{
	struct clone_args args = { .flags = spaces, .exit_signal = SIGCHLD };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	int error = outcome(pid);

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return error;
}

int try_clone_mounts(void)
{
	return clone_into(CLONE_NEWNS);
}

int try_clone_pids(void)
{
	return clone_into(CLONE_NEWPID);
}

/* A working directory outside the new root is the way out of it. */
int try_chroot(void)
{
	if (chroot("/usr") || chdir("../../.."))
		return -errno;
	return outcome(chroot("."));
}

static int mount_new(const char *type)
{
	own_mounts();
	return outcome(mount("trespass", PLACE, type, 0, NULL));
}

int try_mount(void)
{
	return mount_new("tmpfs");
}

int try_mount_proc(void)
{
	return mount_new("proc");
}

int try_remount(void)
{
	own_mounts();
	mount(PLACE, PLACE, NULL, MS_BIND, NULL);
	mount(NULL, PLACE, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
	return outcome(mount(NULL, PLACE, NULL, MS_BIND | MS_REMOUNT, NULL));
}

int try_umount(void)
{
	own_mounts();
	mount("trespass", PLACE, "tmpfs", 0, NULL);
	return outcome(umount2(PLACE, MNT_DETACH));
}

/* The root of an initramfs cannot be pivoted away from, but a root in it can. */
int try_pivot_root(void)
{
	own_mounts();
	if (!mount("trespass", PLACE, "tmpfs", 0, NULL) && !chroot(PLACE) && !chdir("/") &&
	    !mkdir("new", 0700) && !mount("trespass", "new", "tmpfs", 0, NULL))
		mkdir("new/old", 0700);
	return outcome(syscall(SYS_pivot_root, "new", "new/old"));
}

static int clone_tree(void)
{
	return (int)syscall(SYS_open_tree, AT_FDCWD, "/", TREE_CLONE);
}

int try_open_tree(void)
{
	_cleanup_fd_ int tree = clone_tree();

	return outcome(tree);
}

int try_move_mount(void)
{
	_cleanup_fd_ int tree = -1;

	own_mounts();
	tree = clone_tree();
	return outcome(syscall(SYS_move_mount, tree, "", AT_FDCWD, PLACE, MOVE_EMPTY_PATH));
}

int try_mount_setattr(void)
{
	static const struct attributes change = { .clear = ATTR_READ_ONLY };

	own_mounts();
	mount("trespass", PLACE, "tmpfs", MS_RDONLY, NULL);
	return outcome(syscall(SYS_mount_setattr, AT_FDCWD, PLACE, 0, &change, sizeof(change)));
}

int try_fsopen(void)
{
	_cleanup_fd_ int fs = (int)syscall(SYS_fsopen, "tmpfs", 0);
	_cleanup_fd_ int made = -1;

	if (fs < 0 || syscall(SYS_fsconfig, fs, FS_CREATE, NULL, NULL, 0))
		return -errno;
	made = (int)syscall(SYS_fsmount, fs, 0, 0);
	return outcome(made);
}
