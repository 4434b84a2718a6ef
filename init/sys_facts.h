/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's files that only facts are made of; see sys.h for root. All of them only read. A
 * callback's non-zero result ends the walk and is returned.
 */
#ifndef HVINIT_SYS_FACTS_H
#define HVINIT_SYS_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sys.h"

/* Whether root is this machine's "/": only then does what has no file count. */
bool sys_is_live(int root);

/* KiB of a page, 0 when unknown: a recorded tree does not tell. */
unsigned sys_page_kib(int root);
/* The kernel's release. */
ssize_t sys_release(int root, char *buf, size_t size);
/* The module that a PCI driver is in, which a driver that is built in need not have. */
int sys_driver_module(int root, const char *driver, char *name, size_t size);
/*
 * The kernel's log from its beginning, a line at a time without its time; of a recorded tree the
 * file var/log/dmesg.
 */
int sys_log_each(int root, int (*each)(void *arg, char *line), void *arg);

/* An ACPI table's bytes. Returns their number, -EFBIG when they do not fit. */
ssize_t sys_acpi_table(int root, const char *name, void *buf, size_t size);

/* The names of IOMMUs, and the name of the device that one of them is. */
int sys_iommu_each(int root, int (*each)(void *arg, const char *name), void *arg);
int sys_iommu_device(int root, const char *iommu, char *name, size_t size);

/* The CPUs that are online, as a list. */
ssize_t sys_cpus_online(int root, char *buf, size_t size);
/* The numbers of NUMA nodes; one's attribute; the list of nodes with a generic initiator. */
int sys_node_each(int root, int (*each)(void *arg, int id), void *arg);
ssize_t sys_node_read(int root, int id, const char *attr, char *buf, size_t size);
ssize_t sys_nodes_initiator(int root, char *buf, size_t size);
/*
 * A number from the folder of huge pages of that many KiB, of one node or (-1) of all. False: there
 * is none.
 */
bool sys_hugepages(int root, int node, unsigned kib, const char *attr, uint64_t *n);

#endif
