/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's own devices: its kernel modules, and which devices they may have. */
#ifndef HVINIT_HOST_H
#define HVINIT_HOST_H

#include "diag.h"
#include "symbols.h"

/*
 * Turns driver autoprobe on the PCI bus off, reserves each of the manifest's devices for its VFIO
 * driver, loads HOST_MODULES with what they depend on, and probes every other device by name. A
 * VM's device therefore never meets a host driver. Blocks: only for children of PID 1.
 */
void host_prepare(int root, const struct config *config, struct diag *diag);

#endif
