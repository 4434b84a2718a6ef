/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths and formats of what facts are made of; sys.c has the rest. */
#include "sys_facts.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <net/if.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lines.h"
#include "util.h"

#define CLASS_IOMMU "sys/class/iommu"
#define NODES "sys/devices/system/node"
enum {
	PATH_SIZE = 512,
	SYSLOG_ACTION_READ_ALL = 3,
	SYSLOG_ACTION_SIZE_BUFFER = 10,
};

bool sys_is_live(int root)
{
	struct stat here;
	struct stat there;

	return fstat(root, &there) == 0 && stat("/", &here) == 0 && here.st_dev == there.st_dev &&
	       here.st_ino == there.st_ino;
}

unsigned sys_page_kib(int root)
{
	return sys_is_live(root) ? (unsigned)sysconf(_SC_PAGESIZE) / 1024 : 0;
}

ssize_t sys_release(int root, char *buf, size_t size)
{
	return sys_read(root, "proc/sys/kernel/osrelease", buf, size);
}

/* --- the kernel's log --- */

struct log {
	int (*each)(void *arg, char *line);
	void *arg;
};

/* "<6>[    1.234567] text" */
static int hand_over(void *arg, char *line)
{
	const struct log *log = arg;
	char *end;

	if (*line == '<' && (end = strchr(line, '>')))
		line = end + 1;
	if (*line == '[' && (end = strstr(line, "] ")))
		line = end + 2;
	return log->each(log->arg, line);
}

static int each_line(char *text, int (*each)(void *arg, char *line), void *arg)
{
	struct log log = { each, arg };
	int result = 0;
	char *end;

	for (; result == 0 && *text; text = end + 1) {
		end = text + strcspn(text, "\n");
		if (!*end)
			return hand_over(&log, text);
		*end = '\0';
		result = hand_over(&log, text);
	}
	return result;
}

/* As large as the kernel's own, because the end of the log comes first and the boot is wanted. */
static int live_log(int (*each)(void *arg, char *line), void *arg)
{
	int size = klogctl(SYSLOG_ACTION_SIZE_BUFFER, NULL, 0);
	int result;
	char *text;
	int n;

	if (size <= 0)
		return -errno;
	text = mmap(NULL, (size_t)size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (text == MAP_FAILED)
		return -errno;
	n = klogctl(SYSLOG_ACTION_READ_ALL, text, size);
	result = n < 0 ? -errno : each_line(text, each, arg);
	munmap(text, (size_t)size + 1);
	return result;
}

int sys_log_each(int root, int (*each)(void *arg, char *line), void *arg)
{
	struct log log = { each, arg };

	if (sys_is_live(root))
		return live_log(each, arg);
	return lines_read(root, "var/log/dmesg", '\n', hand_over, &log);
}

/* --- firmware and IOMMUs --- */

ssize_t sys_acpi_table(int root, const char *name, void *buf, size_t size)
{
	char path[PATH_SIZE];

	if (!str_format(path, sizeof(path), "sys/firmware/acpi/tables/%s", name))
		return -ENAMETOOLONG;
	return sys_read_bytes(root, path, buf, size);
}

int sys_iommu_each(int root, int (*each)(void *arg, const char *name), void *arg)
{
	return sys_names(root, CLASS_IOMMU, each, arg);
}

int sys_iommu_device(int root, const char *iommu, char *name, size_t size)
{
	char path[PATH_SIZE];

	if (!str_format(path, sizeof(path), CLASS_IOMMU "/%s/device", iommu))
		return -ENAMETOOLONG;
	return sys_link(root, path, name, size);
}

int sys_driver_module(int root, const char *driver, char *name, size_t size)
{
	char path[PATH_SIZE];

	if (!str_format(path, sizeof(path), "sys/bus/pci/drivers/%s/module", driver))
		return -ENAMETOOLONG;
	return sys_link(root, path, name, size);
}

/* --- CPUs and memory --- */

ssize_t sys_cpus_online(int root, char *buf, size_t size)
{
	return sys_read(root, "sys/devices/system/cpu/online", buf, size);
}

struct numbers {
	int (*each)(void *arg, int id);
	void *arg;
};

static int take_node(void *arg, const char *name)
{
	const struct numbers *numbers = arg;
	unsigned long id;
	char *end;

	if (!str_prefix(name, "node") || !isdigit((unsigned char)name[4]))
		return 0;
	id = strtoul(name + 4, &end, 10);
	return *end || id > INT16_MAX ? 0 : numbers->each(numbers->arg, (int)id);
}

int sys_node_each(int root, int (*each)(void *arg, int id), void *arg)
{
	struct numbers numbers = { each, arg };

	return sys_names(root, NODES, take_node, &numbers);
}

ssize_t sys_node_read(int root, int id, const char *attr, char *buf, size_t size)
{
	char path[PATH_SIZE];

	if (!str_format(path, sizeof(path), NODES "/node%d/%s", id, attr))
		return -ENAMETOOLONG;
	return sys_read(root, path, buf, size);
}

ssize_t sys_nodes_initiator(int root, char *buf, size_t size)
{
	return sys_read(root, NODES "/has_generic_initiator", buf, size);
}

bool sys_hugepages(int root, int node, unsigned kib, const char *attr, uint64_t *n)
{
	char folder[64] = "sys/kernel/mm";
	char path[PATH_SIZE];
	char text[32];

	if (node >= 0)
		str_format(folder, sizeof(folder), NODES "/node%d", node);
	str_format(path, sizeof(path), "%s/hugepages/hugepages-%ukB/%s", folder, kib, attr);
	if (sys_read(root, path, text, sizeof(text)) <= 0)
		return false;
	*n = strtoull(text, NULL, 10);
	return true;
}
