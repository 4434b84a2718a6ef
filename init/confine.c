/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threat: a guest that takes over QEMU. It then holds the devices and memory of its own VM, which
 * it had before, no privilege, and a room with nothing in it but what started it: docs/security.md.
 */
#include "confine.h"

#include <errno.h>
#include <grp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/securebits.h>

#include "sys.h"
#include "sys_deny.h"
#include "util.h"

enum { NOFILE = 1024 };

static int limit(int resource, rlim_t value)
{
	const struct rlimit rlimit = { value, value };

	return setrlimit(resource, &rlimit);
}

/* Whether a call failed because the kernel has no such thing: all else is a failure. */
static bool is_unknown(void)
{
	return errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL;
}

/* A wall that could not be put up is missing, or the end: then step is returned. */
static const char *put_up(enum wall wall, int result, const char *step, wall_set *missing)
{
	if (!result)
		return NULL;
	if (!is_unknown())
		return step;
	*missing |= 1U << wall;
	return NULL;
}

/* --- the room --- */

static const char *enter_room(const struct confine *confine, wall_set *missing)
{
	const char *step = sys_room_enter(confine->things, confine->count);

	if (!step || strcmp(step, SYS_ROOM_NAMESPACE) != 0)
		return step;
	return put_up(WALL_ROOT, -1, step, missing);
}

static const char *leave_machine(wall_set *missing)
{
	static const struct {
		enum wall wall;
		enum sys_room_of what;
	} spaces[] = {
		{ WALL_IPC, SYS_ROOM_IPC },
		{ WALL_UTS, SYS_ROOM_UTS },
		{ WALL_NET, SYS_ROOM_NET },
	};
	const char *step = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(spaces) && !step; i++)
		step = put_up(spaces[i].wall, sys_room_leave(spaces[i].what),
			      "leave the machine's namespaces", missing);
	return step;
}

/* --- privileges --- */

/* Without this a file with capabilities could give some back, were there one in the image. */
static int drop_bounding_set(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			return -1;
	return 0;
}

/*
 * User 0 means nothing any more. SECBIT_NO_SETUID_FIXUP stays off, and locked: by it, leaving user
 * 0 empties the capability sets.
 */
static int lock_securebits(void)
{
	return prctl(PR_SET_SECUREBITS,
		     SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |
			     SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
			     SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
		     0, 0, 0);
}

static const char *drop_privileges(const struct confine *confine)
{
	static const gid_t kvm = CONFINE_KVM_GID;

	if (lock_securebits())
		return "lock the securebits";
	if (drop_bounding_set())
		return "drop the capability bounding set";
	if (setgroups(1, &kvm) || setresgid(confine->gid, confine->gid, confine->gid))
		return "change the group";
	if (setresuid(confine->uid, confine->uid, confine->uid))
		return "change the user";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return "set no_new_privs";
	if (setuid(0) == 0) {
		errno = EPERM;
		return "verify that root cannot be had again";
	}
	return NULL;
}

/* --- the door to the kernel --- */

/* The last is the filter of system calls: what comes before it needs some of those. */
static const char *close_door(const struct confine *confine, struct confine_result *result)
{
	static const char *const writable[] = { SYS_DEV_KVM, SYS_DEV_NULL, NULL };
	const char *step =
		put_up(WALL_MDWE, sys_deny_new_code(), "deny new code", &result->missing);

	if (!step)
		step = put_up(WALL_LANDLOCK, sys_deny_files(writable), "deny files by Landlock",
			      &result->missing);
	if (!step)
		step = put_up(WALL_SECCOMP, sys_deny_calls(confine->io_uring, &result->listener),
			      "deny system calls", &result->missing);
	return step;
}

const char *confine_self(const struct confine *confine, struct confine_result *result)
{
	const char *step;

	*result = (struct confine_result){ .listener = -1 };
	/* A core file would hold the guest's memory. */
	if (limit(RLIMIT_CORE, 0) || limit(RLIMIT_NOFILE, NOFILE) ||
	    limit(RLIMIT_MEMLOCK, confine->memlock))
		return "set resource limits";
	step = enter_room(confine, &result->missing);
	if (!step)
		step = leave_machine(&result->missing);
	/* What the room is made of is for another user to read; what QEMU makes is for nobody else. */
	umask(077);
	if (!step)
		step = drop_privileges(confine);
	return step ? step : close_door(confine, result);
}
