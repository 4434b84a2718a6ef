/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's topology: for each physical SMMU a pxb-pcie with a vSMMU, for each device a port. */
#ifndef HVINIT_PLAN_H
#define HVINIT_PLAN_H

#include <stdio.h>

#include "facts.h"
#include "symbols.h"

enum { PLAN_BUSES = 256, PLAN_SLOTS = 32, PLAN_NONE = -1 };

/* A physical SMMU's counterpart in the guest, and the root bus it stands on. */
struct plan_vsmmu {
	const char *smmu; /* the physical one's name; "" when no device tells; owned by facts */
	int pxb_index; /* the bus is "pci.<index>" */
	int bus_nr; /* first PCI bus number of the root bus */
	int addr; /* slot of the pxb-pcie on pcie.0 */
	unsigned ports; /* devices behind it; 0: the slot is not used */
};

struct plan_device {
	unsigned slot; /* its HOSTDEV slot in the manifest */
	const struct hostdev_config *config;
	const struct pci_fact *fact; /* NULL: the machine has no such device */
	int vsmmu; /* position in plan->vsmmu, or PLAN_NONE */
	int port_index; /* the root port is "pci.<index>" */
	int port_chassis;
	int port_nr;
	int port_addr; /* slot of the root port on its pxb-pcie */
};

struct plan {
	unsigned slot; /* of the VM */
	const struct vm_config *vm;
	unsigned vsmmus; /* positions in use: 0 … vsmmus - 1 */
	struct plan_vsmmu vsmmu[HV_VSMMU_SLOTS];
	unsigned devices;
	unsigned homeless; /* devices for which no vSMMU was left */
	struct plan_device device[HV_HOSTDEV_SLOTS];
	uint64_t memlock; /* bytes that QEMU may lock: memory, BARs and slack */
};

/*
 * Plans VM slot of config on the machine that facts describe. Values set by hand are kept, the
 * others are inferred around them. It always gives a plan; check_vm() says whether it can work.
 * The plan points into config and facts.
 */
void plan_vm(const struct config *config, unsigned slot, const struct facts *facts,
	     struct plan *plan);

/* The tables of "hvinit plan". */
void plan_print(const struct plan *plan, FILE *out);

#endif
