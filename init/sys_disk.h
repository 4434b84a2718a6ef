/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest's disk is on the host: a file, or a part of a block device; see sys.h for root. */
#ifndef HVINIT_SYS_DISK_H
#define HVINIT_SYS_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SYS_BLOCK = 24 };

struct sys_disk {
	bool block;
	char number[SYS_BLOCK]; /* "259:1": the block device, or the one that the file lies on */
	uint64_t inode; /* of a file */
};

/* What path is. -ENOENT: there is no such thing; -EINVAL: it is neither a file nor a block device. */
int sys_disk_look(int root, const char *path, struct sys_disk *disk);

/* Whether the path is one of a device, which only a machine has. */
bool sys_disk_is_node(const char *path);

/* Reads the beginning of it; the number of bytes read, which is less at its end. */
ssize_t sys_disk_head(int root, const char *path, void *buf, size_t size);

/* Sectors first to first + count - 1 of a whole disk. */
struct sys_extent {
	char disk[SYS_BLOCK]; /* its number */
	uint64_t first;
	uint64_t count;
};

/*
 * Calls each for every part of a disk that the block device is made of, those below a RAID or a
 * mapped device included, until it returns non-zero, and returns that. The block device is named
 * as in sys_facts.h.
 */
int sys_extent_each(int root, const char *block,
		    int (*each)(void *arg, const struct sys_extent *extent), void *arg);

/* The file behind a loop device, as an absolute path; -ENOENT when it is none. */
int sys_loop_file(int root, const char *block, char *path, size_t size);

#endif
