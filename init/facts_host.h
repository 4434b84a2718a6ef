/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of struct facts that are no PCI devices: CPUs, memory, nodes, kernel and SMMUs. */
#ifndef HVINIT_FACTS_HOST_H
#define HVINIT_FACTS_HOST_H

#include "facts.h"

/* CPUs, memory, NUMA nodes, huge pages, kernel. */
void facts_discover_host(int root, struct facts *facts);

/*
 * SMMUs with what the kernel's log, the IORT and an earlier probe tell of them, and generic
 * initiators of devices. Devices must be there and sorted.
 */
void facts_discover_smmus(int root, struct facts *facts);

#endif
