/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file that the boot loader has booted, with the tries that it counts in its name: systemd's
 * Automatic Boot Assessment. "hvinit_1.0+2-1.efi" has two tries left and one behind it.
 */
#ifndef HVINIT_BOOTENTRY_H
#define HVINIT_BOOTENTRY_H

#include <stdbool.h>

enum { BOOTENTRY_PATH = 256 };

struct bootentry {
	char folder[BOOTENTRY_PATH]; /* on the EFI system partition: "EFI/Linux" */
	char name[BOOTENTRY_PATH]; /* as it is now */
	char good[BOOTENTRY_PATH]; /* without counters: tries are counted no more */
	bool counted;
	bool by_loader; /* of bootentry_booted(): the loader has taken the try off */
	unsigned left;
	unsigned done;
};

/*
 * Takes apart a path as LoaderBootCountPath has it, with backslashes or slashes. False when it is none
 * of a file with a folder, has "..", or is too long. What is no counter belongs to the name.
 */
bool bootentry_parse(const char *path, struct bootentry *entry);

/*
 * The file that this boot has come from, as the loader or its stub tells; root stands for /. False when
 * nobody does. Asks the firmware.
 */
bool bootentry_booted(int root, struct bootentry *entry);

/*
 * Gives the file its good name, and sees to it that this lasts: for a child, it writes to a disk. esp
 * is the EFI system partition's root. 0, also when somebody was quicker, or a negative errno; -EEXIST:
 * both names are there.
 */
int bootentry_bless(int esp, const struct bootentry *entry);

#endif
