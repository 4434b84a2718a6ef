/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Short-form device path: the firmware finds the disk by the partition, wherever it is plugged in. */
#include "bootopt.h"

#include <errno.h>
#include <stdlib.h>

#include "sys_machine.h"
#include "util.h"

enum {
	OPTION = 1024,
	ORDER = 2 * 256, /* bytes of it, two for each option */
	ACTIVE = 1,
	TYPE_MEDIA = 4,
	DISK_NODE = 42,
	DISK = 1,
	FILE_PATH = 4,
	END = 0x7f,
	END_ALL = 0xff,
	GPT = 2, /* of a partition table, and of a signature that is a GUID */
	NONE = -1,
};

struct writer {
	unsigned char at[SYS_EFI_ATTRIBUTES + OPTION];
	size_t used;
};

static void put(struct writer *out, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes && out->used < sizeof(out->at); i++)
		out->at[out->used++] = (unsigned char)(value >> 8 * i);
}

/* ASCII, as UTF-16 with a zero behind it. */
static void put_text(struct writer *out, const char *text)
{
	do
		put(out, *text == '/' ? '\\' : (unsigned char)*text, 2);
	while (*text++);
}

/* The first three parts of a GUID are numbers, the rest are bytes (appendix A). */
static bool put_guid(struct writer *out, const char *uuid)
{
	static const unsigned char order[] = { 6,  4,  2,  0,  11, 9,  16, 14,
					       19, 21, 24, 26, 28, 30, 32, 34 };

	if (strlen(uuid) != 36 || strspn(uuid, "0123456789abcdefABCDEF-") != 36)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		char byte[3] = { uuid[order[i]], uuid[order[i] + 1], '\0' };

		put(out, strtoul(byte, NULL, 16), 1);
	}
	return true;
}

/* With the attributes that a variable has before its value. False: it cannot be put together. */
static bool compose(const struct sys_partition *partition, const char *path, struct writer *out)
{
	unsigned file = 4 + 2 * ((unsigned)strlen(path) + 2);

	*out = (struct writer){ .used = 0 };
	memcpy(out->at, SYS_EFI_KEPT, SYS_EFI_ATTRIBUTES);
	out->used = SYS_EFI_ATTRIBUTES;
	put(out, ACTIVE, 4);
	put(out, DISK_NODE + file + 4, 2);
	put_text(out, BOOTOPT_NAME);
	put(out, TYPE_MEDIA | DISK << 8 | DISK_NODE << 16, 4);
	put(out, partition->number, 4);
	put(out, partition->first, 8);
	put(out, partition->blocks, 8);
	if (!put_guid(out, partition->uuid))
		return false;
	put(out, GPT | GPT << 8, 2);
	put(out, TYPE_MEDIA | FILE_PATH << 8 | file << 16, 4);
	put(out, '\\', 2);
	put_text(out, path);
	put(out, END | END_ALL << 8 | 4U << 16, 4);
	return out->used < sizeof(out->at);
}

/* --- which number --- */

struct search {
	int root;
	int ours; /* the option that is ours, or NONE */
	unsigned char taken[0x10000 / 8];
};

static bool is_ours(const unsigned char *option, ssize_t size)
{
	struct writer name = { .used = 0 };

	put_text(&name, BOOTOPT_NAME);
	return size >= 6 + (ssize_t)name.used && memcmp(option + 6, name.at, name.used) == 0;
}

static int look(void *arg, const char *name)
{
	struct search *search = arg;
	unsigned char option[OPTION];
	char digits[5] = "";
	unsigned number;

	memcpy(digits, name + 4, strspn(name + 4, "0123456789ABCDEF") == 4 ? 4 : 0);
	if (!digits[0])
		return 0;
	number = (unsigned)strtoul(digits, NULL, 16);
	search->taken[number / 8] |= (unsigned char)(1U << number % 8);
	str_format(digits, sizeof(digits), "%04X", number);
	if (is_ours(option, sys_efi_global(search->root, name, option, sizeof(option))))
		search->ours = (int)number;
	return 0;
}

static unsigned free_number(const struct search *search)
{
	unsigned number = 0;

	while (number < 0xffff && search->taken[number / 8] & 1U << number % 8)
		number++;
	return number;
}

static int keep_option(int root, unsigned number, const struct writer *wanted)
{
	unsigned char now[OPTION];
	char path[SYS_EFI_PATH];
	char name[16];
	ssize_t n;

	str_format(name, sizeof(name), "Boot%04X", number);
	n = sys_efi_global(root, name, now, sizeof(now));
	if (n == (ssize_t)(wanted->used - SYS_EFI_ATTRIBUTES) &&
	    memcmp(now, wanted->at + SYS_EFI_ATTRIBUTES, (size_t)n) == 0)
		return 0;
	if (!sys_efi_path(name, SYS_EFI_GLOBAL, path))
		return -ENAMETOOLONG;
	return sys_efi_write(root, path, wanted->at, wanted->used);
}

/* --- the order --- */

static unsigned word(const unsigned char *at)
{
	return at[0] | (unsigned)at[1] << 8;
}

/*
 * Behind the option that was booted, 0 when that is none of the order's: where firmware finds the loader
 * without an option, one of ours would come before it.
 */
static size_t place_of(const unsigned char *order, size_t size, int root)
{
	unsigned char current[2];

	if (sys_efi_global(root, "BootCurrent", current, sizeof(current)) != sizeof(current))
		return 0;
	for (size_t at = 0; at + 2 <= size; at += 2)
		if (word(order + at) == word(current))
			return at + 2;
	return 0;
}

static int keep_order(int root, unsigned number)
{
	unsigned char order[SYS_EFI_ATTRIBUTES + ORDER] = SYS_EFI_KEPT;
	unsigned char *first = order + SYS_EFI_ATTRIBUTES;
	ssize_t n = sys_efi_global(root, "BootOrder", first, ORDER - 2);
	char path[SYS_EFI_PATH];
	size_t place;

	if (n == -ENOENT)
		n = 0;
	if (n < 0)
		return n == -EFBIG ? -E2BIG : (int)n;
	for (ssize_t at = 0; at + 2 <= n; at += 2)
		if (word(first + at) == number)
			return 0;
	place = place_of(first, (size_t)n, root);
	if (place == 0)
		return -ENXIO;
	memmove(first + place + 2, first + place, (size_t)n - place);
	first[place] = (unsigned char)number;
	first[place + 1] = (unsigned char)(number >> 8);
	if (!sys_efi_path("BootOrder", SYS_EFI_GLOBAL, path))
		return -ENAMETOOLONG;
	return sys_efi_write(root, path, order, SYS_EFI_ATTRIBUTES + (size_t)n + 2);
}

int bootopt_keep(int root, const struct sys_partition *partition, const char *path)
{
	struct search search = { .root = root, .ours = NONE };
	struct writer option;
	unsigned number;
	int error;

	if (!compose(partition, path, &option))
		return -EINVAL;
	error = sys_efi_each(root, "Boot", SYS_EFI_GLOBAL, look, &search);
	if (error)
		return error;
	number = search.ours == NONE ? free_number(&search) : (unsigned)search.ours;
	error = keep_option(root, number, &option);
	return error ? error : keep_order(root, number);
}
