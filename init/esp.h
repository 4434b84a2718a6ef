/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The EFI system partition that the machine has booted from: where the boot loader's images are. It is
 * mounted only while a child works on it, so that nothing of it is open when power fails.
 */
#ifndef HVINIT_ESP_H
#define HVINIT_ESP_H

#include <stdbool.h>

#include "sys_esp.h"

/* Where the boot loader looks for images, and the folder beside it that it does not know. */
#define ESP_IMAGES "EFI/Linux"
#define ESP_ADDONS "loader/addons"
#define ESP_STAGING "EFI/hvinit"

/*
 * Which one it is; waits some seconds for a disk's driver to find it. -ENODATA: the boot loader does
 * not tell, as when the machine has booted over the network or from a CD; -ENOENT: no disk that has a
 * driver has it, see HOST_MODULES; -EEXIST: two have, as after a disk was copied. For a child.
 */
int esp_find(int root, struct sys_partition *partition);

/*
 * Mounts it, and returns the folder at its top, which the caller owns (close-on-exec); with the last
 * descriptor on it, it is gone again. Errors are esp_find()'s, and -EACCES: the disk is write-protected.
 * For a child: reads the firmware's variables, loads modules, and waits for disks, and for who has it
 * mounted in the other way.
 */
int esp_mount(int root, bool writable);
/* The same when it has been found. */
int esp_mount_found(int root, const struct sys_partition *partition, bool writable);

/* What such an error means, in words that go after a colon; else what strerror() says. */
const char *esp_error(int error);

#endif
