/* SPDX-License-Identifier: GPL-2.0-or-later */
/* musl has none of the newer mount calls: linux/mount.h has their numbers and flags. */
#include "sys_esp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/mount.h>

#include "sys_host.h"
#include "util.h"

enum { PATH_SIZE = 256, UEVENT_SIZE = 4096, SECTOR = 512 /* in which the kernel counts */ };

/* --- partitions --- */

struct search {
	int root;
	const char *uuid;
	struct sys_partition *partition;
	bool found;
};

static uint64_t read_number(int root, const char *name, const char *attr)
{
	char path[PATH_SIZE];
	char text[32];

	if (!str_format(path, sizeof(path), "sys/class/block/%s/%s", name, attr) ||
	    sys_read(root, path, text, sizeof(text)) < 0)
		return 0;
	return strtoull(text, NULL, 10);
}

static int look_at_block(void *arg, const char *name)
{
	struct search *search = arg;
	struct sys_partition *found = search->partition;
	char path[PATH_SIZE];
	char text[UEVENT_SIZE];
	char value[SYS_NAME];
	uint64_t block;

	if (!str_format(path, sizeof(path), "sys/class/block/%s/uevent", name) ||
	    sys_read(search->root, path, text, sizeof(text)) < 0 ||
	    !sys_uevent_value(text, "PARTUUID", value, sizeof(value)) ||
	    strcasecmp(value, search->uuid) != 0)
		return 0;
	if (search->found)
		return -EEXIST;
	search->found = true;
	if (!sys_uevent_value(text, "DEVNAME", found->node, sizeof(found->node)) ||
	    !sys_uevent_value(text, "PARTN", value, sizeof(value)))
		return -EINVAL;
	found->number = (unsigned)strtoul(value, NULL, 10);
	/* A partition's folder is in its disk's. */
	block = read_number(search->root, name, "../queue/logical_block_size");
	found->block_size = block >= SECTOR && block % SECTOR == 0 ? (uint32_t)block : SECTOR;
	found->first = read_number(search->root, name, "start") * SECTOR / found->block_size;
	found->blocks = read_number(search->root, name, "size") * SECTOR / found->block_size;
	return 0;
}

int sys_partition_find(int root, const char *uuid, struct sys_partition *partition)
{
	struct search search = { .root = root, .uuid = uuid, .partition = partition };
	int result;

	*partition = (struct sys_partition){ 0 };
	if (!str_copy(partition->uuid, sizeof(partition->uuid), uuid))
		return -ENAMETOOLONG;
	result = sys_names(root, "sys/class/block", look_at_block, &search);
	if (result)
		return result;
	return search.found ? 0 : -ENOENT;
}

/* --- file systems --- */

static int set_up(int fs, const char *source, bool writable)
{
	if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "source", source, 0) ||
	    (!writable && syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, "ro", NULL, 0)) ||
	    syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	return 0;
}

int sys_mount_detached(const char *node, const char *type, bool writable)
{
	static const unsigned flags = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	_cleanup_fd_ int fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
	_cleanup_fd_ int mount = -1;
	char source[PATH_SIZE];
	int error;
	int top;

	if (fs < 0)
		return -errno;
	if (!str_format(source, sizeof(source), "/dev/%s", node))
		return -ENAMETOOLONG;
	error = set_up(fs, source, writable);
	if (error)
		return error;
	mount = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC,
			     flags | (writable ? 0U : MOUNT_ATTR_RDONLY));
	if (mount < 0)
		return -errno;
	/* What fsmount() gives can be looked through, but is not open: nothing could be synced. */
	top = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return top < 0 ? -errno : top;
}
