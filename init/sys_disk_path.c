/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares paths as text, after what means nothing in them is gone. */
#include "sys_disk_path.h"

#include <ctype.h>

#include "sys_disk.h"
#include "util.h"
#include "value.h"

/* Drops empty and "." parts, and with each ".." the part before it. */
static void normalise(const char *path, char out[VALUE_TEXT])
{
	size_t used = 0;

	while (*path && used + 1 < VALUE_TEXT) {
		size_t len = strcspn(path, "/");

		if (len == 2 && memcmp(path, "..", 2) == 0) {
			while (used && out[--used] != '/')
				;
		} else if (len && !(len == 1 && *path == '.')) {
			out[used] = '\0';
			str_format(out + used, VALUE_TEXT - used, "/%.*s", (int)len, path);
			used += strlen(out + used);
		}
		path += len;
		path += *path == '/';
	}
	out[used] = '\0';
}

/*
 * What stands between the name of a whole disk and the number of a partition; NULL when it is no
 * such name. A name that ends in a digit gets a "p" (the kernel's block/partitions/core.c), but
 * what others are called may be anybody's choice.
 */
static const char *separator(const char *disk)
{
	static const char *const lettered[] = { "sd", "vd", "xvd" };
	static const char *const numbered[] = { "nvme", "mmcblk" };
	const char *base = disk + strlen("/dev/");

	if (str_prefix(base, "disk/by-"))
		return "-part";
	for (size_t i = 0; i < ARRAY_SIZE(lettered); i++) {
		size_t len = strlen(lettered[i]);

		if (str_prefix(base, lettered[i]) && base[len] &&
		    base[len + strspn(base + len, "abcdefghijklmnopqrstuvwxyz")] == '\0')
			return "";
	}
	for (size_t i = 0; i < ARRAY_SIZE(numbered); i++)
		if (str_prefix(base, numbered[i]) &&
		    isdigit((unsigned char)base[strlen(base) - 1]) && !strchr(base, '/'))
			return "p";
	return NULL;
}

static bool is_partition(const char *path, const char *disk)
{
	size_t len = strlen(disk);
	const char *between = sys_disk_is_node(disk) ? separator(disk) : NULL;

	if (!between || strncmp(path, disk, len) != 0 || !str_prefix(path + len, between))
		return false;
	path += len + strlen(between);
	return *path && path[strspn(path, "0123456789")] == '\0';
}

bool sys_disk_overlaps(const char *a, const char *b)
{
	char one[VALUE_TEXT] = "";
	char other[VALUE_TEXT] = "";

	normalise(a, one);
	normalise(b, other);
	return strcmp(one, other) == 0 || is_partition(one, other) || is_partition(other, one);
}
