/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks: whose they are beside the VM's, and whether they are what the manifest says. */
#include "check_private.h"

#include <errno.h>

#include "manifest.h"
#include "sys_disk.h"
#include "sys_disk_path.h"
#include "sys_use.h"
#include "util.h"

/* Where the state partition is mounted: no image tells what is on it. */
#define STATE "/var/lib/hvinit/"

enum { EXTENTS = 16 };

/* A disk as far as it can be looked at. */
struct found {
	const struct disk_config *config;
	bool known; /* the fields below count */
	struct sys_disk disk;
	unsigned extents;
	struct sys_extent extent[EXTENTS]; /* of a block device */
};

static int take_extent(void *arg, const struct sys_extent *extent)
{
	struct found *found = arg;

	if (found->extents < EXTENTS)
		found->extent[found->extents++] = *extent;
	return 0;
}

/* Returns what sys_disk_look() says. */
static int look(const struct check *c, const struct disk_config *config, struct found *found)
{
	int error = c->set->root < 0 || c->set->files ?
			    0 :
			    sys_disk_look(c->set->root, config->path, &found->disk);

	found->config = config;
	found->extents = 0;
	found->known = !error && c->set->root >= 0 && !c->set->files;
	if (found->known && found->disk.block)
		sys_extent_each(c->set->root, found->disk.number, take_extent, found);
	return error;
}

/* --- overlaps --- */

static int overlaps(void *arg, const struct sys_extent *b)
{
	const struct found *found = arg;

	for (unsigned i = 0; i < found->extents; i++) {
		const struct sys_extent *a = &found->extent[i];

		if (strcmp(a->disk, b->disk) == 0 && a->first < b->first + b->count &&
		    b->first < a->first + a->count)
			return 1;
	}
	return 0;
}

static bool is_same_file(const struct found *a, const struct sys_disk *b)
{
	return !a->disk.block && !b->block && a->disk.inode == b->inode &&
	       strcmp(a->disk.number, b->number) == 0;
}

static bool is_same(const struct found *a, const struct found *b)
{
	if (strcmp(a->config->path, b->config->path) == 0)
		return true;
	if (!a->known || !b->known)
		return sys_disk_overlaps(a->config->path, b->config->path);
	if (is_same_file(a, &b->disk))
		return true;
	for (unsigned i = 0; i < b->extents; i++)
		if (overlaps((void *)a, &b->extent[i]))
			return true;
	return false;
}

/* Two that write to one disk ruin it; one that reads what another writes sees rubbish. */
static void check_twice(const struct check *c, unsigned n, const struct found *found)
{
	struct found other;

	for (unsigned slot = 0; slot <= c->plan->slot; slot++) {
		const struct plan *p = check_other(c, slot);

		for (unsigned i = 0; p && i < p->disks; i++) {
			const struct disk_config *config = &p->vm->disk[i];

			if (p == c->plan && i == n)
				return;
			if (config->readonly && found->config->readonly)
				continue;
			look(c, config, &other);
			if (is_same(found, &other))
				check_fail(c, DIAG_DISK_TWICE, SYMBOL(c, "DISK%u_PATH", n),
					   "use %.120s: VM%u_DISK%u_PATH has it, or a part of it, "
					   "and not both are read-only",
					   found->config->path, slot, i);
		}
	}
}

/* --- what the host does with it --- */

struct mounts {
	const struct check *c;
	const struct found *found;
	unsigned n; /* slot of the disk */
};

static int check_mount(void *arg, const char *block, const char *on)
{
	const struct mounts *m = arg;
	char path[sizeof(m->found->config->path) + 1];
	struct sys_disk file;
	int root = m->c->set->root;
	bool hit = sys_extent_each(root, block, overlaps, (void *)m->found) > 0;

	if (!hit && sys_loop_file(root, block, path, sizeof(path)) == 0)
		hit = sys_disk_look(root, path, &file) == 0 && is_same_file(m->found, &file);
	if (hit)
		check_fail(m->c, DIAG_DISK_MOUNTED, SYMBOL(m->c, "DISK%u_PATH", m->n),
			   "give %.120s away: the host has it, or a part of it, mounted at %.80s",
			   m->found->config->path, on);
	return hit;
}

static int check_swap(void *arg, const char *block)
{
	return check_mount(arg, block, "swap");
}

