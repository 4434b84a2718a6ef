/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the paths of two disks alone tell, where the machine that has them cannot be looked at. */
#ifndef HVINIT_SYS_DISK_PATH_H
#define HVINIT_SYS_DISK_PATH_H

#include <stdbool.h>

/*
 * Whether both name the same file or device, or one names a partition of the other's disk: as the
 * kernel names partitions (/dev/sda1, /dev/nvme0n1p1) and udev does (/dev/disk/by-id/x-part1).
 * Links are not followed, and may make the same of two paths for which this is false.
 */
bool sys_disk_overlaps(const char *a, const char *b);

#endif
