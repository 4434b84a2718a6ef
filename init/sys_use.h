/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which devices the host itself stands on: what it has booted from, mounted, swaps to, is reached by
 * and talks over; see sys.h for root. All of them only read. A callback's non-zero result ends the
 * walk and is returned.
 */
#ifndef HVINIT_SYS_USE_H
#define HVINIT_SYS_USE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys.h"

/*
 * What is mounted with the block device below it, and what is swapped to. A block device is named
 * by its number ("259:1"), its name ("nvme0n1p1") or a path that ends in its name.
 */
int sys_mount_each(int root, int (*each)(void *arg, const char *block, const char *on), void *arg);
int sys_swap_each(int root, int (*each)(void *arg, const char *block), void *arg);
/* Whether there is any block device. */
bool sys_block_any(int root);
/* The PCI devices that a block device stands on: more than one for a RAID. */
int sys_block_pci(int root, const char *block, int (*each)(void *arg, const char *bdf), void *arg);
/* The same for the first partition whose uevent says KEY=value; -ENOENT: there is none. */
int sys_partition_pci(int root, const char *key, const char *value,
		      int (*each)(void *arg, const char *bdf), void *arg);
/*
 * The PCI device at a slot and function: of the root bus whose bridge has that _UID in ACPI, and of
 * the bus below the bridge at parent, which may be bdf itself. 0 or a negative errno.
 */
int sys_pci_on_root(int root, uint32_t uid, unsigned slot, unsigned function, char bdf[SYS_BDF]);
int sys_pci_child(int root, const char *parent, unsigned slot, unsigned function,
		  char bdf[SYS_BDF]);

/* The UUID of the partition that the boot loader came from, in lower case. */
int sys_boot_partition(int root, char *uuid, size_t size);

/* The PCI devices of network interfaces that are up. */
int sys_net_each(int root, int (*each)(void *arg, const char *name, const char *bdf), void *arg);
/* The consoles' names; the PCI device that a terminal is on, or -ENOENT. */
ssize_t sys_consoles(int root, char *buf, size_t size);
int sys_tty_pci(int root, const char *tty, char bdf[SYS_BDF]);

#endif
