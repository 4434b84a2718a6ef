/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths and formats of /sys, /dev and /proc; nothing else in hvinit knows them. */
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "util.h"

#define PCI_DEVICES "sys/bus/pci/devices"
#define PCI_DRIVERS "sys/bus/pci/drivers"

#define RUN_DIR "run/hvinit"
#define SMMU_DIR RUN_DIR "/smmu"

enum { PATH_SIZE = 256, SYSLOG_ACTION_CONSOLE_LEVEL = 8, CONFIG_REVISION = 8 };

int sys_root_open(const char *dir)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static ssize_t read_all(int fd, char *buf, size_t size)
{
	size_t used = 0;
	ssize_t n;

	while ((n = read(fd, buf + used, size - used)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		used += (size_t)n;
		if (used == size)
			return -EFBIG;
	}
	return (ssize_t)used;
}

ssize_t sys_read_bytes(int root, const char *path, void *buf, size_t size)
{
	_cleanup_fd_ int fd = openat(root, path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : read_all(fd, buf, size);
}

ssize_t sys_read(int root, const char *path, char *buf, size_t size)
{
	ssize_t n = sys_read_bytes(root, path, buf, size);

	if (n > 0 && buf[n - 1] == '\n')
		n--;
	buf[n < 0 ? 0 : n] = '\0';
	return n;
}

bool sys_exists(int root, const char *path)
{
	while (*path == '/')
		path++;
	return faccessat(root, path, F_OK, 0) == 0;
}

int sys_link(int root, const char *path, char *name, size_t size)
{
	char target[1024];
	const char *base;
	ssize_t n = readlinkat(root, path, target, sizeof(target) - 1);

	name[0] = '\0';
	if (n < 0)
		return -errno;
	target[n] = '\0';
	base = strrchr(target, '/');
	return str_copy(name, size, base ? base + 1 : target) ? 0 : -ENAMETOOLONG;
}

/* One write(): sysfs takes a value whole or not at all. */
int sys_write(int root, const char *path, const char *text)
{
	_cleanup_fd_ int fd = openat(root, path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = write(fd, text, strlen(text));
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int sys_pci_open(int root, const char *bdf)
{
	char path[PATH_SIZE];
	int fd;

	if (!str_format(path, sizeof(path), PCI_DEVICES "/%s", bdf))
		return -ENAMETOOLONG;
	fd = openat(root, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

ssize_t sys_pci_read(int root, const char *bdf, const char *attr, char *buf, size_t size)
{
	char path[PATH_SIZE];

	if (!str_format(path, sizeof(path), PCI_DEVICES "/%s/%s", bdf, attr))
		return -ENAMETOOLONG;
	return sys_read(root, path, buf, size);
}

int sys_pci_link(int root, const char *bdf, const char *link, char *name, size_t size)
{
	char path[PATH_SIZE];

	name[0] = '\0';
	if (!str_format(path, sizeof(path), PCI_DEVICES "/%s/%s", bdf, link))
		return -ENAMETOOLONG;
	return sys_link(root, path, name, size);
}

int sys_pci_write(int root, const char *bdf, const char *attr, const char *text)
{
	char path[PATH_SIZE];

	if (!str_format(path, sizeof(path), PCI_DEVICES "/%s/%s", bdf, attr))
		return -ENAMETOOLONG;
	return sys_write(root, path, text);
}

int sys_pci_lock(int root, const char *bdf)
{
	char path[PATH_SIZE];
	_cleanup_fd_ int fd = -1;

	if (!str_format(path, sizeof(path), PCI_DEVICES "/%s", bdf))
		return -ENAMETOOLONG;
	fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX))
		return -errno;
	return steal_fd(&fd);
}

int sys_pci_class_now(int root, const char *bdf, uint32_t *class)
{
	unsigned char bytes[4];
	char path[PATH_SIZE];
	_cleanup_fd_ int fd = -1;
	ssize_t n;

	if (!str_format(path, sizeof(path), PCI_DEVICES "/%s/config", bdf))
		return -ENAMETOOLONG;
	fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : pread(fd, bytes, sizeof(bytes), CONFIG_REVISION);
	if (n < 0)
		return -errno;
	if (n != sizeof(bytes))
		return -EIO;
	*class = (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 |
		 bytes[0];
	return 0;
}

bool sys_pci_has(int root, const char *bdf, const char *attr)
{
	char path[PATH_SIZE];

	return str_format(path, sizeof(path), PCI_DEVICES "/%s/%s", bdf, attr) &&
	       sys_exists(root, path);
}

/* What getdents64() fills in; readdir() would take memory, which PID 1 must not. */
struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t size;
	uint8_t type;
	char name[];
};

int sys_names_in(int fd, int (*each)(void *arg, const char *name), void *arg)
{
	_Alignas(struct entry) char buf[2048];
	int result = 0;
	long n = 0;

	while (result == 0 && (n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		const struct entry *entry;

		for (long at = 0; result == 0 && at < n; at += entry->size) {
			entry = (const struct entry *)(buf + at);
			if (entry->name[0] != '.')
				result = each(arg, entry->name);
		}
	}
	return n < 0 ? -errno : result;
}

int sys_names(int root, const char *path, int (*each)(void *arg, const char *name), void *arg)
{
	_cleanup_fd_ int fd = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : sys_names_in(fd, each, arg);
}

int sys_pci_each(int root, int (*each)(void *arg, const char *bdf), void *arg)
{
	return sys_names(root, PCI_DEVICES, each, arg);
}

bool sys_driver_exists(int root, const char *driver)
{
	char path[PATH_SIZE];

	return str_format(path, sizeof(path), PCI_DRIVERS "/%s", driver) && sys_exists(root, path);
}

int sys_driver_each(int root, int (*each)(void *arg, const char *driver), void *arg)
{
	return sys_names(root, PCI_DRIVERS, each, arg);
}

int sys_driver_probe(int root, const char *bdf)
{
	return sys_write(root, "sys/bus/pci/drivers_probe", bdf);
}

int sys_autoprobe_off(int root)
{
	return sys_write(root, "sys/bus/pci/drivers_autoprobe", "0");
}

struct buffer {
	char *text;
	size_t size;
};

/* 1: that is the name. */
static int take_vfio(void *arg, const char *name)
{
	const struct buffer *buffer = arg;

	if (str_prefix(name, "noiommu-"))
		return -ENOTTY;
	if (!str_prefix(name, "vfio"))
		return 0;
	return str_copy(buffer->text, buffer->size, name) ? 1 : -ENAMETOOLONG;
}

int sys_vfio_name(int root, const char *bdf, char *name, size_t size)
{
	struct buffer buffer = { .size = size };
	char path[PATH_SIZE];
	int result;

	if (!str_format(path, sizeof(path), PCI_DEVICES "/%s/vfio-dev", bdf))
		return -ENAMETOOLONG;
	buffer.text = name;
	result = sys_names(root, path, take_vfio, &buffer);
	return result > 0 ? 0 : result == 0 ? -ENOENT : result;
}

static int open_node(int root, const char *path, int flags)
{
	int fd = openat(root, path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int sys_vfio_open(int root, const char *name)
{
	char path[PATH_SIZE];

	if (!str_format(path, sizeof(path), "dev/vfio/devices/%s", name))
		return -ENAMETOOLONG;
	return open_node(root, path, O_RDWR);
}

int sys_iommufd_open(int root)
{
	return open_node(root, "dev/iommu", O_RDWR);
}

int sys_null_open(int root)
{
	return open_node(root, "dev/null", O_RDWR);
}

int sys_own_fds_open(void)
{
	int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

bool sys_iommufd_exists(int root)
{
	return sys_exists(root, "dev/iommu");
}

bool sys_kvm_exists(int root)
{
	return sys_exists(root, "dev/kvm");
}

int sys_kvm_group(int root, gid_t gid)
{
	if (fchownat(root, "dev/kvm", 0, gid, 0) || fchmodat(root, "dev/kvm", 0660, 0))
		return -errno;
	return 0;
}

ssize_t sys_smmu_kept(int root, const char *smmu, char *buf, size_t size)
{
	char path[PATH_SIZE];

	if (!str_format(path, sizeof(path), SMMU_DIR "/%s", smmu))
		return -ENAMETOOLONG;
	return sys_read(root, path, buf, size);
}

/* Whole or not at all: two children may keep the same at a time. */
int sys_smmu_keep(int root, const char *smmu, const char *text)
{
	char made[PATH_SIZE];
	char path[PATH_SIZE];
	int error;

	if (!str_format(path, sizeof(path), SMMU_DIR "/%s", smmu) ||
	    !str_format(made, sizeof(made), SMMU_DIR "/.%s.%d", smmu, (int)getpid()))
		return -ENAMETOOLONG;
	mkdirat(root, RUN_DIR, 0755);
	mkdirat(root, SMMU_DIR, 0755);
	error = mknodat(root, made, S_IFREG | 0644, 0) ? -errno : sys_write(root, made, text);
	if (!error && renameat(root, made, root, path))
		error = -errno;
	if (error)
		unlinkat(root, made, 0);
	return error;
}

int sys_iommufd_of(int root, pid_t pid, int fd)
{
	_cleanup_fd_ int process = (int)syscall(SYS_pidfd_open, pid, 0);
	_cleanup_fd_ int copy = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, fd, 0);
	struct stat node;
	struct stat now;

	if (copy < 0 || fstatat(root, "dev/iommu", &node, 0) || fstat(copy, &now))
		return -errno;
	if (!S_ISCHR(now.st_mode) || now.st_rdev != node.st_rdev)
		return -ENOTTY;
	return steal_fd(&copy);
}

static uint64_t meminfo(int root, const char *label)
{
	char text[4096];
	const char *at;
	ssize_t n = sys_read(root, "proc/meminfo", text, sizeof(text));

	at = n < 0 ? NULL : strstr(text, label);
	return at ? strtoull(at + strlen(label), NULL, 10) : 0;
}

uint64_t sys_memory_kib(int root)
{
	return meminfo(root, "MemTotal:");
}

uint64_t sys_memory_free_kib(int root)
{
	return meminfo(root, "MemFree:");
}

int sys_mount_all(const char **where)
{
	static const struct {
		const char *type, *on, *options;
		unsigned long flags;
	} table[] = {
		{ "proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
		{ "sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
		{ "devtmpfs", "/dev", "mode=0755", MS_NOSUID | MS_NOEXEC },
		{ "tmpfs", "/run", "mode=0755,size=16m", MS_NOSUID | MS_NODEV | MS_NOEXEC },
		{ "tmpfs", "/tmp", "mode=1777,size=64m", MS_NOSUID | MS_NODEV },
		{ "cgroup2", "/sys/fs/cgroup", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
		{ "efivarfs", "/sys/firmware/efi/efivars", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
		{ "pstore", "/sys/fs/pstore", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
		{ "securityfs", "/sys/kernel/security", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	};
	int first = 0;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		/* A kernel without EFI, pstore or LSMs has no folder for it: nothing is amiss. */
		if (access(table[i].on, F_OK))
			continue;
		if (mount(table[i].type, table[i].on, table[i].type, table[i].flags,
			  table[i].options) &&
		    errno != EBUSY && first == 0) {
			first = -errno;
			*where = table[i].on;
		}
	}
	return first;
}

const char *cmdline_rest(const char *cmdline)
{
	const char *word = cmdline + strspn(cmdline, " \t\n");

	while (*word) {
		size_t len = strcspn(word, " \t\n");

		if (len == 2 && strncmp(word, "--", len) == 0)
			return word;
		word += len;
		word += strspn(word, " \t\n");
	}
	return word;
}

/* Whether an earlier word of the command line names the same console. */
static bool was_named(const char *cmdline, const char *word, size_t len)
{
	const char *at;

	for (at = cmdline; at < word; at++)
		if (strncmp(at, word, len) == 0 && strchr(", \n", at[len]) &&
		    (at == cmdline || at[-1] == ' '))
			return true;
	return false;
}

void sys_console_each(void (*each)(void *arg, const char *path, unsigned baud), void *arg)
{
	static const char key[] = "console=";
	char cmdline[4096] = "";
	char path[PATH_SIZE];
	bool any = false;

	if (sys_cmdline(cmdline, sizeof(cmdline)) < 0)
		cmdline[0] = '\0';
	/* What the kernel does not heed names no console either. */
	cmdline[strlen(cmdline) - strlen(cmdline_rest(cmdline))] = '\0';
	for (const char *at = cmdline; (at = strstr(at, key)); at += sizeof(key) - 1) {
		const char *name = at + sizeof(key) - 1;
		size_t len = strcspn(name, ", \n");

		if ((at > cmdline && at[-1] != ' ') ||
		    was_named(cmdline, at, sizeof(key) - 1 + len))
			continue;
		str_format(path, sizeof(path), "/dev/%.*s", (int)len, name);
		if (access(path, R_OK | W_OK))
			continue;
		any = true;
		each(arg, path, name[len] == ',' ? (unsigned)strtoul(name + len + 1, NULL, 10) : 0);
	}
	if (!any)
		each(arg, "/dev/console", 0);
}

int sys_tty_open(const char *path)
{
	return open_node(AT_FDCWD, path, O_RDWR | O_NOCTTY | O_NONBLOCK);
}

int sys_kmsg_open(void)
{
	return open_node(AT_FDCWD, "/dev/kmsg", O_WRONLY | O_NONBLOCK);
}

int sys_kmsg_follow(void)
{
	int fd = open_node(AT_FDCWD, "/dev/kmsg", O_RDONLY | O_NONBLOCK);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

void sys_printk_quiet(void)
{
	klogctl(SYSLOG_ACTION_CONSOLE_LEVEL, NULL, 1);
}

ssize_t sys_cmdline(char *buf, size_t size)
{
	return sys_read(AT_FDCWD, "/proc/cmdline", buf, size);
}

int sys_kernel_release(char *buf, size_t size)
{
	struct utsname uts;
	int error = uname(&uts) ? -errno : 0;

	if (!error && str_copy(buf, size, uts.release))
		return 0;
	buf[0] = '\0';
	return error ? error : -ENAMETOOLONG;
}

void sys_unblock_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

int sys_close_range(unsigned first, unsigned last)
{
	/* musl has no close_range() before 1.2.6. */
	return syscall(SYS_close_range, first, last, 0) ? -errno : 0;
}
