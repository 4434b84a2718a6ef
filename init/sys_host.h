/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's files that the work on the host needs: huge pages, block devices, network
 * interfaces, threads. The second half of the room that sys.h describes. For children of PID 1,
 * except where said; what can fail returns 0 or a negative errno.
 */
#ifndef HVINIT_SYS_HOST_H
#define HVINIT_SYS_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys.h"

/* Where the state partition is mounted. */
#define SYS_STATE "/var/lib/hvinit"

/* In place of a NUMA node: the machine as a whole. */
enum { SYS_NO_NODE = -1 };

/* How many huge pages of page_kib KiB there are, used or not, on a NUMA node; sets that number. */
int sys_huge_read(int root, int node, uint64_t page_kib, uint64_t *pages);
int sys_huge_write(int root, int node, uint64_t page_kib, uint64_t pages);

/*
 * The value of a line KEY=value in the text of a device's uevent file; false when there is none or it
 * does not fit.
 */
bool sys_uevent_value(const char *text, const char *key, char *value, size_t size);

/*
 * The device node, below /dev, of the partition that the partition table calls label. -ENOENT:
 * there is none; -EEXIST: there are two.
 */
int sys_partition(int root, const char *label, char *node, size_t size);
/* Mounts that node (ext4) at SYS_STATE, which is made; may have to replay a journal. */
int sys_state_mount(const char *node);
/* Ends what sys_state_mount() began; a file system in use is made read-only instead. */
int sys_state_umount(void);
/* Whether something is mounted at SYS_STATE. */
bool sys_state_mounted(int root);

/* The network interface of a PCI device, also one that virtio stands before. */
int sys_pci_netdev(int root, const char *bdf, char *name, size_t size);
/* Whether the network interface of that name is a bridge. */
bool sys_net_is_bridge(int root, const char *name);
/* The device of taps; the caller owns the descriptor (close-on-exec). */
int sys_tun_open(int root);

/* Opens the file that fd has open anew, with flags; the caller owns the descriptor. */
int sys_reopen(int fd, int flags);

/* A socket on which the kernel tells of devices that come and go; the caller owns it. */
int sys_uevent_open(void);

/* Calls each for every thread of a process with its name. Takes no memory: PID 1 may use it. */
int sys_thread_each(int root, pid_t pid, int (*each)(void *arg, pid_t thread, const char *name),
		    void *arg);

#endif
