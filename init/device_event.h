/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The manifest's devices as the kernel's uevents tell of them: they vanish, and they come back. */
#ifndef HVINIT_DEVICE_EVENT_H
#define HVINIT_DEVICE_EVENT_H

#include <stdbool.h>

#include "symbols.h"

/*
 * A PCI device of the machine has come or gone. One of the manifest that comes is reserved for its
 * VFIO driver once more, in a child: what it had been told left with it. No driver of the host meets
 * it meanwhile, for none is probed by itself.
 */
void device_event(const struct config *config, const char *bdf, bool there);

/* Events were lost: tells of those that came or went meanwhile; root stands for /. */
void device_look_all(const struct config *config, int root);

#endif
