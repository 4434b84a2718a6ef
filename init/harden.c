/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capabilities(7); Documentation/admin-guide/LSM/Yama.rst of Linux. */
#include "harden.h"

#include <errno.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/capability.h>

#include "sys_sysctl.h"
#include "util.h"

/*
 * A list of what is dropped, and not of what is kept, for the same reason as sys_deny.c's: a kernel
 * that asks for another one in a place nobody has tried must not take the machine down.
 */
static const unsigned char unneeded[] = {
	CAP_AUDIT_CONTROL, CAP_AUDIT_READ, CAP_AUDIT_WRITE,
	CAP_BLOCK_SUSPEND, CAP_BPF,	   CAP_CHECKPOINT_RESTORE,
	CAP_IPC_OWNER,	   CAP_LEASE,	   CAP_MAC_ADMIN,
	CAP_MAC_OVERRIDE,  CAP_PERFMON,	   CAP_NET_BIND_SERVICE,
	CAP_NET_BROADCAST, CAP_SETFCAP,	   CAP_SYS_PACCT,
	CAP_SYS_RAWIO,	   CAP_WAKE_ALARM,
};

/* What is not in the bounding set cannot come back by execve(). */
static int drop_bounding(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(unneeded); i++)
		if (prctl(PR_CAPBSET_DROP, unneeded[i], 0, 0, 0) && errno != EINVAL)
			return -1;
	return 0;
}

static int drop_own(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, data))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(unneeded); i++) {
		struct __user_cap_data_struct *half = &data[CAP_TO_INDEX(unneeded[i])];

		half->effective &= ~CAP_TO_MASK(unneeded[i]);
		half->permitted &= ~CAP_TO_MASK(unneeded[i]);
		half->inheritable &= ~CAP_TO_MASK(unneeded[i]);
	}
	return (int)syscall(SYS_capset, &header, data);
}

/* A kernel that has no such file needs nothing, or cannot be helped. */
static int set(int error)
{
	errno = -error;
	return error && error != -ENOENT ? -1 : 0;
}

/* Of the first part that fails, the name and errno are kept. */
struct failure {
	const char *part;
	int error;
};

static void note(struct failure *failure, int result, const char *part)
{
	if (result && !failure->part)
		*failure = (struct failure){ part, errno };
}

const char *harden_self(void)
{
	struct failure failure = { 0 };

	note(&failure, prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "let nobody look into it");
	/* Without Yama, VMs' users cannot trace anybody else's processes either. */
	note(&failure, set(sys_ptrace_for_root()), "restrict tracing");
	note(&failure, set(sys_memfd_noexec()), "have no programs in memory files");
	note(&failure, drop_bounding() || drop_own(), "drop capabilities that nothing needs");
	errno = failure.error;
	return failure.part;
}
