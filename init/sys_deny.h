/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is taken from a process at the door to the kernel, beside what QEMU takes from itself: system
 * calls that it has no use for (seccomp), and files, sockets and signals that are not its own
 * (Landlock). Both need no_new_privs, and are there for good, for all that it starts, too.
 */
#ifndef HVINIT_SYS_DENY_H
#define HVINIT_SYS_DENY_H

#include <stdbool.h>

/*
 * From now on those calls fail by EPERM: a list of what is denied, not of what is allowed, which learnt
 * in an emulation would end guests on the first error path of real hardware. io_uring is among them
 * unless allow_io_uring; of socket(), ioctl(), memfd_create() and seccomp() only some arguments are
 * denied. *listener tells of each such call, and sys_denied_next() answers it; the caller owns it
 * (close-on-exec), and it must not stay in the hands of whom it tells of; -1: this kernel cannot tell.
 * 0 or -1 with errno set.
 */
int sys_deny_calls(bool allow_io_uring, int *listener);

/*
 * Refuses the call that is being asked for when listener is ready to be read; does not block then.
 * Returns its number, or a negative errno: -ENOENT: who asked is gone.
 */
int sys_denied_next(int listener);
/* "reboot"; "?" for one that is not told of. */
const char *sys_call_name(int nr);

/* How many calls that are, those by their arguments apart. */
unsigned sys_denied_calls(bool allow_io_uring);

/*
 * From now on, and in what is executed, no mapping can be written to and executed at once, and none
 * that could be written to becomes executable (Linux 6.3). A file that is mapped twice gets around it.
 * 0 or -1 with errno set.
 */
int sys_deny_new_code(void);

/* The version of the kernel's Landlock; -1 with errno set: it has none. */
int sys_landlock_abi(void);

/*
 * From now on files can only be read and executed, but for those of writable (NULL ends the list),
 * which can be written to where they are; TCP ports can neither be bound nor connected to, and
 * processes outside get no signals, as far as this kernel's Landlock can. 0, or -1 with errno set;
 * ENOSYS or EOPNOTSUPP: the kernel has no Landlock.
 */
int sys_deny_files(const char *const writable[]);

#endif
