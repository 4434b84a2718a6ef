/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes a PCI device for a VM: binds it to its VFIO driver and opens its character device. All of
 * it can block for as long as a driver likes, so it is a child's work, never PID 1's.
 */
#ifndef HVINIT_CLAIM_H
#define HVINIT_CLAIM_H

#include <stdbool.h>

#include "diag.h"

/*
 * Sees to it that bdf is bound to driver, and reads back that it is. Doing it twice does nothing.
 * False with a finding for VM slot vm when it failed; the device then has driver_override set, so
 * that no host driver takes it.
 */
bool claim_bind(int root, const char *bdf, const char *driver, int vm, struct diag *diag);

/*
 * For a device that is not to be bound: whether it is on a VFIO driver, whichever. False with a
 * finding when it is not.
 */
bool claim_is_bound(int root, const char *bdf, int vm, struct diag *diag);

/*
 * Whether the device answers: after a reset that has failed, or when it has fallen off its bus, its
 * configuration space reads ones (PCI Express Base Specification, 2.3.2). True when it cannot be
 * read at all. False with a finding.
 */
bool claim_is_alive(int root, const char *bdf, int vm, struct diag *diag);

/*
 * Takes bdf from its VFIO driver; it stays reserved for that, so no other driver takes it. One that
 * is on another driver or none is left alone. Blocks while somebody has it open. False with a
 * finding when it failed.
 */
bool claim_release(int root, const char *bdf, int vm, struct diag *diag);

/*
 * Opens the VFIO character device of bdf; -1 with a finding when it failed. The name is read anew
 * each time, because the kernel may choose another at each bind. The caller owns the descriptor,
 * and must be the one that becomes QEMU: the kernel binds a device to one open file.
 */
int claim_open(int root, const char *bdf, int vm, struct diag *diag);

/*
 * Opens /dev/iommu and has memory charged to the process that maps it instead of its user, so
 * that VMs do not share a limit. This must come before anything else is done with the descriptor
 * (drivers/iommu/iommufd/ioas.c: -EBUSY later). -1 with a finding when it failed.
 */
int claim_iommufd(int root, int vm, struct diag *diag);

#endif
