/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addons that are on the EFI system partition, have a manifest for this machine, and were not loaded:
 * the image's stub leaves out what it cannot trust or read, and has nowhere to say so. Who looks is a
 * child; what it has found is in memory that it shares with PID 1.
 */
#ifndef HVINIT_ADDON_H
#define HVINIT_ADDON_H

#include "diag.h"

/* Makes the memory; before the first child. 0 or a negative errno. */
int addon_init(void);

/*
 * Looks in the folder at the top of the partition, where image (its path there, without counters) has
 * its addons, for manifests that root has not. For a child.
 */
void addon_look(int root, int esp, const char *image);

/* Adds what was found as warnings. */
void addon_findings(struct diag *diag);

#endif
