/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads modules by depmod's modules.dep, without which a busybox would have to be in the image. */
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "sys.h"
#include "util.h"

enum { DEP_SIZE = 128 * 1024, PATH_SIZE = 512 };

/* Kernel names have '_' where file names may have '-'. */
static bool same_name(const char *path, size_t len, const char *name)
{
	static const char suffix[] = ".ko";
	size_t base = len;

	while (base > 0 && path[base - 1] != '/')
		base--;
	path += base;
	len -= base;
	if (len <= sizeof(suffix) - 1 || len - (sizeof(suffix) - 1) != strlen(name) ||
	    strncmp(path + len - (sizeof(suffix) - 1), suffix, sizeof(suffix) - 1) != 0)
		return false;
	for (; *name; name++, path++)
		if (*name != *path && !(strchr("-_", *name) && strchr("-_", *path)))
			return false;
	return true;
}

static int insert(int folder, const char *path, size_t len)
{
	_cleanup_fd_ int fd = -1;
	char name[PATH_SIZE];

	if (len >= sizeof(name))
		return -ENAMETOOLONG;
	memcpy(name, path, len);
	name[len] = '\0';
	fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
		return -errno;
	return 0;
}

/* A line is "module.ko: first.ko second.ko": what it needs most directly comes first. */
static int insert_line(int folder, const char *line, size_t module_len)
{
	const char *first = line + module_len + 1;
	const char *end = first + strcspn(first, "\n");
	int error = 0;

	while (end > first && !error) {
		const char *start = end;

		while (start > first && start[-1] != ' ')
			start--;
		if (end > start)
			error = insert(folder, start, (size_t)(end - start));
		end = start > first ? start - 1 : first;
	}
	return error ? error : insert(folder, line, module_len);
}

int module_load(int root, const char *name)
{
	static char dep[DEP_SIZE];
	_cleanup_fd_ int folder = -1;
	char release[SYS_NAME];
	char path[PATH_SIZE];
	const char *line = dep;
	ssize_t n;

	if (sys_kernel_release(release, sizeof(release)) ||
	    !str_format(path, sizeof(path), "usr/lib/modules/%s", release))
		return -ENAMETOOLONG;
	folder = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -errno;
	n = sys_read(folder, "modules.dep", dep, sizeof(dep));
	if (n < 0)
		return (int)n;
	while (*line) {
		size_t len = strcspn(line, ":\n");

		if (line[len] == ':' && same_name(line, len, name))
			return insert_line(folder, line, len);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return -ENOENT;
}
