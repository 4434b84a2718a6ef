/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Infers what the manifest leaves open; the numbers follow libvirt's habits. */
#include "plan_memory.h"

#include <limits.h>
#include <stdlib.h>

#include "manifest.h"
#include "sha256.h"
#include "util.h"

enum {
	BUS_ALIGN = 4, /* libvirt and QEMU's examples space root buses like this: 252, 248, … */
	FIRST_ADDR = 1, /* slot 0 of pcie.0 is the host bridge */
};

_Static_assert(HV_VSMMU_SLOTS == 8, "the ranges of VSMMU and BUS in init/kconfig");
_Static_assert(HV_PORT_SLOTS == 8, "the ranges of PORT in init/kconfig");

/* Numbers that are taken, hand-set ones first, so that inference goes around them. */
struct taken {
	bool index[PLAN_BUSES];
	bool chassis[PLAN_BUSES];
	bool root[PLAN_SLOTS]; /* slots of pcie.0 */
	bool addr[HV_VSMMU_SLOTS][PLAN_SLOTS]; /* of each pxb-pcie */
};

static int first_free(const bool *taken, int from, int end)
{
	for (int i = from; i < end; i++)
		if (!taken[i])
			return i;
	return PLAN_NONE;
}

/* A hand-set number wins, even one that is taken already: check_vm() tells of it. */
static int choose(int64_t by_hand, bool *taken, int from, int end)
{
	int number = by_hand == HV_AUTO ? first_free(taken, from, end) : (int)by_hand;

	if (number >= 0 && number < end)
		taken[number] = true;
	return number;
}

/* A root port's chassis is its index, as in libvirt, unless that chassis is taken. */
static int choose_like(int64_t by_hand, int like, bool *taken)
{
	if (by_hand == HV_AUTO && like != PLAN_NONE && !taken[like])
		by_hand = like;
	return choose(by_hand, taken, 1, PLAN_BUSES);
}

static void reserve(int64_t by_hand, bool *taken, int end)
{
	if (by_hand >= 0 && by_hand < end)
		taken[by_hand] = true;
}

bool plan_vf(const struct pci_fact *pf, int64_t vf, char bdf[SYS_BDF])
{
	char *at;
	unsigned long domain = strtoul(pf->bdf, &at, 16);
	unsigned long bus = strtoul(at + (*at == ':'), &at, 16);
	unsigned long slot = strtoul(at + (*at == ':'), &at, 16);
	unsigned long function = strtoul(at + (*at == '.'), &at, 16);
	uint64_t id = bus << 8 | slot << 3 | function;

	if (vf < 0 || vf >= pf->vfs_total)
		return false;
	id += pf->vf_offset + (uint64_t)vf * pf->vf_stride;
	if (id > UINT16_MAX)
		return false;
	str_format(bdf, SYS_BDF, "%04lx:%02x:%02x.%x", domain, (unsigned)(id >> 8),
		   (unsigned)(id >> 3 & 0x1f), (unsigned)(id & 7));
	return true;
}

/* --- devices and their vSMMUs --- */

const char *plan_driver(const struct plan_device *device)
{
	if (strcmp(device->config->driver, "auto") == 0 && device->fact)
		return device->fact->variant;
	return device->config->driver;
}

static void find_device(const struct facts *facts, struct plan_device *device)
{
	const struct hostdev_config *config = device->config;

	if (config->vf == HV_NONE) {
		str_copy(device->bdf, sizeof(device->bdf), config->bdf);
	} else {
		device->pf = facts_find(facts, config->bdf);
		if (!device->pf || !plan_vf(device->pf, config->vf, device->bdf))
			device->bdf[0] = '\0';
	}
	if (device->bdf[0])
		device->fact = facts_find(facts, device->bdf);
	/* A virtual function that is not on yet will be before the VM starts. */
	device->absent = config->optional && !device->fact && !device->pf;
	if (config->gi_nodes != HV_AUTO)
		device->gi_nodes = (unsigned)config->gi_nodes;
	else if (device->fact)
		device->gi_nodes = device->fact->gi_nodes;
}

static void add_devices(const struct facts *facts, struct plan *plan)
{
	for (unsigned i = 0; i < HV_HOSTDEV_SLOTS; i++) {
		const struct hostdev_config *config = &plan->vm->hostdev[i];
		struct plan_device *device = &plan->device[plan->devices];

		if (!manifest_hostdev_used(config))
			continue;
		device->slot = i;
		device->config = config;
		device->vsmmu = PLAN_NONE;
		device->port = PLAN_NONE;
		find_device(facts, device);
		plan->devices++;
		if (!device->absent &&
		    __builtin_add_overflow(plan->gi_nodes, device->gi_nodes, &plan->gi_nodes))
			plan->gi_nodes = UINT_MAX; /* refused as any sum that is too large */
	}
}

