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
	ARGV_FD_CTL = 13, /* 12 is the launcher's report pipe */
	ARGV_FD_IOMMUFD = 20,
	ARGV_FD_HOSTDEV = 21, /* + position in the plan */
	ARGV_FD_DISK = 40, /* + slot */
	ARGV_FD_NET = 44, /* + slot */
	ARGV_FD_FIRMWARE = 48, /* with kept variables: the code and they are two flash chips */
	ARGV_FD_VARS = 49,
	ARGV_FD_END,
};

_Static_assert(ARGV_FD_HOSTDEV + HV_HOSTDEV_SLOTS <= ARGV_FD_DISK, "places of devices");
_Static_assert(ARGV_FD_DISK + HV_DISK_SLOTS <= ARGV_FD_NET, "places of disks");
_Static_assert(ARGV_FD_NET + HV_NET_SLOTS <= ARGV_FD_FIRMWARE, "places of taps");

/* Bytes of each of the virt machine's two flash chips (QEMU: hw/arm/virt.c). */
#define QEMU_FLASH_BYTES (UINT64_C(64) << 20)

/* A full manifest has a little over half of both; test_argv.c holds one against them. */
enum { ARGV_WORDS = 1024, ARGV_TEXT = 64 * 1024 };

struct argv {
	unsigned count;
	unsigned used; /* bytes of text */
	bool overflow; /* some word did not fit: the argv must not be used */
	char *word[ARGV_WORDS + 1]; /* NULL at the end, for execve() */
	char text[ARGV_TEXT];
};

/* Builds the words; argv points into itself, so it must not be copied. */
void argv_build(const struct plan *plan, struct argv *argv);

/*
 * The device i of the plan as QEMU is told of it, in JSON, its descriptor being called fd: for -device
 * its number, for device_add the name that getfd gave it. False when it does not fit.
 */
bool argv_hostdev(const struct plan *plan, unsigned i, const char *fd, char *json, size_t size);

/*
 * Reads the next word of VMn_QEMU_ARGS from *at, which is moved behind it: words are separated by
 * spaces, single quotes keep spaces together. 1, or 0 at the end; -EINVAL when a quote is open,
 * -E2BIG when the word does not fit.
 */
int argv_next(const char **at, char *word, size_t size);

/* One option with its value a line, quoted for a shell. */
void argv_print(const struct argv *argv, FILE *out);

#endif
