/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings of the running kernel's, which PID 1 makes at boot. Each returns 0 or a negative errno;
 * -ENOENT: this kernel has no such setting.
 */
#ifndef HVINIT_SYS_SYSCTL_H
#define HVINIT_SYS_SYSCTL_H

/* From now on no key behind a break on a serial line does anything to the kernel: noise looks like that. */
int sys_sysrq_off(void);

/* From now on only who has CAP_SYS_PTRACE can trace a process, or take its descriptors (Yama). */
int sys_ptrace_for_root(void);

/* From now on files in memory are no programs unless they are made to be (Linux 6.3). */
int sys_memfd_noexec(void);

#endif