const char *plan_smmu(const struct plan_device *device)
{
	const struct pci_fact *fact = device->fact ? device->fact : device->pf;

	return fact ? fact->smmu : NULL;
}

const struct bar_fact *plan_bars(const struct plan_device *device)
{
	if (device->fact)
		return device->fact->bar;
	for (unsigned bar = 0; device->pf && bar < FACTS_BARS; bar++)
		if (device->pf->vf_bar[bar].bytes)
			return device->pf->vf_bar;
	return NULL;
}

static const char *smmu_of(const struct plan_device *device)
{
	const char *smmu = plan_smmu(device);

	return smmu ? smmu : "";
}

static void use_vsmmu(struct plan *plan, int vsmmu)
{
	if (vsmmu >= 0 && (unsigned)vsmmu >= plan->vsmmus)
		plan->vsmmus = (unsigned)vsmmu + 1;
}

static void place(struct plan *plan, struct plan_device *device, int vsmmu)
{
	device->vsmmu = vsmmu;
	if (vsmmu == PLAN_ROOT)
		return;
	if (!plan->vsmmu[vsmmu].smmu[0])
		plan->vsmmu[vsmmu].smmu = smmu_of(device);
	plan->vsmmu[vsmmu].devices++;
	use_vsmmu(plan, vsmmu);
}

bool plan_is_set(const struct vsmmu_config *v)
{
	return !v->accel || v->ats != VSMMU_ATS_AUTO || v->ril != VSMMU_RIL_AUTO ||
	       v->cmdqv != VSMMU_CMDQV_AUTO || v->oas != VSMMU_OAS_AUTO || v->ssidsize != HV_AUTO ||
	       v->pxb_index != HV_AUTO || v->bus_nr != HV_AUTO || v->addr != HV_AUTO;
}

bool plan_has_auto(const struct vsmmu_config *v)
{
	return v->ats == VSMMU_ATS_AUTO || v->ril == VSMMU_RIL_AUTO || v->oas == VSMMU_OAS_AUTO ||
	       v->ssidsize == HV_AUTO;
}

/*
 * The vSMMU that stands for the device's physical SMMU already, else the first that has neither
 * devices nor a spare port and is accelerated.
 */
static int find_vsmmu(const struct plan *plan, const struct plan_device *device)
{
	for (int i = 0; i < HV_VSMMU_SLOTS; i++)
		if (plan->vsmmu[i].devices && strcmp(plan->vsmmu[i].smmu, smmu_of(device)) == 0)
			return i;
	for (int i = 0; i < HV_VSMMU_SLOTS; i++)
		if (!plan->vsmmu[i].devices && !plan->vsmmu[i].ports &&
		    plan->vsmmu[i].config->accel)
			return i;
	return PLAN_NONE;
}

/* Hand-placed devices first: the others join the vSMMU that stands for their SMMU. */
static void place_devices(struct plan *plan)
{
	for (unsigned i = 0; i < plan->devices; i++) {
		int64_t by_hand = plan->device[i].config->vsmmu;

		if (!plan->device[i].absent && by_hand != HV_AUTO)
			place(plan, &plan->device[i],
			      by_hand == HV_NONE ? PLAN_ROOT : (int)by_hand);
	}
	for (unsigned i = 0; i < plan->devices; i++) {
		struct plan_device *device = &plan->device[i];
		int vsmmu;

		if (device->absent || device->vsmmu != PLAN_NONE)
			continue;
		vsmmu = find_vsmmu(plan, device);
		if (vsmmu == PLAN_NONE)
			plan->homeless++;
		else
			place(plan, device, vsmmu);
	}
}

/* --- root ports --- */

static struct plan_port *add_port(struct plan *plan, int vsmmu, unsigned slot)
{
	struct plan_port *port = &plan->port[plan->ports++];

	port->vsmmu = vsmmu;
	port->slot = slot;
	port->device = PLAN_NONE;
	if (vsmmu >= 0)
		plan->vsmmu[vsmmu].ports++;
	return port;
}

/* Spare ports come first, so that inference leaves their vSMMUs alone. */
static void count_spare_ports(struct plan *plan)
{
	for (unsigned i = 0; i < HV_PORT_SLOTS; i++) {
		int64_t bus = plan->vm->port[i].bus;

		if (bus < 0)
			continue;
		plan->vsmmu[bus].ports++;
		use_vsmmu(plan, (int)bus);
	}
	for (unsigned i = 0; i < HV_VSMMU_SLOTS; i++)
		if (plan_is_set(plan->vsmmu[i].config))
			use_vsmmu(plan, (int)i);
}

