/* SPDX-License-Identifier: GPL-2.0-or-later */
/* https://systemd.io/AUTOMATIC_BOOT_ASSESSMENT says how names are made. */
#include "bootentry.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sys_machine.h"
#include "util.h"

enum { MOST = 999999 }; /* more is no count */

/* A number at *at, which is moved behind it. */
static bool read_count(const char **at, unsigned *count)
{
	size_t digits = strspn(*at, "0123456789");

	if (!digits || strtoul(*at, NULL, 10) > MOST)
		return false;
	*count = (unsigned)strtoul(*at, NULL, 10);
	*at += digits;
	return true;
}

/* "+LEFT" or "+LEFT-DONE", just before the suffix. */
static bool read_counters(const char *plus, const char *suffix, struct bootentry *entry)
{
	const char *at = plus + 1;

	if (!read_count(&at, &entry->left))
		return false;
	if (*at == '-' && (at++, !read_count(&at, &entry->done)))
		return false;
	return at == suffix;
}

static bool take_folder(const char *path, const char *end, struct bootentry *entry)
{
	path += strspn(path, "/");
	if (end <= path ||
	    !str_format(entry->folder, sizeof(entry->folder), "%.*s", (int)(end - path), path))
		return false;
	/* Of a path that firmware hands over nothing leads out of the partition. */
	return !strstr(entry->folder, "..");
}

bool bootentry_parse(const char *path, struct bootentry *entry)
{
	char text[BOOTENTRY_PATH];
	const char *suffix;
	char *slash;
	char *plus;

	*entry = (struct bootentry){ 0 };
	if (!str_copy(text, sizeof(text), path))
		return false;
	for (char *at = text; (at = strchr(at, '\\'));)
		*at = '/';
	slash = strrchr(text, '/');
	if (!slash || !slash[1] || !take_folder(text, slash, entry))
		return false;
	str_copy(entry->name, sizeof(entry->name), slash + 1);
	str_copy(entry->good, sizeof(entry->good), slash + 1);
	suffix = strrchr(entry->name, '.');
	plus = strrchr(entry->name, '+');
	if (!suffix || !plus || plus == entry->name || !read_counters(plus, suffix, entry)) {
		entry->left = entry->done = 0;
		return true;
	}
	entry->counted = true;
	str_format(entry->good, sizeof(entry->good), "%.*s%s", (int)(plus - entry->name),
		   entry->name, suffix);
	return true;
}

bool bootentry_booted(int root, struct bootentry *entry)
{
	static const char *const names[] = { "LoaderBootCountPath", "StubImageIdentifier" };
	char path[SYS_EFI_PATH];
	char text[BOOTENTRY_PATH];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (sys_efi_path(names[i], SYS_EFI_LOADER, path) &&
		    sys_efi_text(root, path, text, sizeof(text)) > 0)
			return bootentry_parse(text, entry) && (entry->by_loader = i == 0, true);
	*entry = (struct bootentry){ 0 };
	return false;
}

int bootentry_bless(int esp, const struct bootentry *entry)
{
	_cleanup_fd_ int folder = openat(esp, entry->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int file = -1;

	if (folder < 0)
		return -errno;
	if (!entry->counted)
		return 0;
	file = openat(folder, entry->name, O_RDONLY | O_CLOEXEC);
	if (renameat2(folder, entry->name, folder, entry->good, RENAME_NOREPLACE)) {
		int error = errno;

		if (error != ENOENT || faccessat(folder, entry->good, F_OK, 0))
			return -error;
	}
	/*
	 * On FAT the new name is one for nothing until the file itself is synced. Were the folder written
	 * before, a power failure could leave an empty image.
	 */
	if (file >= 0 && fsync(file))
		return -errno;
	return fsync(folder) ? -errno : 0;
}
