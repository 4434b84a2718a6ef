/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The variable holds a line for each image that has failed, the last one first: 32 hexadecimal
 * digits of its hash, a space, the count. What is to be written is put together beforehand, so that
 * a fault has only to write it.
 */
#include "bootcount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "bootentry.h"
#include "chore.h"
#include "log.h"
#include "sha256.h"
#include "sys_machine.h"
#include "util.h"

enum { ID = 32, IMAGES = 4, MOST = 255, TEXT = IMAGES * (ID + 8) };

struct image {
	char id[ID + 1];
	unsigned failed;
};

/* A variable as it is to be written. */
struct value {
	size_t size;
	char data[SYS_EFI_ATTRIBUTES + TEXT];
};

static int root = AT_FDCWD;
static char path[SYS_EFI_PATH];
static struct image self;
static struct image other[IMAGES - 1];
static struct value failed; /* when this boot fails */
static bool older_left;
static bool died;

/* --- which image --- */

/* A file that cannot be read counts as one without a hash: images that lack it are one. */
static void identify(const char *release, const char *manifest)
{
	char hex[2][SHA256_HEX] = { "", "" };
	char both[2 * SHA256_HEX];
	char id[SHA256_HEX];

	sha256_file(root, release, hex[0]);
	sha256_file(root, manifest, hex[1]);
	str_format(both, sizeof(both), "%s%s", hex[0], hex[1]);
	sha256_hex(both, strlen(both), id);
	memcpy(self.id, id, ID);
}

/* --- what is kept --- */

/* Moves *at to the next line. False at the end, and at a line that is none of ours. */
static bool read_line(const char **at, struct image *image)
{
	char *end;

	if (strspn(*at, "0123456789abcdef") != ID || (*at)[ID] != ' ')
		return false;
	memcpy(image->id, *at, ID);
	image->id[ID] = '\0';
	image->failed = (unsigned)strtoul(*at + ID, &end, 10);
	*at = *end == '\n' ? end + 1 : end;
	return true;
}

static void read_kept(void)
{
	char text[sizeof(failed.data) + 1];
	const char *at = text;
	struct image image;
	unsigned others = 0;

	if (sys_efi_read(root, path, text, sizeof(text)) < 0)
		return;
	while (read_line(&at, &image)) {
		if (strcmp(image.id, self.id) == 0)
			self.failed = image.failed < MOST ? image.failed : MOST;
		else if (others < ARRAY_SIZE(other))
			other[others++] = image;
	}
}

/* With count 0 this image is left out; a value without an image is no variable at all. */
static void compose(unsigned count, struct value *value)
{
	char *text = value->data + SYS_EFI_ATTRIBUTES;
	size_t used = 0;

	memcpy(value->data, SYS_EFI_KEPT, SYS_EFI_ATTRIBUTES);
	text[0] = '\0';
	if (count)
		str_format(text, TEXT, "%s %u\n", self.id, count < MOST ? count : MOST);
	for (size_t i = 0; i < ARRAY_SIZE(other); i++) {
		used = strlen(text);
		if (other[i].failed)
			str_format(text + used, TEXT - used, "%s %u\n", other[i].id,
				   other[i].failed < MOST ? other[i].failed : MOST);
	}
	used = strlen(text);
	value->size = used ? SYS_EFI_ATTRIBUTES + used : 0;
}

static int keep(const void *arg)
{
	const struct value *value = arg;

	if (value->size)
		return sys_efi_write(root, path, value->data, value->size);
	return sys_efi_remove(root, path);
}

static void kept(int error)
{
	struct diag diag = { 0 };

	if (!error)
		return;
	diag_add(&diag, DIAG_HOST, DIAG_EFI_WRITE, "host", "keep how many boots have failed: %s",
		 strerror(-error));
	log_finding(&diag.finding[0]);
}

static void keep_count(unsigned count)
{
	struct value value;
	int error;

	self.failed = count;
	compose(count, &value);
	compose(count + 1, &failed);
	error = chore_start(keep, &value, kept);
	if (error)
		kept(error);
}

/* --- the boot loader --- */

/* Whether the loader counts tries, and this was not the last one. */
static bool has_older(void)
{
	struct bootentry entry;

	return bootentry_booted(root, &entry) && entry.by_loader && entry.left > 0;
}

void bootcount_init(int of, const char *release, const char *manifest)
{
	root = of;
	self = (struct image){ "", 0 };
	memset(other, 0, sizeof(other));
	died = false;
	identify(release, manifest);
	if (!sys_efi_path("HvinitFailedBoots", SYS_EFI_OURS, path))
		return;
	read_kept();
	older_left = has_older();
	compose(self.failed + 1, &failed);
}

unsigned bootcount_failed(void)
{
	return self.failed;
}

bool bootcount_is_bad(void)
{
	return self.failed >= BOOTCOUNT_LIMIT && !older_left;
}

void bootcount_died(const char *why)
{
	if (died)
		return;
	died = true;
	log_msg(LOG_LEVEL_WARN, "host", "the boot before this one has failed: %s", why);
	keep_count(self.failed + 1);
}

void bootcount_good(void)
{
	if (self.failed == 0)
		return;
	log_msg(LOG_LEVEL_INFO, "host", "all VMs that start at boot run: failed boots before: %u",
		self.failed);
	keep_count(0);
}

int bootcount_fail(void)
{
	if (failed.size == 0)
		return -ENODEV;
	return sys_efi_write(root, path, failed.data, failed.size);
}
