/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths and formats of what tells which devices the host itself stands on; see sys_use.h. */
#include "sys_use.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <net/if.h>

#include "lines.h"
#include "sys.h"
#include "sys_machine.h"
#include "util.h"

#define CLASS_BLOCK "sys/class/block"
#define CLASS_NET "sys/class/net"
#define CLASS_TTY "sys/class/tty"

enum {
	PATH_SIZE = 512,
	LINK_SIZE = 1024,
	DEPTH = 4, /* of block devices upon block devices */
};

static int read_link(int root, const char *path, char target[LINK_SIZE])
{
	ssize_t n = readlinkat(root, path, target, LINK_SIZE - 1);

	target[n < 0 ? 0 : n] = '\0';
	return n < 0 ? -errno : 0;
}

struct mounts {
	int (*each)(void *arg, const char *block, const char *on);
	void *arg;
};

/* Takes the next word of a line; the kernel writes blanks in it as "\040". */
static char *next_word(char **line)
{
	char *word = strsep(line, " ");
	char *to = word;

	for (const char *from = word; from && *from; to++) {
		if (from[0] == '\\' && isdigit((unsigned char)from[1]) &&
		    isdigit((unsigned char)from[2]) && isdigit((unsigned char)from[3])) {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	if (to)
		*to = '\0';
	return word;
}

/*
 * proc_pid_mountinfo(5): "36 35 98:0 /root /on options optional… - type source options". File
 * systems over several devices have a number of no device, but often name one as their source.
 */
static int take_mount(void *arg, char *line)
{
	const struct mounts *mounts = arg;
	const char *block;
	const char *on;
	const char *source;
	const char *word;

	next_word(&line);
	next_word(&line);
	block = next_word(&line);
	next_word(&line);
	on = next_word(&line);
	while ((word = next_word(&line)) && strcmp(word, "-") != 0)
		;
	next_word(&line);
	source = next_word(&line);
	if (!source)
		return 0;
	if (str_prefix(block, "0:"))
		block = str_prefix(source, "/dev/") ? source : NULL;
	return block ? mounts->each(mounts->arg, block, on) : 0;
}

int sys_mount_each(int root, int (*each)(void *arg, const char *block, const char *on), void *arg)
{
	struct mounts mounts = { each, arg };

	return lines_read(root, "proc/self/mountinfo", '\n', take_mount, &mounts);
}

struct names {
	int root;
	int (*each)(void *arg, const char *name);
	void *arg;
	unsigned depth;
};

static int take_swap(void *arg, char *line)
{
	const struct names *names = arg;

	line[strcspn(line, " \t")] = '\0';
	return *line == '/' ? names->each(names->arg, line) : 0;
}

int sys_swap_each(int root, int (*each)(void *arg, const char *block), void *arg)
{
	struct names names = { .each = each, .arg = arg };

	return lines_read(root, "proc/swaps", '\n', take_swap, &names);
}

/* The last BDF in a path: the device itself, not the bridges above it. */
static bool find_bdf(const char *path, char bdf[SYS_BDF])
{
	bool found = false;

	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == SYS_BDF - 1 && path[4] == ':' && path[7] == ':' && path[10] == '.') {
			memcpy(bdf, path, len);
			bdf[len] = '\0';
			found = true;
		}
		path += len;
		path += *path == '/';
	}
	return found;
}

static int take_block(const struct names *names, const char *path);

static int take_slave(void *arg, const char *name)
{
	const struct names *names = arg;
	char path[PATH_SIZE];

	return str_format(path, sizeof(path), CLASS_BLOCK "/%s", name) ? take_block(names, path) :
									 0;
}

/* The controllers of an NVMe drive that may have several are links in its subsystem's folder. */
static int take_controller(void *arg, const char *name)
{
	const struct names *names = arg;
	char target[LINK_SIZE];
	char bdf[SYS_BDF];

	if (!str_prefix(name, "nvme") || read_link(names->root, name, target) ||
	    !find_bdf(target, bdf))
		return 0;
	return names->each(names->arg, bdf);
}

