/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A boot option of the firmware's that leads straight to an image, past the boot loader: what the
 * firmware falls through to when the loader gives up (UEFI Specification 2.10, sections 3.1.3 and 10.3).
 */
#ifndef HVINIT_BOOTOPT_H
#define HVINIT_BOOTOPT_H

#include "sys_esp.h"

/* What the firmware's own menu calls it. */
#define BOOTOPT_NAME "hvinit, last good image"

/*
 * Sees to it that there is one boot option of ours, that it leads to the file at path ("EFI/Linux/…")
 * on that partition, and that it stands in the firmware's order, behind the option that
 * was booted. Writes only what is not so already. For a child. 0 or a negative errno; -E2BIG: the
 * order has no room; -ENXIO: what was booted is not in it.
 */
int bootopt_keep(int root, const struct sys_partition *partition, const char *path);

#endif
