/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walls around a VM's QEMU that not every kernel can give. */
#ifndef HVINIT_WALL_H
#define HVINIT_WALL_H

#include <stdint.h>
#include <sys/types.h>

#include "kernel.h"

enum wall {
#define WALL(id, name, symbol) WALL_##id,
#include "wall.def"
#undef WALL
	WALLS
};

enum { WALL_NAMES = 96 }; /* bytes that the names of all take */

/* A set of walls: bit 1 << wall. */
typedef unsigned wall_set;

/* What stands around a QEMU. */
struct confined {
	uid_t user; /* 0: none was started yet */
	wall_set missing; /* walls that this kernel could not give */
	unsigned denied_calls; /* system calls that its seccomp filter refuses */
	unsigned landlock_abi; /* 0: none */
	uint64_t memlock; /* bytes that it may lock */
	uint64_t memory_max; /* bytes that its control group may have */
	uint64_t tasks_max; /* threads in its control group */
};

const char *wall_name(enum wall wall);
/* What the kernel must have been built with; KERNEL_SYMBOLS: nothing of its configuration. */
enum kernel_symbol wall_symbol(enum wall wall);
/* Their names, with commas. */
const char *wall_names(wall_set set, char text[WALL_NAMES]);

#endif