static int take_subsystem(const struct names *names, const char *target)
{
	static const char part[] = "/nvme-subsystem/";
	const char *name = strstr(target, part) + sizeof(part) - 1;
	struct names inner = *names;
	char path[PATH_SIZE];
	int result = 0;

	if (!str_format(path, sizeof(path), "sys/class/nvme-subsystem/%.*s",
			(int)strcspn(name, "/"), name))
		return 0;
	inner.root = openat(names->root, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (inner.root < 0)
		return 0;
	result = sys_names(inner.root, ".", take_controller, &inner);
	close(inner.root);
	return result;
}

/* path is a link to a block device's folder. */
static int take_block(const struct names *names, const char *path)
{
	struct names inner = *names;
	char target[LINK_SIZE];
	char slaves[PATH_SIZE];
	char bdf[SYS_BDF];
	int result;

	if (read_link(names->root, path, target))
		return 0;
	if (find_bdf(target, bdf))
		return names->each(names->arg, bdf);
	if (strstr(target, "/nvme-subsystem/"))
		return take_subsystem(names, target);
	if (inner.depth++ == DEPTH || !str_format(slaves, sizeof(slaves), "%s/slaves", path))
		return 0;
	result = sys_names(names->root, slaves, take_slave, &inner);
	/* A partition has none: its disk has them. */
	if (result == -ENOENT && str_format(slaves, sizeof(slaves), "%s/../slaves", path))
		result = sys_names(names->root, slaves, take_slave, &inner);
	return result < 0 ? 0 : result;
}

int sys_block_pci(int root, const char *block, int (*each)(void *arg, const char *bdf), void *arg)
{
	const struct names names = { .root = root, .each = each, .arg = arg };
	const char *base = strrchr(block, '/');
	char path[PATH_SIZE];

	if (!str_format(path, sizeof(path), "%s/%s",
			strchr(block, ':') ? "sys/dev/block" : CLASS_BLOCK,
			base ? base + 1 : block))
		return -ENAMETOOLONG;
	return take_block(&names, path);
}

static int take_any(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return 1;
}

bool sys_block_any(int root)
{
	return sys_names(root, CLASS_BLOCK, take_any, NULL) > 0;
}

struct search {
	int root;
	const char *key;
	const char *value;
	char name[SYS_NAME];
};

static int match_line(void *arg, char *line)
{
	const struct search *search = arg;
	size_t len = strlen(search->key);

	return strncmp(line, search->key, len) == 0 && line[len] == '=' &&
	       strcasecmp(line + len + 1, search->value) == 0;
}

static int match_partition(void *arg, const char *name)
{
	struct search *search = arg;
	char path[PATH_SIZE];

	if (!str_format(path, sizeof(path), CLASS_BLOCK "/%s/uevent", name) ||
	    lines_read(search->root, path, '\n', match_line, search) <= 0)
		return 0;
	return str_copy(search->name, sizeof(search->name), name);
}

int sys_partition_pci(int root, const char *key, const char *value,
		      int (*each)(void *arg, const char *bdf), void *arg)
{
	struct search search = { .root = root, .key = key, .value = value };
	int result = sys_names(root, CLASS_BLOCK, match_partition, &search);

	if (result <= 0)
		return result ? result : -ENOENT;
	return sys_block_pci(root, search.name, each, arg);
}

struct nets {
	int root;
	int (*each)(void *arg, const char *name, const char *bdf);
	void *arg;
};

static int take_net(void *arg, const char *name)
{
	const struct nets *nets = arg;
	char path[PATH_SIZE];
	char target[LINK_SIZE];
	char flags[32];
	char bdf[SYS_BDF];

	if (!str_format(path, sizeof(path), CLASS_NET "/%s", name) ||
	    read_link(nets->root, path, target) || !find_bdf(target, bdf) ||
	    !str_format(path, sizeof(path), CLASS_NET "/%s/flags", name) ||
	    sys_read(nets->root, path, flags, sizeof(flags)) <= 0 ||
	    !(strtoul(flags, NULL, 16) & IFF_UP))
		return 0;
	return nets->each(nets->arg, name, bdf);
}

int sys_net_each(int root, int (*each)(void *arg, const char *name, const char *bdf), void *arg)
{
	struct nets nets = { root, each, arg };

	return sys_names(root, CLASS_NET, take_net, &nets);
}

/* systemd-stub and systemd-boot set it: https://systemd.io/BOOT_LOADER_INTERFACE */
int sys_boot_partition(int root, char *uuid, size_t size)
{
	char path[SYS_EFI_PATH];
	ssize_t n;

	if (!sys_efi_path("LoaderDevicePartUUID", SYS_EFI_LOADER, path))
		return -ENAMETOOLONG;
	n = sys_efi_text(root, path, uuid, size);
	for (ssize_t i = 0; i < n; i++)
		uuid[i] = (char)tolower((unsigned char)uuid[i]);
	if (n < 0)
		return (int)n;
	return n > 0 ? 0 : -ENOENT;
}

struct hop {
	int root;
	char end[8]; /* ":08.0" */
	uint32_t uid;
	char *bdf;
};

/* 1: that is the one. */
static int take_hop(void *arg, const char *name)
{
	const struct hop *hop = arg;
	size_t len = strlen(name);

	if (len != SYS_BDF - 1 || strcmp(name + len - strlen(hop->end), hop->end) != 0)
		return 0;
	return str_copy(hop->bdf, SYS_BDF, name);
}

static int find_hop(struct hop *hop, const char *path, unsigned slot, unsigned function)
{
	int result;

	str_format(hop->end, sizeof(hop->end), ":%02x.%x", slot & 0x1f, function & 7);
	result = sys_names(hop->root, path, take_hop, hop);
	return result < 0 ? result : result == 0 ? -ENOENT : 0;
}

int sys_pci_child(int root, const char *parent, unsigned slot, unsigned function, char bdf[SYS_BDF])
{
	char found[SYS_BDF] = "";
	struct hop hop = { .root = root, .bdf = found };
	char path[PATH_SIZE];
	int error;

	if (!str_format(path, sizeof(path), "sys/bus/pci/devices/%s", parent))
		return -ENAMETOOLONG;
	error = find_hop(&hop, path, slot, function);
	if (!error)
		str_copy(bdf, SYS_BDF, found);
	return error;
}

/* "pci0000:40", whose firmware node has the _UID: 1, with the name in hop->bdf. */
static int take_root(void *arg, const char *name)
{
	const struct hop *hop = arg;
	char path[PATH_SIZE];
	char uid[32];
	char *end;

	if (!str_prefix(name, "pci") || !strchr(name, ':') ||
	    !str_format(path, sizeof(path), "sys/devices/%s/firmware_node/uid", name) ||
	    sys_read(hop->root, path, uid, sizeof(uid)) <= 0)
		return 0;
	return strtoul(uid, &end, 0) == hop->uid && !*end && str_copy(hop->bdf, SYS_BDF, name);
}

int sys_pci_on_root(int root, uint32_t uid, unsigned slot, unsigned function, char bdf[SYS_BDF])
{
	char name[SYS_BDF] = "";
	struct hop hop = { .root = root, .uid = uid, .bdf = name };
	char path[PATH_SIZE];
	int result = sys_names(root, "sys/devices", take_root, &hop);

	if (result <= 0)
		return result < 0 ? result : -ENOENT;
	str_format(path, sizeof(path), "sys/devices/%s", name);
	hop.bdf = bdf;
	return find_hop(&hop, path, slot, function);
}

ssize_t sys_consoles(int root, char *buf, size_t size)
{
	return sys_read(root, CLASS_TTY "/console/active", buf, size);
}

int sys_tty_pci(int root, const char *tty, char bdf[SYS_BDF])
{
	char path[PATH_SIZE];
	char target[LINK_SIZE];
	int error;

	if (!str_format(path, sizeof(path), CLASS_TTY "/%s", tty))
		return -ENAMETOOLONG;
	error = read_link(root, path, target);
	if (error)
		return error;
	return find_bdf(target, bdf) ? 0 : -ENOENT;
}
