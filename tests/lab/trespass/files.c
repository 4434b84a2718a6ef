/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files that are not its own, and files that it may not write to. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>
#include <linux/random.h>

#include "trespass.h"
#include "util.h"

#define LIBRARY "/usr/lib/aarch64-linux-gnu/libc.so.6"
#define MARK "/trespass.new"

static int opens(const char *path, int flags)
{
	_cleanup_fd_ int fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);

	return outcome(fd);
}

#define ATTEMPT(name, error, layer, what)
#define LOOK(name, path)                      \
	int try_##name(void)                  \
	{                                     \
		return opens(path, O_RDONLY); \
	}
#include "trespass.def"
#undef ATTEMPT
#undef LOOK

/* --- what is to be seen --- */

static int is_among(const char *name, const char *const names[])
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return 1;
	return 0;
}

/* Looks for something in a folder that is none of those. */
static int find_besides(const char *path, const char *const names[])
{
	DIR *folder = opendir(path);
	const struct dirent *entry;

	if (!folder)
		return -errno;
	while ((entry = readdir(folder)))
		if (entry->d_name[0] != '.' && !is_among(entry->d_name, names))
			break;
	closedir(folder);
	return entry ? 0 : -ENOENT;
}

int try_root_folder(void)
{
	static const char *const names[] = { "dev", "lib", "usr", NULL };

	return find_besides("/", names);
}

int try_programs(void)
{
	static const char *const names[] = { "qemu-system-aarch64", NULL };

	return find_besides("/usr/bin", names);
}

int try_devices(void)
{
	static const char *const names[] = { "kvm", "null", "urandom", NULL };

	return find_besides("/dev", names);
}

/* The test leaves one open outside. */
int try_inherited_folder(void)
{
	struct stat st;

	for (int fd = 0; fd < 1024; fd++)
		if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
			return outcome(fchdir(fd));
	return -ENOENT;
}

/* Control groups are a file system that gives handles on every kernel. */
int try_file_handle(void)
{
	union {
		struct file_handle head;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} handle = { .head.handle_bytes = MAX_HANDLE_SZ };
	_cleanup_fd_ int mount = open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int fd = -1;
	int id;

	if (name_to_handle_at(AT_FDCWD, "/sys/fs/cgroup", &handle.head, &id, 0))
		return -errno;
	fd = open_by_handle_at(mount, &handle.head, O_RDONLY);
	return outcome(fd);
}

int try_exec_shell(void)
{
	static char name[] = "busybox";
	static char applet[] = "true";
	static char *const words[] = { name, applet, NULL };

	return outcome(execv("/usr/bin/busybox", words));
}

int try_control_socket(void)
{
	static const struct sockaddr_un to = { AF_UNIX, "/run/hvinit/ctl" };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return outcome(connect(fd, (const struct sockaddr *)&to, sizeof(to)));
}

/* --- new files --- */

static int create(const char *path)
{
	int error = opens(path, O_WRONLY | O_CREAT | O_EXCL);

	unlink(path);
	return error;
}

int try_create_in_root(void)
{
	return create(MARK);
}

int try_create_in_tmp(void)
{
	return create("/tmp" MARK);
}

int try_mkdir(void)
{
	int error = outcome(mkdir(MARK, 0700));

	rmdir(MARK);
	return error;
}

int try_mkfifo(void)
{
	int error = outcome(mkfifo(MARK, 0600));

	unlink(MARK);
	return error;
}

int try_symlink(void)
{
	int error = outcome(symlink("/", MARK));

	unlink(MARK);
	return error;
}

int try_link(void)
{
	int error = outcome(link(FIRMWARE, FIRMWARE ".link"));

	unlink(FIRMWARE ".link");
	return error;
}

int try_bind_socket(void)
{
	static const struct sockaddr_un at = { AF_UNIX, MARK };
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error = outcome(bind(fd, (const struct sockaddr *)&at, sizeof(at)));

	unlink(MARK);
	return error;
}

/* As /dev/mem would be, of which this kernel has none: any device will do. */
int try_mknod(void)
{
	int error = outcome(mknod(MARK, S_IFCHR | 0600, makedev(1, 5)));

	if (!error)
		error = opens(MARK, O_RDONLY);
	unlink(MARK);
	return error;
}

/* --- files of the room --- */

int try_write_library(void)
{
	return opens(LIBRARY, O_WRONLY);
}

int try_write_firmware(void)
{
	return opens(FIRMWARE, O_WRONLY);
}

int try_truncate(void)
{
	struct stat st;

	return outcome(stat(FIRMWARE, &st) ? -1 : truncate(FIRMWARE, st.st_size));
}

int try_rename(void)
{
	if (rename(FIRMWARE, FIRMWARE ".away"))
		return -errno;
	return outcome(rename(FIRMWARE ".away", FIRMWARE));
}

/* A link, where there can be one, keeps what it removes. */
int try_unlink(void)
{
	link(FIRMWARE, FIRMWARE ".kept");
	if (unlink(FIRMWARE))
		return -errno;
	return outcome(rename(FIRMWARE ".kept", FIRMWARE));
}

int try_chmod(void)
{
	return outcome(chmod(FIRMWARE, 0644));
}

int try_chown(void)
{
	return outcome(chown(FIRMWARE, 0, 0));
}

int try_utimes(void)
{
	static const struct timespec now[] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };

	return outcome(utimensat(AT_FDCWD, FIRMWARE, now, 0));
}

/* --- a device that it has --- */

int try_write_entropy(void)
{
	return outcome(open("/dev/urandom", O_WRONLY | O_CLOEXEC));
}

int try_ask_entropy(void)
{
	_cleanup_fd_ int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	int bits;

	return outcome(ioctl(fd, RNDGETENTCNT, &bits));
}
