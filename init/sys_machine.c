/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Paths and formats of the kernel's files that tell of the machine itself. */
#include "sys_machine.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <linux/fs.h>
#include <linux/magic.h>

#include "util.h"

#define EFI "sys/firmware/efi"
#define EFI_VARIABLES EFI "/efivars"
#define LOCKDOWN "sys/kernel/security/lockdown"
#define PSTORE "sys/fs/pstore"
#define INPUT "dev/input"

enum { PATH_SIZE = 256, VALUE = 4096 /* of a variable that matters here */ };

/* --- watchdog and buttons --- */

int sys_watchdog_open(int root)
{
	int fd = openat(root, "dev/watchdog", O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

struct prefixed {
	const char *prefix;
	int (*each)(void *arg, const char *name);
	void *arg;
};

static int pass_prefixed(void *arg, const char *name)
{
	const struct prefixed *only = arg;

	return str_prefix(name, only->prefix) ? only->each(only->arg, name) : 0;
}

int sys_input_each(int root, int (*each)(void *arg, const char *name), void *arg)
{
	struct prefixed only = { "event", each, arg };

	return sys_names(root, INPUT, pass_prefixed, &only);
}

int sys_input_open(int root, const char *name)
{
	char path[PATH_SIZE];
	int fd;

	if (!str_format(path, sizeof(path), INPUT "/%s", name))
		return -ENAMETOOLONG;
	fd = openat(root, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* --- firmware variables --- */

bool sys_efi_exists(int root)
{
	return sys_exists(root, EFI_VARIABLES);
}

bool sys_efi_path(const char *name, const char *vendor, char path[SYS_EFI_PATH])
{
	return str_format(path, SYS_EFI_PATH, EFI_VARIABLES "/%s-%s", name, vendor);
}

ssize_t sys_efi_read(int root, const char *path, char *buf, size_t size)
{
	ssize_t n = sys_read(root, path, buf, size);

	if (n < 0)
		return n;
	if (n < SYS_EFI_ATTRIBUTES) {
		buf[0] = '\0';
		return -EBADMSG;
	}
	n -= SYS_EFI_ATTRIBUTES;
	memmove(buf, buf + SYS_EFI_ATTRIBUTES, (size_t)n + 1);
	return n;
}

ssize_t sys_efi_global(int root, const char *name, void *buf, size_t size)
{
	char value[SYS_EFI_ATTRIBUTES + VALUE];
	char path[SYS_EFI_PATH];
	ssize_t n;

	if (!sys_efi_path(name, SYS_EFI_GLOBAL, path))
		return -ENAMETOOLONG;
	n = sys_read_bytes(root, path, value, sizeof(value));
	if (n < 0)
		return n;
	if (n < SYS_EFI_ATTRIBUTES)
		return -EBADMSG;
	n -= SYS_EFI_ATTRIBUTES;
	if ((size_t)n > size)
		return -EFBIG;
	memcpy(buf, value + SYS_EFI_ATTRIBUTES, (size_t)n);
	return n;
}

ssize_t sys_efi_text(int root, const char *path, char *buf, size_t size)
{
	char value[2 * PATH_SIZE];
	ssize_t n = sys_efi_read(root, path, value, sizeof(value));
	size_t used = 0;

	if (n < 0)
		return n;
	for (ssize_t i = 0; i + 1 < n && (value[i] || value[i + 1]); i += 2) {
		if (used + 1 >= size)
			return -EFBIG;
		buf[used++] = (char)(value[i + 1] || value[i] < ' ' ? '?' : value[i]);
	}
	buf[used] = '\0';
	return (ssize_t)used;
}

struct variables {
	const char *prefix;
	const char *vendor;
	int (*each)(void *arg, const char *name);
	void *arg;
};

static int pass_variable(void *arg, const char *file)
{
	const struct variables *only = arg;
	size_t vendor = strlen(only->vendor) + 1;
	size_t len = strlen(file);
	char name[PATH_SIZE];

	if (!str_prefix(file, only->prefix) || len <= vendor ||
	    strcmp(file + len - vendor + 1, only->vendor) != 0 ||
	    !str_format(name, sizeof(name), "%.*s", (int)(len - vendor), file))
		return 0;
	return only->each(only->arg, name);
}

int sys_efi_each(int root, const char *prefix, const char *vendor,
		 int (*each)(void *arg, const char *name), void *arg)
{
	struct variables only = { prefix, vendor, each, arg };

	return sys_names(root, EFI_VARIABLES, pass_variable, &only);
}

/*
 * The kernel guards variables that it does not know against rm -r by a flag, which stands in our
 * way as well. Where there is no such flag, the next step tells what is amiss.
 */
static void make_mutable(int root, const char *path)
{
	_cleanup_fd_ int fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	int none = 0;

	if (fd >= 0)
		(void)ioctl(fd, FS_IOC_SETFLAGS, &none);
}

int sys_efi_write(int root, const char *path, const void *data, size_t size)
{
	_cleanup_fd_ int fd = -1;
	ssize_t n;

	make_mutable(root, path);
	fd = openat(root, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	n = write(fd, data, size);
	return n < 0 ? -errno : 0;
}

int sys_efi_remove(int root, const char *path)
{
	make_mutable(root, path);
	return unlinkat(root, path, 0) ? -errno : 0;
}

int sys_secure_boot(int root)
{
	_cleanup_fd_ int folder = openat(root, EFI_VARIABLES, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned char value[SYS_EFI_ATTRIBUTES + 2];
	struct statfs fs;
	ssize_t n;

	if (!sys_exists(root, EFI))
		return 0;
	if (folder < 0 || fstatfs(folder, &fs))
		return -errno;
	/* An empty folder is no firmware without Secure Boot. */
	if (fs.f_type != EFIVARFS_MAGIC)
		return -ENODEV;
	n = sys_read_bytes(folder, "SecureBoot-" SYS_EFI_GLOBAL, value, sizeof(value));
	if (n < 0)
		return n == -ENOENT ? 0 : (int)n;
	if (n != SYS_EFI_ATTRIBUTES + 1)
		return -EBADMSG;
	return value[SYS_EFI_ATTRIBUTES] != 0;
}

/* --- lockdown --- */

/* "none [integrity] confidentiality" */
int sys_lockdown(int root, char *word, size_t size)
{
	char text[128];
	ssize_t n = sys_read(root, LOCKDOWN, text, sizeof(text));
	const char *begin = n < 0 ? NULL : strchr(text, '[');
	size_t len = begin ? strcspn(begin + 1, "]") : 0;

	word[0] = '\0';
	if (n < 0)
		return (int)n;
	if (!len || begin[1 + len] != ']')
		return -EBADMSG;
	return str_format(word, size, "%.*s", (int)len, begin + 1) ? 0 : -ENAMETOOLONG;
}

/* --- a panic's last words --- */

int sys_pstore_each(int root, int (*each)(void *arg, const char *name), void *arg)
{
	struct prefixed only = { "dmesg-", each, arg };

	return sys_names(root, PSTORE, pass_prefixed, &only);
}

ssize_t sys_pstore_read(int root, const char *name, char *buf, size_t size)
{
	char path[PATH_SIZE];

	if (!str_format(path, sizeof(path), PSTORE "/%s", name))
		return -ENAMETOOLONG;
	return sys_read(root, path, buf, size);
}

int sys_pstore_remove(int root, const char *name)
{
	char path[PATH_SIZE];

	if (!str_format(path, sizeof(path), PSTORE "/%s", name))
		return -ENAMETOOLONG;
	return unlinkat(root, path, 0) ? -errno : 0;
}

/* --- who is where --- */

/* Digits stand where they do in "01234567-89ab-cdef-0123-456789abcdef". */
static bool is_uuid(const char *text)
{
	for (size_t n = 0; n < SYS_MACHINE_UUID - 1; n++)
		if (n == 8 || n == 13 || n == 18 || n == 23 ? text[n] != '-' :
							      !isxdigit((unsigned char)text[n]))
			return false;
	return text[SYS_MACHINE_UUID - 1] == '\0';
}

int sys_machine_uuid(int root, char uuid[SYS_MACHINE_UUID])
{
	char text[2 * SYS_MACHINE_UUID];
	ssize_t n = sys_read(root, "sys/class/dmi/id/product_uuid", text, sizeof(text));

	uuid[0] = '\0';
	if (n < 0)
		return (int)n;
	for (char *c = text; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (!is_uuid(text) || strspn(text, "0-") == SYS_MACHINE_UUID - 1 ||
	    strspn(text, "f-") == SYS_MACHINE_UUID - 1)
		return -ENODATA;
	memcpy(uuid, text, SYS_MACHINE_UUID);
	return 0;
}

bool sys_pci_is_below(int root, const char *bdf, const char *port)
{
	char path[PATH_SIZE];
	char target[1024];
	ssize_t n;

	if (!str_format(path, sizeof(path), "sys/bus/pci/devices/%s", bdf))
		return false;
	n = readlinkat(root, path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	/* "../../../devices/pci0000:40/0000:40:00.0/0000:41:00.0" */
	return str_format(path, sizeof(path), "/%s/", port) && strstr(target, path);
}

pid_t sys_process_of(int root, pid_t thread)
{
	static const char label[] = "\nTgid:";
	char path[PATH_SIZE];
	char text[4096];
	const char *at;
	ssize_t n;

	str_format(path, sizeof(path), "proc/%d/status", (int)thread);
	n = sys_read(root, path, text, sizeof(text));
	if (n < 0)
		return (pid_t)n;
	at = strstr(text, label);
	return at ? (pid_t)strtol(at + sizeof(label) - 1, NULL, 10) : -EBADMSG;
}