static void check_host_use(const struct check *c, unsigned n, const struct found *found)
{
	struct mounts m = { c, found, n };

	if (sys_mount_each(c->set->root, check_mount, &m) <= 0)
		sys_swap_each(c->set->root, check_swap, &m);
}

static int check_pci(void *arg, const char *bdf)
{
	const struct mounts *m = arg;

	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		const struct plan *p = check_other(m->c, slot);

		for (unsigned i = 0; p && i < p->devices; i++)
			if (strcmp(p->device[i].bdf, bdf) == 0) {
				check_fail(
					m->c, DIAG_DISK_GIVEN, SYMBOL(m->c, "DISK%u_PATH", m->n),
					"use %.120s: it is on %s, which VM%u_HOSTDEV%u_BDF gives "
					"away",
					m->found->config->path, bdf, slot, p->device[i].slot);
				return 1;
			}
	}
	return 0;
}

/* --- what is in it --- */

static uint64_t big_endian(const unsigned char *at, size_t bytes)
{
	uint64_t n = 0;

	for (size_t i = 0; i < bytes; i++)
		n = n << 8 | at[i];
	return n;
}

/* What of a qcow2 file hvinit cannot give to a guest, or NULL (QEMU: docs/interop/qcow2.rst). */
static const char *qcow2_fault(const unsigned char *head, size_t len)
{
	enum {
		VERSION = 4,
		BACKING_OFFSET = 8,
		CRYPT_METHOD = 32,
		INCOMPATIBLE = 72,
		HEADER_2 = 72,
		HEADER_3 = 104,
		DATA_FILE = 1 << 2,
	};
	uint64_t version = len >= HEADER_2 ? big_endian(head + VERSION, 4) : 0;

	if (len < HEADER_2 || memcmp(head, "QFI\xfb", 4) != 0 || version < 2)
		return "it is not of that format";
	if (big_endian(head + BACKING_OFFSET, 8))
		return "it has a backing file";
	if (big_endian(head + CRYPT_METHOD, 4))
		return "it is encrypted";
	if (version >= 3 && len >= HEADER_3 && big_endian(head + INCOMPATIBLE, 8) & DATA_FILE)
		return "its data is in another file";
	return NULL;
}

static void check_format(const struct check *c, unsigned n, const struct disk_config *disk)
{
	unsigned char head[104];
	const char *fault;
	ssize_t len;

	if (disk->format != DISK_FORMAT_QCOW2)
		return;
	len = sys_disk_head(c->set->root, disk->path, head, sizeof(head));
	fault = len < 0 ? strerror((int)-len) : qcow2_fault(head, (size_t)len);
	if (fault)
		check_fail(c, DIAG_DISK_FORMAT, SYMBOL(c, "DISK%u_FORMAT", n),
			   "use %.120s as qcow2: %s", disk->path, fault);
}

static void check_missing(const struct check *c, unsigned n, const char *path, int error)
{
	if (error == -ENOENT)
		check_fail(c, DIAG_FILE_NONE, SYMBOL(c, "DISK%u_PATH", n),
			   "open %.200s: no such file", path);
	else
		check_fail(c, DIAG_DISK_OPEN, SYMBOL(c, "DISK%u_PATH", n), "open %.200s: %s", path,
			   error == -EINVAL ? "it is neither a file nor a block device" :
					      strerror(-error));
}

/* Of a list of files only what lies in the image can be asked for. */
static bool is_listed(const struct check *c, const char *path)
{
	return !c->set->files || sys_disk_is_node(path) || str_prefix(path, STATE) ||
	       filelist_has(c->set->files, path);
}

static void check_disk(const struct check *c, unsigned n)
{
	const struct disk_config *config = &c->vm->disk[n];
	struct found found = { .config = config };
	int error = look(c, config, &found);
	struct mounts m = { c, &found, n };

	check_twice(c, n, &found);
	if (error || !is_listed(c, config->path))
		check_missing(c, n, config->path, error ? error : -ENOENT);
	if (!found.known)
		return;
	check_host_use(c, n, &found);
	sys_block_pci(c->set->root, found.disk.number, check_pci, &m);
	check_format(c, n, config);
}

void check_disks(const struct check *c)
{
	for (unsigned n = 0; n < c->plan->disks; n++)
		check_disk(c, n);
}
