/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VM's QEMU has to open by its path; everything else comes to it as a descriptor. */
#ifndef HVINIT_ROOM_H
#define HVINIT_ROOM_H

#include "plan.h"
#include "sys_room.h"

enum { ROOM_THINGS = 12 };

/* Lists them. The paths are the plan's, or never change. Returns how many there are. */
unsigned room_furnish(const struct plan *plan, struct room_thing things[ROOM_THINGS]);

#endif
