/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine is: its PCI devices, their SMMUs and groups, and what VFIO needs. */
#ifndef HVINIT_FACTS_H
#define HVINIT_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "sys.h"

enum { FACTS_DEVICES = 2048, FACTS_NO_GROUP = -1 };

struct pci_fact {
	char bdf[SYS_BDF];
	char driver[SYS_NAME]; /* name of the driver it is bound to, or "" */
	char smmu[SYS_NAME]; /* name of the physical IOMMU ("smmu3.0x…"), or "" */
	uint32_t class; /* base class, subclass, interface: 0xBBSSII */
	uint16_t vendor;
	uint16_t device;
	bool bridge; /* VFIO takes endpoints only */
	int group; /* IOMMU group, or FACTS_NO_GROUP */
	uint64_t bar_bytes; /* sum of the memory BARs' sizes */
};

struct facts {
	uint64_t memory_kib; /* 0: unknown */
	bool iommufd; /* /dev/iommu exists */
	bool kvm; /* /dev/kvm exists */
	unsigned count;
	unsigned dropped; /* devices beyond FACTS_DEVICES */
	struct pci_fact device[FACTS_DEVICES]; /* sorted by BDF */
};

/* Reads the tree below root; what cannot be read is left empty. Touches no device. */
void facts_discover(int root, struct facts *facts);

/* The device at bdf, or NULL; owned by facts. */
const struct pci_fact *facts_find(const struct facts *facts, const char *bdf);

#endif