static void add_ports(struct plan *plan)
{
	for (unsigned i = 0; i < HV_VSMMU_SLOTS; i++)
		plan->vsmmu[i].ports = 0;
	for (unsigned i = 0; i < plan->devices; i++) {
		struct plan_device *device = &plan->device[i];

		if (device->vsmmu == PLAN_NONE)
			continue;
		device->port = (int)plan->ports;
		add_port(plan, device->vsmmu, device->slot)->device = (int)i;
	}
	for (unsigned i = 0; i < HV_PORT_SLOTS; i++) {
		int64_t bus = plan->vm->port[i].bus;

		if (bus != HV_NONE)
			add_port(plan, bus == HV_ROOT ? PLAN_ROOT : (int)bus, i);
	}
}

/* --- numbers --- */

static bool buses_are_free(const bool *taken, int first, int last)
{
	for (int bus = first; bus <= last; bus++)
		if (taken[bus])
			return false;
	return true;
}

/* The highest free run of buses, at a multiple of BUS_ALIGN if there is one. */
static int find_buses(const bool *taken, int ports)
{
	int top = PLAN_BUSES - 1 - ports;

	for (int bus = top & ~(BUS_ALIGN - 1); bus > 0; bus -= BUS_ALIGN)
		if (buses_are_free(taken, bus, bus + ports))
			return bus;
	for (int bus = top; bus > 0; bus--)
		if (buses_are_free(taken, bus, bus + ports))
			return bus;
	return PLAN_NONE;
}

/*
 * Root buses are laid from the top of the bus range down, around those set by hand. Each needs a
 * number for itself and one for every root port.
 */
static void number_buses(struct plan *plan)
{
	bool taken[PLAN_BUSES] = { true };

	for (unsigned i = 0; i < plan->vsmmus; i++)
		for (unsigned port = 0; port <= plan->vsmmu[i].ports; port++)
			if (plan->vm->vsmmu[i].bus_nr != HV_AUTO)
				reserve(plan->vm->vsmmu[i].bus_nr + port, taken, PLAN_BUSES);
	for (unsigned i = 0; i < plan->vsmmus; i++) {
		struct plan_vsmmu *v = &plan->vsmmu[i];
		int64_t by_hand = plan->vm->vsmmu[i].bus_nr;

		v->bus_nr = by_hand == HV_AUTO ? find_buses(taken, (int)v->ports) : (int)by_hand;
		for (unsigned port = 0; v->bus_nr > 0 && port <= v->ports; port++)
			reserve(v->bus_nr + port, taken, PLAN_BUSES);
	}
}

static void number_vsmmus(struct plan *plan, struct taken *taken)
{
	for (unsigned i = 0; i < plan->vsmmus; i++) {
		struct plan_vsmmu *v = &plan->vsmmu[i];

		v->pxb_index = choose(v->config->pxb_index, taken->index, 1, PLAN_BUSES);
		v->addr = choose(v->config->addr, taken->root, FIRST_ADDR, PLAN_SLOTS);
	}
	number_buses(plan);
}

struct port_config plan_port_config(const struct plan *plan, const struct plan_port *port)
{
	const struct hostdev_config *h = &plan->vm->hostdev[port->slot];

	if (port->device == PLAN_NONE)
		return plan->vm->port[port->slot];
	return (struct port_config){
		.index = h->port_index,
		.chassis = h->port_chassis,
		.nr = h->port_nr,
		.addr = h->port_addr,
		.function = h->port_function,
	};
}

static bool *slots_of(struct taken *taken, const struct plan_port *port)
{
	return port->vsmmu == PLAN_ROOT ? taken->root : taken->addr[port->vsmmu];
}

static void number_ports(struct plan *plan, struct taken *taken)
{
	for (unsigned i = 0; i < plan->ports; i++) {
		struct plan_port *port = &plan->port[i];
		struct port_config by_hand = plan_port_config(plan, port);

		port->index = choose(by_hand.index, taken->index, 1, PLAN_BUSES);
		port->chassis = choose_like(by_hand.chassis, port->index, taken->chassis);
		port->nr = by_hand.nr == HV_AUTO ? (int)i : (int)by_hand.nr;
		port->addr = choose(by_hand.addr, slots_of(taken, port),
				    port->vsmmu == PLAN_ROOT ? FIRST_ADDR : 0, PLAN_SLOTS);
		port->function = by_hand.function == HV_AUTO ? 0 : (int)by_hand.function;
	}
}

static void mark_multifunction(struct plan *plan)
{
	for (unsigned i = 0; i < plan->ports; i++)
		for (unsigned j = 0; j < plan->ports; j++) {
			const struct plan_port *a = &plan->port[i];
			const struct plan_port *b = &plan->port[j];

			if (a->vsmmu == b->vsmmu && a->addr == b->addr && a->function == 0 &&
			    b->function != 0)
				plan->port[i].multifunction = true;
		}
}

