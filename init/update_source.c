/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Media are mounted read-only and nowhere; what is on them is not believed before it is checked. */
#include "update_source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"
#include "manifest.h"
#include "module.h"
#include "sys_disk.h"
#include "sys_esp.h"
#include "sys_medium.h"
#include "wait.h"

enum { MEDIA = 4, EXTENTS = 16 };

/* One that is swapped for a FIFO or a link must not hold the child up, or lead elsewhere. */
static int open_file(int folder, const char *name)
{
	_cleanup_fd_ int fd =
		openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	return S_ISREG(st.st_mode) ? steal_fd(&fd) : -EINVAL;
}

static const char *file_error(int error)
{
	switch (error) {
	case -EINVAL:
		return "it is no regular file";
	case -ELOOP:
		return "it is a symbolic link";
	default:
		return strerror(-error);
	}
}

int update_source_path(int root, const char *path, struct diag *diag)
{
	int fd = open_file(root, path + strspn(path, "/"));

	if (fd < 0)
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_READ, path, "open it: %s", file_error(fd));
	return fd < 0 ? -1 : fd;
}

/* --- media --- */

struct search {
	int root;
	const struct config *config;
	unsigned count;
	struct sys_medium medium[MEDIA];
};

/* Parts of disks that a VM's disk is made of. */
struct extents {
	unsigned count;
	struct sys_extent extent[EXTENTS];
};

static int take_extent(void *arg, const struct sys_extent *extent)
{
	struct extents *extents = arg;

	if (extents->count == EXTENTS)
		return 1;
	extents->extent[extents->count++] = *extent;
	return 0;
}

static bool overlap(const struct extents *a, const struct extents *b)
{
	for (unsigned i = 0; i < a->count; i++) {
		for (unsigned j = 0; j < b->count; j++) {
			const struct sys_extent *x = &a->extent[i];
			const struct sys_extent *y = &b->extent[j];

			if (strcmp(x->disk, y->disk) == 0 && x->first < y->first + y->count &&
			    y->first < x->first + x->count)
				return true;
		}
	}
	return false;
}

/* More parts than can be kept count as a VM's. */
static bool is_in_vm(const struct search *search, const struct extents *block, const char *path)
{
	struct extents extents = { .count = 0 };
	struct sys_disk disk;

	if (sys_disk_look(search->root, path, &disk) || !disk.block)
		return false;
	return sys_extent_each(search->root, disk.number, take_extent, &extents) ||
	       overlap(block, &extents);
}

static bool is_a_guests(void *arg, const char *block)
{
	const struct search *search = arg;
	struct extents extents = { .count = 0 };

	if (sys_extent_each(search->root, block, take_extent, &extents))
		return true;
	for (unsigned n = 0; n < HV_VM_SLOTS; n++)
		for (unsigned m = 0; m < HV_DISK_SLOTS; m++) {
			const struct disk_config *disk = &search->config->vm[n].disk[m];

			if (manifest_disk_used(disk) && is_in_vm(search, &extents, disk->path))
				return true;
		}
	return false;
}

/* A disk of which a whole and a part have the label is one medium: an ISO image on a stick. */
static int take_medium(void *arg, const struct sys_medium *medium)
{
	struct search *search = arg;

	for (unsigned i = 0; i < search->count; i++) {
		struct sys_medium *other = &search->medium[i];

		if (strcmp(other->disk, medium->disk) != 0 || (!other->whole && !medium->whole))
			continue;
		if (medium->whole)
			*other = *medium;
		return 0;
	}
	if (search->count < MEDIA)
		search->medium[search->count++] = *medium;
	return 0;
}

static bool is_there(void *arg)
{
	struct search *search = arg;

	search->count = 0;
	sys_medium_each(search->root, UPDATE_LABEL, is_a_guests, take_medium, search);
	return search->count > 0;
}

void update_source_drivers(int root, const struct config *config)
{
	static const char *const modules[] = { "xhci-pci", "usb-storage", "uas",
					       "sd_mod",   "sr_mod",	  "isofs",
					       "vfat",	   "nls_cp437",	  "nls_iso8859-1" };

	/* What is no module may be built in; what is missing shows when no medium is found. */
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++)
		module_load(root, modules[i]);
	host_probe(root, config);
}

static int open_image(const struct sys_medium *medium, struct diag *diag)
{
	static const char *const names[] = { UPDATE_FILE, "HVINIT.EFI" };
	_cleanup_fd_ int top = -1;
	int fd = -ENOENT;

	if (!medium->type) {
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_READ, UPDATE_LABEL,
			 "mount %s: it is neither FAT nor ISO 9660", medium->node);
		return -1;
	}
	top = sys_mount_detached(medium->node, medium->type, false);
	if (top < 0) {
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_READ, UPDATE_LABEL, "mount %s (%s): %s",
			 medium->node, medium->type, strerror(-top));
		return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(names) && fd == -ENOENT; i++)
		fd = open_file(top, names[i]);
	if (fd < 0)
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_READ, UPDATE_LABEL, "open /%s on %s: %s",
			 UPDATE_FILE, medium->node, file_error(fd));
	return fd < 0 ? -1 : fd;
}

int update_source_medium(int root, const struct config *config, uint64_t deadline_us,
			 struct diag *diag)
{
	struct search search = { .root = root, .config = config };

	if (!wait_until(is_there, &search, deadline_us)) {
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_NONE, UPDATE_LABEL,
			 "look for a medium of that label: no block device has it");
		return -1;
	}
	if (search.count > 1) {
		diag_add(diag, DIAG_HOST, DIAG_UPDATE_TWICE, UPDATE_LABEL,
			 "look for a medium of that label: %s and %s have it",
			 search.medium[0].node, search.medium[1].node);
		return -1;
	}
	return open_image(&search.medium[0], diag);
}
