/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threat: a guest that takes over QEMU. It then holds the devices and memory of its own VM, which
 * it had before, no privilege, and a room with nothing in it but what started it: docs/security.md.
 */
#include "confine.h"

#include <errno.h>
#include <grp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys_deny.h"

enum { NOFILE = 1024 };

static int limit(int resource, rlim_t value)
{
	const struct rlimit rlimit = { value, value };

	return setrlimit(resource, &rlimit);
}

/* Without this a file with capabilities could give some back, were there one in the image. */
static int drop_bounding_set(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			return -1;
	return 0;
}

const char *confine_self(const struct confine *confine)
{
	static const char *const writable[] = { "/dev/kvm", "/dev/null", NULL };
	static const gid_t kvm = CONFINE_KVM_GID;
	const char *step;

	/* A core file would hold the guest's memory. */
	if (limit(RLIMIT_CORE, 0) || limit(RLIMIT_NOFILE, NOFILE) ||
	    limit(RLIMIT_MEMLOCK, confine->memlock))
		return "set resource limits";
	step = sys_room_enter(confine->things, confine->count);
	if (step)
		return step;
	/* From here on: what stands in the room is for the user that it becomes. */
	umask(077);
	if (drop_bounding_set())
		return "drop the capability bounding set";
	if (setgroups(1, &kvm) || setresgid(confine->gid, confine->gid, confine->gid))
		return "change the group";
	/* Leaving uid 0 in all three also empties the capability sets. */
	if (setresuid(confine->uid, confine->uid, confine->uid))
		return "change the user";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return "set no_new_privs";
	if (setuid(0) == 0) {
		errno = EPERM;
		return "verify that root cannot be had again";
	}
	if (sys_deny_files(writable))
		return "deny files by Landlock";
	if (sys_deny_calls(false))
		return "deny system calls";
	return NULL;
}
