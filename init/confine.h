/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is taken from a launcher before it becomes QEMU. */
#ifndef HVINIT_CONFINE_H
#define HVINIT_CONFINE_H

#include <stdint.h>
#include <sys/types.h>

#include "sys_room.h"
#include "wall.h"

/* VM slot n runs as user and group CONFINE_UID + n; the KVM device belongs to CONFINE_KVM_GID. */
enum { CONFINE_UID = 64000, CONFINE_KVM_GID = 63999 };

struct confine {
	uid_t uid;
	gid_t gid;
	uint64_t memlock; /* bytes */
	bool io_uring; /* a disk wants it */
	const struct room_thing *things; /* what it finds at its paths */
	unsigned count;
};

/* What has come of it. */
struct confine_result {
	wall_set missing; /* walls that this kernel cannot give */
	int listener; /* see sys_deny_calls(); the caller owns it; -1: there is none */
};

/*
 * Gives up, for good, every privilege of the calling process, and puts up the walls around it. It
 * is for the caller to say whether the process may go on without those that are missing. Returns
 * NULL, or the name of the step that failed with errno set: then the process must not go on.
 */
const char *confine_self(const struct confine *confine, struct confine_result *result);

#endif
