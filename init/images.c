/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names alone: which of the files can be booted is for the loader and the firmware to find out. */
#include "images.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>

#include "esp.h"
#include "sys.h"
#include "util.h"
#include "version_order.h"

#define PREFIX "hvinit_"
#define SUFFIX ".efi"

static struct images none;
static struct images *found = &none;

int images_init(void)
{
	void *shared = memory_share(sizeof(*found));

	if (!shared)
		return -errno;
	found = shared;
	return 0;
}

bool images_parse(const char *name, struct bootentry *entry, char version[IMAGE_VERSION])
{
	char path[BOOTENTRY_PATH];
	size_t len;

	if (!str_format(path, sizeof(path), ESP_IMAGES "/%s", name) ||
	    !bootentry_parse(path, entry))
		return false;
	len = strlen(entry->good);
	return len > strlen(PREFIX SUFFIX) &&
	       strncasecmp(entry->good, PREFIX, strlen(PREFIX)) == 0 &&
	       strcasecmp(entry->good + len - strlen(SUFFIX), SUFFIX) == 0 &&
	       str_format(version, IMAGE_VERSION, "%.*s", (int)(len - strlen(PREFIX SUFFIX)),
			  entry->good + strlen(PREFIX));
}

static bool take_name(const char *name, struct image_file *file)
{
	struct bootentry entry;

	*file = (struct image_file){ 0 };
	if (!images_parse(name, &entry, file->version))
		return false;
	file->counted = entry.counted;
	file->left = entry.left;
	file->done = entry.done;
	return str_copy(file->name, sizeof(file->name), name);
}

static int take(void *arg, const char *name)
{
	struct images *images = arg;
	struct image_file file;
	unsigned at = 0;

	if (!take_name(name, &file))
		return 0;
	while (at < images->count && version_order(images->file[at].version, file.version) > 0)
		at++;
	images->more += images->count == IMAGES;
	if (at == IMAGES)
		return 0;
	images->count += images->count < IMAGES;
	memmove(&images->file[at + 1], &images->file[at],
		(images->count - 1 - at) * sizeof(images->file[0]));
	images->file[at] = file;
	return 0;
}

int images_look(int esp)
{
	_cleanup_fd_ int folder = openat(esp, ESP_IMAGES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct images images = { .looked = true };
	int error;

	if (folder < 0)
		return -errno;
	error = sys_names_in(folder, take, &images);
	if (error)
		return error;
	*found = images;
	return 0;
}

const struct images *images_found(void)
{
	return found;
}

bool images_has_other(const struct images *images, const char *name, const char *good)
{
	for (unsigned i = 0; i < images->count; i++) {
		const struct image_file *file = &images->file[i];

		if (strcasecmp(file->name, name) != 0 && strcasecmp(file->name, good) != 0 &&
		    (!file->counted || file->left > 0))
			return true;
	}
	return false;
}
