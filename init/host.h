/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's own devices: its kernel modules, and which devices they may have. */
#ifndef HVINIT_HOST_H
#define HVINIT_HOST_H

#include "diag.h"
#include "symbols.h"

/*
 * Turns driver autoprobe on the PCI bus off and reserves each of the manifest's devices for its
 * VFIO driver, so that it never meets a host driver. Before any module is loaded.
 */
void host_reserve(int root, const struct config *config, struct diag *diag);

/*
 * Loads HOST_MODULES with what they depend on, and probes every device that the manifest does not
 * name. Blocks for as long as drivers like: only for children of PID 1.
 */
void host_probe(int root, const struct config *config, struct diag *diag);

#endif
