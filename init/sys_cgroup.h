/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A control group (v2) for each VM, so that all its processes can be killed in one go, so that
 * PID 1 is told when the last of them is gone, and so that a kill for want of memory is told from
 * others. See sys.h for root. PID 1 itself calls these: the kernel answers at once. Where there are
 * no control groups, as in a container, they return an error, and VMs go without.
 */
#ifndef HVINIT_SYS_CGROUP_H
#define HVINIT_SYS_CGROUP_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Makes the group of VM slot anew, with its counters at 0. Returns a descriptor of its
 * cgroup.events, for which EPOLLPRI means that it has changed; the caller owns it (close-on-exec).
 * A negative errno; -EBUSY: a process of an earlier start is still there.
 */
int sys_cgroup_make(int root, unsigned slot);

/*
 * Writes a number or a list to a file of the group ("memory.max"). 0 or a negative errno; -ENOENT: the
 * kernel has no such controller.
 */
int sys_cgroup_set(int root, unsigned slot, const char *file, const char *value);

/*
 * fork() into the group: the child is born there, and so is all that it will fork (Linux 5.7). To
 * write its number to cgroup.procs would make it wait until every CPU has been idle or in the
 * kernel once, for 10 ms and more. Returns as fork() does, but for a negative errno.
 */
pid_t sys_cgroup_fork(int root, unsigned slot);

/* Kills every process of the group, whatever it forks meanwhile (Linux 5.14). 0 or -errno. */
int sys_cgroup_kill(int root, unsigned slot);

/* Whether events, as sys_cgroup_make() gave it, says that a process is there; false: unknown. */
bool sys_cgroup_populated(int events);

/* How many of the group's processes the kernel has killed for want of memory; 0: unknown. */
unsigned sys_cgroup_oom_kills(int root, unsigned slot);

#endif
