/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VFIO drivers that a kernel has for some devices only, such as nvgrace_gpu_vfio_pci: which is
 * the best for a device.
 */
#ifndef HVINIT_VARIANT_H
#define HVINIT_VARIANT_H

#include "facts.h"

/*
 * Gives every device the driver whose "vfio_pci:" alias is the most specific one for it: of the
 * kernel's modules (usr/lib/modules/RELEASE/modules.alias) and of the drivers built into it
 * (modules.builtin.modinfo). A module that is not loaded becomes a driver of facts, too, whether a
 * device is there for it or not. Devices, drivers and release of facts must be there already.
 */
void variant_discover(int root, struct facts *facts);

/* Whether two names are one module's: '-' and '_' are the same there. */
bool variant_same(const char *a, const char *b);

#endif
