/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opens what QEMU gets: devices, disks, taps, flash. A launcher's work, done as root, for QEMU as
 * its own user could open none of it.
 */
#ifndef HVINIT_OPEN_H
#define HVINIT_OPEN_H

#include <stdbool.h>

#include "argv.h"
#include "diag.h"

/* The numbers of argv.h at which something is open by now. */
struct opened {
	bool at[ARGV_FD_END];
};

/*
 * Moves a descriptor, which is gone then, to a number where it survives execve(). 0, or -1 with
 * errno set and fd still open.
 */
int open_put(int fd, int number);

/*
 * Opens everything that the plan's argv refers to and puts it there. False with findings when
 * something cannot be had: then the VM must not be started.
 */
bool open_all(int root, const struct config *config, const struct plan *plan, struct opened *opened,
	      struct diag *diag);

/* Closes every descriptor above 2 that opened does not name; keep stays open besides. */
int open_close_others(const struct opened *opened, int keep);

/*
 * Whether the caller has just those descriptors, keep, the three standard ones and fds, which is
 * sys_own_fds_open()'s: 0, or -1 with errno set; EBADF: there is another one.
 */
int open_verify(int fds, const struct opened *opened, int keep);

#endif
