/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the machine is: its PCI devices, their SMMUs and groups, its memory and CPUs, and what VFIO
 * needs. Read from a machine's files, or from a host record that "hvinit record" made of them.
 */
#ifndef HVINIT_FACTS_H
#define HVINIT_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "cpulist.h"
#include "kernel.h"
#include "sys.h"

enum {
	FACTS_DEVICES = 2048,
	FACTS_NODES = 64, /* NUMA nodes; a Grace machine has some 34 */
	FACTS_SMMUS = 64,
	FACTS_BARS = 6,
	FACTS_DRIVERS = 128,
	FACTS_NO_GROUP = -1,
	FACTS_NO_NODE = -1,
	FACTS_NO_VF = -1,
	FACTS_RESET = 64, /* bytes of the list of reset methods */
	FACTS_USE = 64, /* bytes of what the host uses a device for */
};

/* The VFIO driver for what no other one is for. */
#define FACTS_VARIANT "vfio-pci"

/* What is known of a yes-or-no fact; a record may lack it, and then nothing must be built on it. */
enum known { KNOWN_UNKNOWN, KNOWN_NO, KNOWN_YES };

/* A PCI driver: those of VFIO, and those that have a device. */
struct driver_fact {
	char name[SYS_NAME]; /* as below /sys/bus/pci/drivers; of a module not loaded: the module's */
	bool module; /* it has to be loaded before a device can be bound to it */
	char from[SYS_NAME]; /* its module, where that is called otherwise (xhci_hcd's); else "" */
};

struct bar_fact {
	uint64_t bytes; /* 0: none */
	bool wide; /* 64 bits */
	bool prefetch;
};

struct pci_fact {
	char bdf[SYS_BDF];
	char driver[SYS_NAME]; /* name of the driver it is bound to, or "" */
	char variant[SYS_NAME]; /* the best VFIO driver that the kernel has for it; never "" */
	char smmu[SYS_NAME]; /* name of the physical IOMMU ("smmu3.0x…"), or "" */
	uint32_t class; /* base class, subclass, interface: 0xBBSSII */
	uint16_t vendor;
	uint16_t device;
	uint16_t subvendor;
	uint16_t subdevice;
	bool bridge; /* VFIO takes endpoints only */
	int group; /* IOMMU group, or FACTS_NO_GROUP */
	int node; /* NUMA node, or FACTS_NO_NODE */
	unsigned gi_nodes; /* generic-initiator entries that the SRAT has for it */
	struct bar_fact bar[FACTS_BARS];
	char reset[FACTS_RESET]; /* reset methods as sysfs lists them, or "" */
	enum known direct; /* firmware wants it mapped 1:1 (a "direct" reserved region) */
	char pf[SYS_BDF]; /* of a virtual function: its physical function; else "" */
	int vf; /* of a virtual function: its index from 0; else FACTS_NO_VF */
	uint16_t vfs; /* virtual functions that are on now, and at most */
	uint16_t vfs_total;
	uint16_t vf_offset; /* routing id of VF 0 less the PF's, and from one VF to the next */
	uint16_t vf_stride;
	struct bar_fact vf_bar[FACTS_BARS]; /* each of its virtual functions has such ones */
	char use[FACTS_USE]; /* what the host stands on it for ("mounted at /boot"), or "" */
};

/* A physical SMMU. */
struct smmu_fact {
	char name[SYS_NAME];
	enum known canwbs; /* the IORT declares CANWBS for all root complexes before it */
	bool has_features; /* the kernel's log told of it */
	uint32_t features; /* ARM_SMMU_FEAT_* bits (drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.h) */
	uint32_t untold; /* of those, the ones that this kernel is too old to tell of (facts_sort()) */
	unsigned oas; /* bits, 0: unknown */
	bool probed; /* IOMMU_GET_HW_INFO was asked once: the registers below count */
	uint32_t hw_flags; /* enum iommu_hw_info_arm_smmuv3's flags */
	uint32_t idr[6];
	uint32_t iidr;
	uint32_t aidr;
};

enum facts_page { FACTS_PAGE_2M, FACTS_PAGE_1G, FACTS_PAGES };

struct node_fact {
	int id;
	uint64_t memory_kib;
	struct cpulist cpus;
	uint64_t huge_total[FACTS_PAGES]; /* pages */
	uint64_t huge_free[FACTS_PAGES];
	bool initiator; /* has a generic initiator (and no CPUs or memory of its own) */
};

struct facts {
	bool recorded; /* read from a record: the files of this machine say nothing */
	uint64_t memory_kib; /* 0: unknown */
	unsigned page_kib; /* 0: unknown */
	struct cpulist cpus; /* online */
	bool iommufd; /* /dev/iommu exists */
	bool kvm; /* /dev/kvm exists */
	/* The system is hvinit's image: its kernel, and what that lacks, is what VMs will find. */
	enum known hvinit;
	enum known secure_boot; /* the firmware's Secure Boot is on */
	char lockdown[SYS_NAME]; /* the kernel's: "none", "integrity", "confidentiality"; or "" */
	char kernel[SYS_NAME]; /* release, or "" */
	enum kernel_state symbol[KERNEL_SYMBOLS]; /* what the kernel was built with */
	bool huge[FACTS_PAGES]; /* the kernel has huge pages of this size */
	unsigned drivers;
	struct driver_fact driver[FACTS_DRIVERS]; /* sorted by name */
	unsigned nodes;
	struct node_fact node[FACTS_NODES]; /* sorted by id */
	unsigned smmus;
	struct smmu_fact smmu[FACTS_SMMUS]; /* sorted by name */
	unsigned count;
	unsigned dropped; /* devices beyond FACTS_DEVICES */
	struct pci_fact device[FACTS_DEVICES]; /* sorted by BDF */
};

/* Reads the tree below root; what cannot be read is left empty. Touches no device. */
void facts_discover(int root, struct facts *facts);

/* The device at bdf, or NULL; owned by facts. */
const struct pci_fact *facts_find(const struct facts *facts, const char *bdf);
/* The SMMU of that name, or NULL; owned by facts. */
const struct smmu_fact *facts_smmu(const struct facts *facts, const char *name);
/* The node of that number, or NULL; owned by facts. */
const struct node_fact *facts_node(const struct facts *facts, int id);
/* The driver of that name, '-' and '_' told apart, or NULL; owned by facts. */
const struct driver_fact *facts_driver(const struct facts *facts, const char *name);

/* Puts all tables into their order, and sets "untold"; for those who fill struct facts. */
void facts_sort(struct facts *facts);

#endif