static void reserve_by_hand(struct plan *plan, struct taken *taken)
{
	for (unsigned i = 0; i < plan->vsmmus; i++) {
		reserve(plan->vsmmu[i].config->pxb_index, taken->index, PLAN_BUSES);
		reserve(plan->vsmmu[i].config->addr, taken->root, PLAN_SLOTS);
	}
	for (unsigned i = 0; i < plan->ports; i++) {
		struct port_config by_hand = plan_port_config(plan, &plan->port[i]);

		reserve(by_hand.index, taken->index, PLAN_BUSES);
		reserve(by_hand.chassis, taken->chassis, PLAN_BUSES);
		reserve(by_hand.addr, slots_of(taken, &plan->port[i]), PLAN_SLOTS);
	}
	for (unsigned i = 0; i < plan->disks; i++)
		if (plan->disk[i].port == PLAN_ROOT)
			reserve(plan->disk[i].addr, taken->root, PLAN_SLOTS);
	for (unsigned i = 0; i < plan->nets; i++)
		if (plan->net[i].port == PLAN_ROOT)
			reserve(plan->net[i].addr, taken->root, PLAN_SLOTS);
	if (plan->vm->pvpanic)
		reserve(PLAN_PANIC_ADDR, taken->root, PLAN_SLOTS);
	if (plan->vm->ctl)
		reserve(PLAN_CTL_ADDR, taken->root, PLAN_SLOTS);
}

/* --- what QEMU emulates --- */

static int find_spare_port(const struct plan *plan, int64_t slot)
{
	for (unsigned i = 0; i < plan->ports; i++)
		if (plan->port[i].device == PLAN_NONE && plan->port[i].slot == slot)
			return (int)i;
	return PLAN_NONE;
}

static struct plan_place find_place(const struct plan *plan, int64_t port, int addr)
{
	if (port == HV_NONE)
		return (struct plan_place){ .port = PLAN_ROOT, .addr = addr };
	return (struct plan_place){ .port = find_spare_port(plan, port) };
}

/*
 * A locally administered address, of which 40 bits follow from the UUID: the same wherever the VM
 * runs, and another for each interface.
 */
static void make_mac(const char *uuid, unsigned net, char mac[PLAN_MAC])
{
	char text[64];
	char hex[SHA256_HEX];

	str_format(text, sizeof(text), "%s net %u", uuid, net);
	sha256_hex(text, strlen(text), hex);
	str_format(mac, PLAN_MAC, "52:%.2s:%.2s:%.2s:%.2s:%.2s", hex, hex + 2, hex + 4, hex + 6,
		   hex + 8);
}

static void place_emulated(struct plan *plan)
{
	const struct vm_config *vm = plan->vm;

	for (unsigned i = 0; i < HV_DISK_SLOTS && manifest_disk_used(&vm->disk[i]); i++)
		plan->disk[plan->disks++] =
			find_place(plan, vm->disk[i].port, PLAN_DISK_ADDR - (int)i);
	for (unsigned i = 0; i < HV_NET_SLOTS && manifest_net_used(&vm->net[i]); i++) {
		plan->net[plan->nets++] = find_place(plan, vm->net[i].port, PLAN_NET_ADDR - (int)i);
		if (vm->net[i].mac[0])
			str_copy(plan->mac[i], PLAN_MAC, vm->net[i].mac);
		else if (vm->uuid[0])
			make_mac(vm->uuid, i, plan->mac[i]);
	}
}

/* --- memory --- */

uint64_t plan_page_mib(const struct vm_config *vm)
{
	return vm->hugepages == VM_HUGEPAGES_2M ? 2 : vm->hugepages == VM_HUGEPAGES_1G ? 1024 : 0;
}

void plan_vm(const struct config *config, unsigned slot, const struct facts *facts,
	     struct plan *plan)
{
	struct taken taken = { 0 };

	memset(plan, 0, sizeof(*plan));
	plan->slot = slot;
	plan->vm = &config->vm[slot];
	for (unsigned i = 0; i < HV_VSMMU_SLOTS; i++) {
		plan->vsmmu[i].config = &plan->vm->vsmmu[i];
		plan->vsmmu[i].smmu = "";
	}
	count_spare_ports(plan);
	add_devices(facts, plan);
	place_devices(plan);
	add_ports(plan);
	place_emulated(plan);
	reserve_by_hand(plan, &taken);
	number_vsmmus(plan, &taken);
	number_ports(plan, &taken);
	mark_multifunction(plan);
	plan_memory(plan);
}
