/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ECMA-119 (ISO 9660), section 8.4; Microsoft's "FAT: General Overview of On-Disk Format", version
 * 1.03, "Boot Sector and BPB" and "FAT Directory Structure".
 */
#include "sys_medium.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "sys_host.h"
#include "util.h"

enum { PATH_SIZE = 256, UEVENT_SIZE = 4096 };

enum {
	ISO_AT = 32768,
	ISO_LABEL = 40,
	ISO_LABEL_SIZE = 32,
	ISO_SIZE = ISO_LABEL + ISO_LABEL_SIZE,
};

enum {
	SECTOR = 512,
	FAT_BYTES = 11,
	FAT_CLUSTER = 13,
	FAT_RESERVED = 14,
	FAT_COUNT = 16,
	FAT_SIZE16 = 22,
	FAT_SIZE32 = 36,
	FAT_ROOT = 44,
	FAT_STATE16 = 37,
	FAT_STATE32 = 65,
	FAT_DIRTY = 1,
	FAT_LABEL = 11,
	ENTRY = 32,
	ENTRY_ATTRIBUTES = 11,
	ATTRIBUTE_MASK = 0x3f,
	ATTRIBUTE_LABEL = 0x08,
	ATTRIBUTE_LONG = 0x0f,
	ENTRY_FREE = 0xe5,
};

static uint32_t number(const uint8_t *at, unsigned size)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < size; i++)
		n |= (uint32_t)at[i] << 8 * i;
	return n;
}

/* A label on disk is filled up with blanks. */
static bool is_label(const uint8_t *at, size_t size, const char *label)
{
	size_t len = strnlen(label, size);

	if (strncasecmp((const char *)at, label, len) != 0)
		return false;
	while (len < size && at[len] == ' ')
		len++;
	return len == size;
}

static bool read_at(int fd, void *buf, size_t size, uint64_t at)
{
	return pread(fd, buf, size, (off_t)at) == (ssize_t)size;
}

/* --- ISO 9660 --- */

static bool is_iso(int fd, const char *label, bool *labelled)
{
	uint8_t volume[ISO_SIZE];

	if (!read_at(fd, volume, sizeof(volume), ISO_AT) || memcmp(volume, "\1CD001", 6) != 0)
		return false;
	*labelled = is_label(volume + ISO_LABEL, ISO_LABEL_SIZE, label);
	return true;
}

/* --- FAT --- */

static bool read_boot_sector(int fd, uint8_t boot[SECTOR])
{
	uint32_t bytes;

	if (!read_at(fd, boot, SECTOR, 0) || boot[510] != 0x55 || boot[511] != 0xaa)
		return false;
	bytes = number(boot + FAT_BYTES, 2);
	/* Of a partition table these are code. */
	return (boot[0] == 0xeb || boot[0] == 0xe9) && bytes >= 512 && bytes <= 4096 &&
	       (bytes & (bytes - 1)) == 0 && boot[FAT_CLUSTER] &&
	       (boot[FAT_CLUSTER] & (boot[FAT_CLUSTER] - 1)) == 0 && boot[FAT_COUNT] &&
	       number(boot + FAT_RESERVED, 2);
}

static bool is_fat32(const uint8_t *boot)
{
	return number(boot + FAT_SIZE16, 2) == 0;
}

