/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the boot loader can boot: the images on the EFI system partition. Who looks is a child, for it
 * takes a disk; what it has found is in memory that it shares with PID 1.
 */
#ifndef HVINIT_IMAGES_H
#define HVINIT_IMAGES_H

#include <stdbool.h>

#include "bootentry.h"

enum { IMAGES = 64, IMAGE_NAME = 96, IMAGE_VERSION = 32 };

struct image_file {
	char name[IMAGE_NAME]; /* in the boot folder */
	char version[IMAGE_VERSION]; /* as its name has it: "0.2.0" of "hvinit_0.2.0+2-1.efi" */
	bool counted; /* on trial: the loader counts its tries */
	unsigned left;
	unsigned done;
};

struct images {
	bool looked; /* false: nobody could, or has yet */
	unsigned count; /* in the order of their versions, the newest first */
	unsigned more; /* that there was no room for */
	struct image_file file[IMAGES];
};

/*
 * Takes apart the name of a file in the boot folder; in whatever case, for FAT does not tell capitals.
 * False: it is no image of hvinit's.
 */
bool images_parse(const char *name, struct bootentry *entry, char version[IMAGE_VERSION]);

/* Makes the memory; before the first child. 0 or a negative errno. */
int images_init(void);

/* Looks at the folder at the top of the partition; 0 or a negative errno. For a child. */
int images_look(int esp);

/* What was found last; it can change at any time. */
const struct images *images_found(void);

/* Whether there is one that the loader would boot and that has neither of these two names, in any case. */
bool images_has_other(const struct images *images, const char *name, const char *good);

#endif
