/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Partitions by their UUID, and file systems that are mounted nowhere: only who has the descriptor
 * sees them, and they end with it. For children of PID 1; see sys.h for root.
 */
#ifndef HVINIT_SYS_ESP_H
#define HVINIT_SYS_ESP_H

#include <stdbool.h>
#include <stdint.h>

#include "sys.h"

enum { SYS_UUID = 40 };

struct sys_partition {
	char uuid[SYS_UUID];
	char node[SYS_NAME]; /* below /dev */
	unsigned number; /* in its table, from 1 */
	uint64_t first; /* block, of block_size bytes */
	uint64_t blocks;
	uint32_t block_size;
};

/* The partition with that UUID, in whatever case. -ENOENT: there is none; -EEXIST: there are two. */
int sys_partition_find(int root, const char *uuid, struct sys_partition *partition);

/*
 * Mounts a device's node (below /dev) and returns the folder at its top, which the caller owns
 * (close-on-exec); nothing on it is run, is a device or gives privileges. -EROFS: it is to be written
 * to and cannot be.
 */
int sys_mount_detached(const char *node, const char *type, bool writable);

#endif
