/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the host itself stands on, and must not give away. */
#ifndef HVINIT_USE_H
#define HVINIT_USE_H

#include "facts.h"

/*
 * Fills in what the host uses each device for: disks that are mounted, swapped to or booted from,
 * consoles, network interfaces that are up, the boot display, the functions of a BMC. Devices must be there and sorted.
 */
void use_discover(int root, struct facts *facts);

/*
 * The device behind the GPT partition of that name; false when there is none. The first one, when
 * the partition is on several.
 */
bool use_partition(int root, const char *partlabel, char bdf[SYS_BDF]);

#endif
