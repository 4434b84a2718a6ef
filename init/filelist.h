/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an image holds, a path a line, so that a manifest can be checked where it is made. */
#ifndef HVINIT_FILELIST_H
#define HVINIT_FILELIST_H

#include <stdbool.h>
#include <stddef.h>

#include "diag.h"

enum { FILELIST_MAX = 512 * 1024 }; /* bytes; an image's has some 20 KiB */

struct filelist {
	size_t len;
	char text[FILELIST_MAX]; /* begins and ends with a newline */
};

/* Reads a list ("-" is standard input); false with a finding when it cannot be read. */
bool filelist_load(const char *path, struct filelist *list, struct diag *diag);

/* Whether the image holds the absolute path. */
bool filelist_has(const struct filelist *list, const char *path);

/* Whether the image holds the kernel module of that name, '-' and '_' alike. */
bool filelist_has_module(const struct filelist *list, const char *name);

#endif
