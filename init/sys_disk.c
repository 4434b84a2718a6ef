/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Block devices as /sys shows them: a folder for each, a partition's inside its disk's. */
#include "sys_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "sys.h"
#include "util.h"

enum { PATH_SIZE = 256, DEPTH = 8 };

static const char *below(const char *path)
{
	while (*path == '/')
		path++;
	return path;
}

int sys_disk_look(int root, const char *path, struct sys_disk *disk)
{
	struct stat st;
	dev_t number;

	memset(disk, 0, sizeof(*disk));
	if (fstatat(root, below(path), &st, 0))
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return -EINVAL;
	disk->block = S_ISBLK(st.st_mode);
	number = disk->block ? st.st_rdev : st.st_dev;
	disk->inode = disk->block ? 0 : st.st_ino;
	str_format(disk->number, sizeof(disk->number), "%u:%u", major(number), minor(number));
	return 0;
}

bool sys_disk_is_node(const char *path)
{
	return str_prefix(path, "/dev/");
}

ssize_t sys_disk_head(int root, const char *path, void *buf, size_t size)
{
	_cleanup_fd_ int fd = openat(root, below(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : pread(fd, buf, size, 0);

	return n < 0 ? -errno : n;
}

static bool block_path(const char *block, char path[PATH_SIZE])
{
	const char *base = strrchr(block, '/');

	return str_format(path, PATH_SIZE, "%s/%s",
			  strchr(block, ':') ? "sys/dev/block" : "sys/class/block",
			  base ? base + 1 : block);
}

static bool read_text(int root, const char *folder, const char *attr, char *text, size_t size)
{
	char path[PATH_SIZE + 32];

	return str_format(path, sizeof(path), "%s/%s", folder, attr) &&
	       sys_read(root, path, text, size) > 0;
}

static uint64_t read_number(int root, const char *folder, const char *attr)
{
	char text[32];

	return read_text(root, folder, attr, text, sizeof(text)) ? strtoull(text, NULL, 10) : 0;
}

struct walk {
	int root;
	unsigned depth;
	int (*each)(void *arg, const struct sys_extent *extent);
	void *arg;
};

static int walk_block(const struct walk *walk, const char *block);

static int walk_slave(void *arg, const char *name)
{
	return walk_block(arg, name);
}

static int walk_block(const struct walk *walk, const char *block)
{
	struct sys_extent extent = { .first = 0 };
	struct walk inner = *walk;
	char folder[PATH_SIZE];
	char path[PATH_SIZE + 32];
	bool part;
	int result;

	if (inner.depth++ == DEPTH || !block_path(block, folder))
		return 0;
	part = read_number(walk->root, folder, "partition") > 0;
	if (!read_text(walk->root, folder, part ? "../dev" : "dev", extent.disk,
		       sizeof(extent.disk)))
		return 0;
	extent.first = part ? read_number(walk->root, folder, "start") : 0;
	extent.count = read_number(walk->root, folder, "size");
	result = walk->each(walk->arg, &extent);
	if (result || !str_format(path, sizeof(path), "%s%s/slaves", folder, part ? "/.." : ""))
		return result;
	result = sys_names(walk->root, path, walk_slave, &inner);
	return result < 0 ? 0 : result;
}

int sys_extent_each(int root, const char *block,
		    int (*each)(void *arg, const struct sys_extent *extent), void *arg)
{
	const struct walk walk = { .root = root, .each = each, .arg = arg };

	return walk_block(&walk, block);
}

int sys_loop_file(int root, const char *block, char *path, size_t size)
{
	char folder[PATH_SIZE];

	if (!block_path(block, folder))
		return -ENAMETOOLONG;
	return read_text(root, folder, "loop/backing_file", path, size) ||
			       read_text(root, folder, "../loop/backing_file", path, size) ?
		       0 :
		       -ENOENT;
}
