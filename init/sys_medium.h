/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File systems on block devices, told by their labels: names that a partition table, an ISO 9660 or a
 * FAT file system gives. For children of PID 1; see sys.h for root. Only reads, and believes nothing.
 */
#ifndef HVINIT_SYS_MEDIUM_H
#define HVINIT_SYS_MEDIUM_H

#include <stdbool.h>

#include "sys.h"
#include "sys_disk.h"

struct sys_medium {
	char node[SYS_NAME]; /* below /dev */
	char disk[SYS_BLOCK]; /* number of the whole disk that it is, or is a part of */
	const char *type; /* "iso9660" or "vfat"; NULL: it carries the label, but is neither */
	bool whole; /* it is no partition */
};

/*
 * Calls each for every block device that carries the label, in whatever case, until it returns
 * non-zero, and returns that. FAT has room for eleven characters: there it is the first eleven of it.
 * skip, which is asked before anything of a device is read, can leave some out.
 */
int sys_medium_each(int root, const char *label, bool (*skip)(void *arg, const char *block),
		    int (*each)(void *arg, const struct sys_medium *medium), void *arg);

/*
 * Whether the FAT file system on a node (below /dev) was not unmounted in order: power has failed, or
 * somebody has it mounted. True when that cannot be read.
 */
bool sys_fat_is_dirty(int root, const char *node);

/*
 * The first of the blocks that a file has on its disk, as the file system counts them; 0: it has none,
 * or that cannot be told.
 */
unsigned sys_first_block(int fd);

#endif
