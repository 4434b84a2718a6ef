/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where an image to update to comes from: a medium with a label, or a path. */
#ifndef HVINIT_UPDATE_SOURCE_H
#define HVINIT_UPDATE_SOURCE_H

#include <stdint.h>

#include "diag.h"
#include "symbols.h"

/* What a medium is called: its ISO 9660 volume, GPT partition or FAT file system. */
#define UPDATE_LABEL "HVINIT-UPDATE"
/* What the image is called on it. */
#define UPDATE_FILE "hvinit.efi"

/* Opens a file: what is none, a device for one, is refused. */
int update_source_path(int root, const char *path, struct diag *diag);

/*
 * Looks for the medium, which has until deadline_us (boottime_us()) to appear, and opens the image on
 * it. What a disk of a VM's has on it is not looked at: its guest could have written it.
 */
int update_source_medium(int root, const struct config *config, uint64_t deadline_us,
			 struct diag *diag);

/*
 * Both return a descriptor that the caller owns (close-on-exec), or -1 with a finding, whose subject
 * is the path or UPDATE_LABEL. They block: for a child.
 */

/* Loads the drivers of USB sticks and CDs, and probes what no VM has for them. */
void update_source_drivers(int root, const struct config *config);

#endif
