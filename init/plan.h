/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's topology: for each physical SMMU a pxb-pcie with a vSMMU, for each device a port. */
#ifndef HVINIT_PLAN_H
#define HVINIT_PLAN_H

#include "cpulist.h"
#include "facts.h"
#include "symbols.h"

enum {
	PLAN_BUSES = 256,
	PLAN_SLOTS = 32,
	PLAN_FUNCTIONS = 8,
	/*
	 * Slots of pcie.0 for emulated devices. They are counted from its end, so that a guest
	 * finds them where they were when it gets another vSMMU.
	 */
	PLAN_DISK_ADDR = PLAN_SLOTS - 1, /* - slot of the disk */
	PLAN_NET_ADDR = PLAN_DISK_ADDR - HV_DISK_SLOTS, /* - slot of the network interface */
	PLAN_PANIC_ADDR = PLAN_NET_ADDR - HV_NET_SLOTS,
	PLAN_CTL_ADDR = PLAN_PANIC_ADDR - 1,
	PLAN_PORTS = HV_HOSTDEV_SLOTS + HV_PORT_SLOTS,
	PLAN_NONE = -1,
	PLAN_ROOT = -2, /* in place of a vSMMU: the guest's pcie.0 */
	PLAN_MAC = sizeof("00:00:00:00:00:00"),
	PLAN_MMIO64_GIB = 512, /* what QEMU's virt machine has without being asked */
};

/* A vSMMU and the root bus it stands on; in the guest it is what smmu is on the host. */
struct plan_vsmmu {
	const struct vsmmu_config *config;
	const char *smmu; /* the physical one's name; "" when no device tells; owned by facts */
	int pxb_index; /* the bus is "pci.<index>" */
	int bus_nr; /* first PCI bus number of the root bus */
	int addr; /* slot of the pxb-pcie on pcie.0 */
	unsigned ports; /* root ports on it */
	unsigned devices; /* devices of the host behind it */
};

/* A root port, with a device of the host behind it or spare. */
struct plan_port {
	int vsmmu; /* position in plan->vsmmu, or PLAN_ROOT */
	int device; /* position in plan->device; PLAN_NONE: it is spare */
	unsigned slot; /* its HOSTDEV or PORT slot in the manifest */
	int index; /* it is "pci.<index>" */
	int chassis;
	int nr;
	int addr; /* slot on its bus */
	int function;
	bool multifunction; /* other ports share the slot, and this is its function 0 */
};

struct plan_device {
	unsigned slot; /* its HOSTDEV slot in the manifest */
	const struct hostdev_config *config;
	char bdf[SYS_BDF]; /* of a virtual function its own; "" when its PF is not there */
	const struct pci_fact *fact; /* NULL: the machine has no such device, or not yet */
	const struct pci_fact *pf; /* of a virtual function; else NULL */
	bool absent; /* not there, and the VM does without it: QEMU hears nothing of it */
	int vsmmu; /* position in plan->vsmmu, PLAN_ROOT, or PLAN_NONE: none was left */
	int port; /* position in plan->port; PLAN_NONE: it has none */
	unsigned gi_nodes;
};

/* An emulated device's place: on pcie.0, or behind a spare root port. */
struct plan_place {
	int port; /* position in plan->port; PLAN_NONE: there is no such port; PLAN_ROOT: pcie.0 */
	int addr;
};

struct plan {
	unsigned slot; /* of the VM */
	const struct vm_config *vm;
	unsigned vsmmus; /* positions in use: 0 … vsmmus - 1 */
	struct plan_vsmmu vsmmu[HV_VSMMU_SLOTS];
	unsigned devices;
	unsigned homeless; /* devices for which no vSMMU was left */
	struct plan_device device[HV_HOSTDEV_SLOTS];
	unsigned ports;
	struct plan_port port[PLAN_PORTS];
	unsigned disks; /* slots in use: 0 … disks - 1 */
	struct plan_place disk[HV_DISK_SLOTS];
	unsigned nets; /* slots in use: 0 … nets - 1 */
	struct plan_place net[HV_NET_SLOTS];
	char mac[HV_NET_SLOTS][PLAN_MAC]; /* "" when nothing tells */
	struct cpulist cpus; /* of the host; empty: all */
	uint64_t mmio64_gib; /* size of the 64-bit MMIO window */
	unsigned gi_nodes; /* of all devices */
	uint64_t pages; /* huge pages that the memory takes; 0: ordinary ones */
	uint64_t memlock; /* bytes that QEMU may lock: memory, BARs and slack */
	uint64_t memory_max; /* bytes that the VM may have in all, huge pages apart */
	uint64_t tasks_max; /* threads of QEMU */
};

/*
 * Plans VM slot of config on the machine that facts describe. Values set by hand are kept, the
 * others are inferred around them. It always gives a plan; check_vm() says whether it can work.
 * The plan points into config and facts.
 */
void plan_vm(const struct config *config, unsigned slot, const struct facts *facts,
	     struct plan *plan);

/*
 * The PCI address of virtual function vf of pf, as the SR-IOV capability says (PCI Express Base
 * Specification, First VF Offset and VF Stride). False when it has none of that number.
 */
bool plan_vf(const struct pci_fact *pf, int64_t vf, char bdf[SYS_BDF]);

/*
 * The name of the physical SMMU before the device, which a virtual function has from its physical
 * function while it is not on: "" when there is none, NULL when unknown. Owned by facts.
 */
const char *plan_smmu(const struct plan_device *device);

/*
 * The device's FACTS_BARS BARs, which its physical function tells of while a virtual function is
 * not on; NULL when nothing does. Owned by facts.
 */
const struct bar_fact *plan_bars(const struct plan_device *device);

/* The VFIO driver of a device that is there: the one that is set, else the best one for it. */
const char *plan_driver(const struct plan_device *device);

/* GiB that a 64-bit MMIO window must have for the BARs of the VM's devices: a power of two. */
uint64_t plan_bars_gib(const struct plan *plan);

/* Whether one of its disks is to use io_uring. */
bool plan_wants_io_uring(const struct plan *plan);

/* MiB of a huge page of the VM's kind; 0: it has none. */
uint64_t plan_page_mib(const struct vm_config *vm);

/* Whether one of the vSMMU's settings is not the default: then it is there even without devices. */
bool plan_is_set(const struct vsmmu_config *vsmmu);

/* Whether QEMU's "auto" stands for one of the vSMMU's properties: then it needs a device. */
bool plan_has_auto(const struct vsmmu_config *vsmmu);

/* What the manifest says of a port, whichever slot it comes from. */
struct port_config plan_port_config(const struct plan *plan, const struct plan_port *port);

#endif
