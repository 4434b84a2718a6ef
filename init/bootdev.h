/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PCI device that the firmware has booted from, told from the firmware's own variables: no driver
 * need have the device, and no file system be mounted.
 */
#ifndef HVINIT_BOOTDEV_H
#define HVINIT_BOOTDEV_H

#include "sys.h"

/*
 * 0 with its address; a negative errno when firmware does not tell, as where it has booted from the
 * network or by a path that begins at a partition. Reads two variables, which takes the firmware some
 * milliseconds.
 */
int bootdev_find(int root, char bdf[SYS_BDF]);

#endif
