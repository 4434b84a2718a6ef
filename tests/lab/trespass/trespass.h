/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Attempts to get out of the room; trespass.def lists them. */
#ifndef HVINIT_TRESPASS_H
#define HVINIT_TRESPASS_H

#include <errno.h>
#include <sys/types.h>

/*
 * Each returns 0 when it succeeded, or a negative errno. It is called in a child of its own, so that it
 * may leave anything behind in that process, but nothing outside.
 */
#define KIND(title)
#define ATTEMPT(name, error, layer, what) int try_##name(void);
#define LOOK(name, path) ATTEMPT(name, ENOENT, ROOM, path)
#include "trespass.def"
#undef ATTEMPT
#undef LOOK

#define FIRMWARE "/usr/share/qemu-efi-aarch64/QEMU_EFI.fd"

/* What the test has put on the machine: a partition with a header for swapping. */
#define SWAP "/dev/vda1"

/* What succeeds, be it with a descriptor or a number, has no errno. */
static inline int outcome(long result)
{
	return result < 0 ? -errno : 0;
}

/*
 * Leaves behind, in a child that goes on, what others than a VM's QEMU could have: a socket with an
 * abstract name, and System V IPC.
 */
int others_begin(void);

/* Mounts of this process's own, which it could make anything of: the beginning of most that root does. */
int own_mounts(void);

#endif
