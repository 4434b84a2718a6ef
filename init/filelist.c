/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list as it is: a path is found between two newlines. */
#include "filelist.h"

#include <errno.h>
#include <fcntl.h>

#include "util.h"
#include "variant.h"

bool filelist_load(const char *path, struct filelist *list, struct diag *diag)
{
	_cleanup_fd_ int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) :
						       open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : 1;

	list->text[0] = '\n';
	list->len = 1;
	while (n > 0 && list->len < sizeof(list->text) - 1) {
		n = read(fd, list->text + list->len, sizeof(list->text) - 1 - list->len);
		list->len += n > 0 ? (size_t)n : 0;
	}
	if (n != 0) {
		diag_add(diag, DIAG_HOST, DIAG_FILES_READ, path, "read it: %s",
			 n < 0 ? strerror(errno) : "it is too large");
		return false;
	}
	list->text[list->len++] = '\n';
	return true;
}

bool filelist_has(const struct filelist *list, const char *path)
{
	char line[512];

	return str_format(line, sizeof(line), "\n%s\n", path) &&
	       memmem(list->text, list->len, line, strlen(line));
}

bool filelist_has_module(const struct filelist *list, const char *name)
{
	static const char suffix[] = ".ko\n";
	const char *at = list->text;
	const char *end = list->text + list->len;

	while ((at = memmem(at, (size_t)(end - at), suffix, sizeof(suffix) - 1))) {
		const char *from = at;
		char base[64];

		while (from > list->text && from[-1] != '/' && from[-1] != '\n')
			from--;
		if (str_format(base, sizeof(base), "%.*s", (int)(at - from), from) &&
		    variant_same(base, name))
			return true;
		at += sizeof(suffix) - 1;
	}
	return false;
}
