/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documentation/admin-guide/sysctl and LSM/Yama.rst of Linux. */
#include "sys_sysctl.h"

#include <fcntl.h>

#include "sys.h"

static int set(const char *path, const char *value)
{
	return sys_write(AT_FDCWD, path, value);
}

int sys_sysrq_off(void)
{
	return set("/proc/sys/kernel/sysrq", "0");
}

int sys_ptrace_for_root(void)
{
	return set("/proc/sys/kernel/yama/ptrace_scope", "2");
}

int sys_memfd_noexec(void)
{
	return set("/proc/sys/vm/memfd_noexec", "1");
}