/* The label is an entry of the root folder: some programs write only that one. */
static bool has_label_entry(int fd, const uint8_t *boot, const char *label)
{
	uint64_t bytes = number(boot + FAT_BYTES, 2);
	uint64_t fats = is_fat32(boot) ? number(boot + FAT_SIZE32, 4) :
					 number(boot + FAT_SIZE16, 2);
	uint64_t at = (number(boot + FAT_RESERVED, 2) + boot[FAT_COUNT] * fats) * bytes;
	uint8_t entries[SECTOR];

	if (is_fat32(boot)) {
		uint64_t cluster = number(boot + FAT_ROOT, 4);

		if (cluster < 2)
			return false;
		at += (cluster - 2) * boot[FAT_CLUSTER] * bytes;
	}
	if (!read_at(fd, entries, sizeof(entries), at))
		return false;
	for (size_t i = 0; i < SECTOR && entries[i]; i += ENTRY) {
		unsigned attributes = entries[i + ENTRY_ATTRIBUTES] & ATTRIBUTE_MASK;

		if (entries[i] != ENTRY_FREE && attributes != ATTRIBUTE_LONG &&
		    (attributes & ATTRIBUTE_LABEL))
			return is_label(entries + i, FAT_LABEL, label);
	}
	return false;
}

static bool is_fat(int fd, const char *label, bool *labelled)
{
	uint8_t boot[SECTOR];

	if (!read_boot_sector(fd, boot))
		return false;
	*labelled = is_label(boot + (is_fat32(boot) ? 71 : 43), FAT_LABEL, label) ||
		    has_label_entry(fd, boot, label);
	return true;
}

bool sys_fat_is_dirty(int root, const char *node)
{
	_cleanup_fd_ int fd = -1;
	uint8_t boot[SECTOR];
	char path[PATH_SIZE];

	if (!str_format(path, sizeof(path), "dev/%s", node))
		return true;
	fd = openat(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || !read_boot_sector(fd, boot))
		return true;
	return boot[is_fat32(boot) ? FAT_STATE32 : FAT_STATE16] & FAT_DIRTY;
}

unsigned sys_first_block(int fd)
{
	int block = 0;

	return ioctl(fd, FIBMAP, &block) ? 0 : (unsigned)block;
}

/* --- block devices --- */

struct search {
	int root;
	const char *label;
	bool (*skip)(void *arg, const char *block);
	int (*each)(void *arg, const struct sys_medium *medium);
	void *arg;
};

static int take_disk(void *arg, const struct sys_extent *extent)
{
	str_copy(arg, SYS_BLOCK, extent->disk);
	return 1;
}

/* A drive without a disk in it cannot be opened, and is none. */
static bool is_labelled(int root, const char *label, const char *text, struct sys_medium *medium)
{
	_cleanup_fd_ int fd = -1;
	char path[PATH_SIZE];
	char name[SYS_NAME];
	bool labelled = false;

	if (!str_format(path, sizeof(path), "dev/%s", medium->node))
		return false;
	fd = openat(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	if (is_iso(fd, label, &labelled))
		medium->type = "iso9660";
	else if (is_fat(fd, label, &labelled))
		medium->type = "vfat";
	if (sys_uevent_value(text, "PARTNAME", name, sizeof(name)) && strcasecmp(name, label) == 0)
		return true;
	return medium->type && labelled;
}

static int look_at_block(void *arg, const char *name)
{
	const struct search *search = arg;
	struct sys_medium medium = { .type = NULL };
	char path[PATH_SIZE];
	char text[UEVENT_SIZE];
	char value[SYS_NAME];

	if (search->skip(search->arg, name) ||
	    !str_format(path, sizeof(path), "sys/class/block/%s/uevent", name) ||
	    sys_read(search->root, path, text, sizeof(text)) < 0 ||
	    !sys_uevent_value(text, "DEVNAME", medium.node, sizeof(medium.node)))
		return 0;
	medium.whole = !sys_uevent_value(text, "PARTN", value, sizeof(value));
	if (sys_extent_each(search->root, name, take_disk, medium.disk) != 1 ||
	    !is_labelled(search->root, search->label, text, &medium))
		return 0;
	return search->each(search->arg, &medium);
}

int sys_medium_each(int root, const char *label, bool (*skip)(void *arg, const char *block),
		    int (*each)(void *arg, const struct sys_medium *medium), void *arg)
{
	struct search search = { root, label, skip, each, arg };

	return sys_names(root, "sys/class/block", look_at_block, &search);
}
