/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths and formats of the kernel's files that the work on the host needs. */
#include "sys_host.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <linux/netlink.h>

#include "util.h"

enum { PATH_SIZE = 256, UEVENT_SIZE = 4096, UEVENT_GROUP = 1 };

/* --- huge pages --- */

static bool huge_path(int node, uint64_t page_kib, char path[PATH_SIZE])
{
	char file[64];

	str_format(file, sizeof(file), "hugepages/hugepages-%" PRIu64 "kB/nr_hugepages", page_kib);
	if (node == SYS_NO_NODE)
		return str_format(path, PATH_SIZE, "sys/kernel/mm/%s", file);
	return str_format(path, PATH_SIZE, "sys/devices/system/node/node%d/%s", node, file);
}

int sys_huge_read(int root, int node, uint64_t page_kib, uint64_t *pages)
{
	char path[PATH_SIZE];
	char text[32];
	ssize_t n;

	if (!huge_path(node, page_kib, path))
		return -ENAMETOOLONG;
	n = sys_read(root, path, text, sizeof(text));
	if (n < 0)
		return (int)n;
	*pages = strtoull(text, NULL, 10);
	return 0;
}

int sys_huge_write(int root, int node, uint64_t page_kib, uint64_t pages)
{
	char path[PATH_SIZE];
	char text[32];

	if (!huge_path(node, page_kib, path))
		return -ENAMETOOLONG;
	str_format(text, sizeof(text), "%" PRIu64, pages);
	return sys_write(root, path, text);
}

/* --- the state partition --- */

struct search {
	int root;
	const char *label;
	char *node;
	size_t size;
	bool found;
};

bool sys_uevent_value(const char *text, const char *key, char *value, size_t size)
{
	size_t len = strlen(key);

	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n > len && strncmp(text, key, len) == 0 && text[len] == '=')
			return str_format(value, size, "%.*s", (int)(n - len - 1), text + len + 1);
		text += n;
		text += *text == '\n';
	}
	return false;
}

static int look_at_block(void *arg, const char *name)
{
	struct search *search = arg;
	char path[PATH_SIZE];
	char text[UEVENT_SIZE];
	char label[SYS_NAME];

	if (!str_format(path, sizeof(path), "sys/class/block/%s/uevent", name) ||
	    sys_read(search->root, path, text, sizeof(text)) < 0 ||
	    !sys_uevent_value(text, "PARTNAME", label, sizeof(label)) ||
	    strcmp(label, search->label) != 0)
		return 0;
	if (search->found)
		return -EEXIST;
	search->found = true;
	return sys_uevent_value(text, "DEVNAME", search->node, search->size) ? 0 : -ENAMETOOLONG;
}

int sys_partition(int root, const char *label, char *node, size_t size)
{
	struct search search = { .root = root, .label = label, .size = size };
	int result;

	search.node = node;
	result = sys_names(root, "sys/class/block", look_at_block, &search);
	if (result)
		return result;
	return search.found ? 0 : -ENOENT;
}

int sys_state_mount(const char *node)
{
	static const char *const folders[] = { "/var", "/var/lib", SYS_STATE };
	char device[PATH_SIZE];

	if (!str_format(device, sizeof(device), "/dev/%s", node))
		return -ENAMETOOLONG;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (mkdir(folders[i], 0755) && errno != EEXIST)
			return -errno;
	/* Read-only after the first error: better no new variables than a ruined file system. */
	if (mount(device, SYS_STATE, "ext4", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME,
		  "errors=remount-ro"))
		return -errno;
	return 0;
}

int sys_state_umount(void)
{
	if (umount2(SYS_STATE, UMOUNT_NOFOLLOW) == 0)
		return 0;
	if (mount(NULL, SYS_STATE, NULL, MS_REMOUNT | MS_RDONLY, NULL))
		return -errno;
	return 0;
}

bool sys_state_mounted(int root)
{
	static const char path[] = SYS_STATE "/..";
	struct stat above;
	struct stat state;

	return fstatat(root, path + 1, &above, 0) == 0 &&
	       fstatat(root, &SYS_STATE[1], &state, 0) == 0 && state.st_dev != above.st_dev;
}

/* --- network interfaces --- */

struct choice {
	const char *prefix;
	char *name;
	size_t size;
};

/* The first in order, so that it is the same one at every boot. */
static int choose(void *arg, const char *name)
{
	const struct choice *choice = arg;

	if (str_prefix(name, choice->prefix) &&
	    (!choice->name[0] || strcmp(name, choice->name) < 0) &&
	    !str_copy(choice->name, choice->size, name))
		return -ENAMETOOLONG;
	return 0;
}

static int first_name(int root, const char *path, const char *prefix, char *name, size_t size)
{
	struct choice choice = { prefix, name, size };
	int result;

	name[0] = '\0';
	result = sys_names(root, path, choose, &choice);
	if (result)
		return result;
	return name[0] ? 0 : -ENOENT;
}

int sys_pci_netdev(int root, const char *bdf, char *name, size_t size)
{
	char path[PATH_SIZE];
	char below[SYS_NAME];

	if (!str_format(path, sizeof(path), "sys/bus/pci/devices/%s", bdf))
		return -ENAMETOOLONG;
	if (first_name(root, path, "virtio", below, sizeof(below)) == 0)
		str_format(path, sizeof(path), "sys/bus/pci/devices/%s/%s/net", bdf, below);
	else
		str_format(path, sizeof(path), "sys/bus/pci/devices/%s/net", bdf);
	return first_name(root, path, "", name, size);
}

bool sys_net_is_bridge(int root, const char *name)
{
	char path[PATH_SIZE];

	return str_format(path, sizeof(path), "sys/class/net/%s/bridge", name) &&
	       faccessat(root, path, F_OK, 0) == 0;
}

int sys_tun_open(int root)
{
	int fd = openat(root, "dev/net/tun", O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* --- descriptors, events, threads --- */

int sys_reopen(int fd, int flags)
{
	char path[64];
	int again;

	str_format(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, flags | O_CLOEXEC);
	return again < 0 ? -errno : again;
}

int sys_uevent_open(void)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK, .nl_groups = UEVENT_GROUP };
	_cleanup_fd_ int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				     NETLINK_KOBJECT_UEVENT);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&kernel, sizeof(kernel)))
		return -errno;
	return steal_fd(&fd);
}

struct threads {
	int root;
	pid_t pid;
	int (*each)(void *arg, pid_t thread, const char *name);
	void *arg;
};

static int look_at_thread(void *arg, const char *thread)
{
	const struct threads *threads = arg;
	char path[PATH_SIZE];
	char name[SYS_NAME];

	if (!str_format(path, sizeof(path), "proc/%d/task/%s/comm", (int)threads->pid, thread))
		return -ENAMETOOLONG;
	/* One that has just ended is no thread any more. */
	if (sys_read(threads->root, path, name, sizeof(name)) < 0)
		return 0;
	return threads->each(threads->arg, (pid_t)strtol(thread, NULL, 10), name);
}

int sys_thread_each(int root, pid_t pid, int (*each)(void *arg, pid_t thread, const char *name),
		    void *arg)
{
	struct threads threads = { root, pid, each, arg };
	char path[PATH_SIZE];

	str_format(path, sizeof(path), "proc/%d/task", (int)pid);
	return sys_names(root, path, look_at_thread, &threads);
}
