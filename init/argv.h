/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's words for a plan. Pure: the same on the build machine and on the target. */
#ifndef HVINIT_ARGV_H
#define HVINIT_ARGV_H

#include <stdio.h>

#include "plan.h"

#define QEMU_PATH "/usr/bin/qemu-system-aarch64"

/*
 * Descriptors have fixed numbers, so that the words do not depend on what happens to be open. The
 * launcher puts each there, and nothing else stays open in QEMU but 0, 1 and 2.
 */
enum argv_fd {
	ARGV_FD_QMP = 10,
	ARGV_FD_SERIAL = 11,
	ARGV_FD_IOMMUFD = 20,
	ARGV_FD_HOSTDEV = 21, /* + position in the plan */
	ARGV_FD_END = ARGV_FD_HOSTDEV + HV_HOSTDEV_SLOTS,
};

enum { ARGV_WORDS = 192, ARGV_TEXT = 16 * 1024 };

struct argv {
	unsigned count;
	unsigned used; /* bytes of text */
	bool overflow; /* some word did not fit: the argv must not be used */
	char *word[ARGV_WORDS + 1]; /* NULL at the end, for execve() */
	char text[ARGV_TEXT];
};

/* Builds the words; argv points into itself, so it must not be copied. */
void argv_build(const struct plan *plan, struct argv *argv);

/* One option with its value a line, quoted for a shell. */
void argv_print(const struct argv *argv, FILE *out);

#endif
