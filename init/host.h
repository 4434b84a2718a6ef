/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Work on the host at boot: its own devices, and what virtual machines are to find. */
#ifndef HVINIT_HOST_H
#define HVINIT_HOST_H

#include <stdbool.h>

#include "diag.h"
#include "symbols.h"

/*
 * What must be done before anything else: sets huge pages aside, turns driver autoprobe on the PCI
 * bus off and reserves each of the manifest's devices for its VFIO driver, so that it never meets a
 * host driver.
 */
void host_reserve(int root, const struct config *config, struct diag *diag);

/*
 * Reserves one device; nothing to do for those that are not hvinit's to bind. 0 or a negative errno:
 * -ENOENT when the device is not there.
 */
int host_reserve_device(int root, const struct hostdev_config *hostdev);

/*
 * Lets each device that has no driver and that no VM has find one, of those that are loaded by now.
 * Blocks for as long as drivers like.
 */
void host_probe(int root, const struct config *config);

/*
 * The rest of it, in this order: loads HOST_MODULES with what they depend on and probes every
 * device that the manifest does not name; mounts the state partition; turns virtual functions on;
 * makes bridges; waits for the disks of VMs. Blocks for as long as drivers like: only for children
 * of PID 1.
 */
void host_prepare(int root, const struct config *config, struct diag *diag);

/* Whether the VM needs something that host_prepare() makes, and has to wait for it. */
bool host_is_needed(const struct host_config *host, const struct vm_config *vm);

#endif
