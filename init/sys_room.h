/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The empty room: a root file system for one process, in namespaces of its own, in which there is what
 * it has to open by its path, and nothing else. For launchers, as root, before they give that up.
 */
#ifndef HVINIT_SYS_ROOM_H
#define HVINIT_SYS_ROOM_H

#include <stdbool.h>

/* One thing that is in the room at the path that it has outside: a file, a folder, or a device. */
struct room_thing {
	const char *path; /* absolute */
	bool is_program; /* it, or what is in it, may be executed */
	bool is_device; /* a device node that is one inside, too, and may be written to */
	bool may_lack; /* where it is not there, the room goes without */
};

/* What of the machine's a process can leave for one of its own, with nothing in it. */
enum sys_room_of { SYS_ROOM_IPC, SYS_ROOM_UTS, SYS_ROOM_NET };

/* 0, or -1 with errno set; EINVAL: the kernel was built without such namespaces. */
int sys_room_leave(enum sys_room_of what);

/* The first step of sys_room_enter(): when it fails, nothing has changed. */
#define SYS_ROOM_NAMESPACE "have a mount namespace"

/*
 * Leaves the mount namespace of the machine for a new one, makes a room with things in it, and
 * enters it: "/" is the room from then on, and there is no way back for a process that has no
 * capability. What was open stays open. Everything is read-only but devices. Returns NULL, or the
 * name of the step that failed with errno set: then the process must not go on.
 */
const char *sys_room_enter(const struct room_thing *things, unsigned count);

#endif
