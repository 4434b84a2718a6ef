/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Infers what the manifest leaves open; the numbers follow libvirt's habits. */
#include "plan.h"

#include <inttypes.h>

#include "manifest.h"
#include "util.h"

enum {
	BUS_ALIGN = 4, /* libvirt and QEMU's examples space root buses like this: 252, 248, … */
	FIRST_PXB_ADDR = 1, /* slot 0 of pcie.0 is the host bridge */
	MEMLOCK_SLACK_MIB = 256, /* QEMU's own flash, ROMs and rings; measured: under 70 MiB */
};

_Static_assert(HV_VSMMU_SLOTS == 8, "the range of VSMMU in init/kconfig/hostdev.in");

/* Numbers that are taken, hand-set ones first, so that inference goes around them. */
struct taken {
	bool index[PLAN_BUSES];
	bool chassis[PLAN_BUSES];
	bool addr[PLAN_SLOTS];
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

static void add_devices(const struct facts *facts, struct plan *plan)
{
	for (unsigned i = 0; i < HV_HOSTDEV_SLOTS; i++) {
		const struct hostdev_config *config = &plan->vm->hostdev[i];
		struct plan_device *device = &plan->device[plan->devices];

		if (!manifest_hostdev_used(config))
			continue;
		device->slot = i;
		device->config = config;
		device->fact = facts_find(facts, config->bdf);
		device->vsmmu = PLAN_NONE;
		plan->devices++;
	}
}

static const char *smmu_of(const struct plan_device *device)
{
	return device->fact ? device->fact->smmu : "";
}

static void place(struct plan *plan, struct plan_device *device, int vsmmu)
{
	struct plan_vsmmu *v = &plan->vsmmu[vsmmu];

	if (!v->smmu[0])
		v->smmu = smmu_of(device);
	v->ports++;
	device->vsmmu = vsmmu;
	if ((unsigned)vsmmu >= plan->vsmmus)
		plan->vsmmus = (unsigned)vsmmu + 1;
}

/* The vSMMU that stands for the device's physical SMMU already, else the first unused one. */
static int find_vsmmu(const struct plan *plan, const struct plan_device *device)
{
	for (int i = 0; i < HV_VSMMU_SLOTS; i++)
		if (plan->vsmmu[i].ports && strcmp(plan->vsmmu[i].smmu, smmu_of(device)) == 0)
			return i;
	for (int i = 0; i < HV_VSMMU_SLOTS; i++)
		if (plan->vsmmu[i].ports == 0)
			return i;
	return PLAN_NONE;
}

/* Hand-placed devices first: the others join the vSMMU that stands for their SMMU. */
static void place_devices(struct plan *plan)
{
	for (unsigned i = 0; i < plan->devices; i++) {
		int64_t by_hand = plan->device[i].config->vsmmu;

		if (by_hand != HV_AUTO)
			place(plan, &plan->device[i], (int)by_hand);
	}
	for (unsigned i = 0; i < plan->devices; i++) {
		struct plan_device *device = &plan->device[i];
		int vsmmu;

		if (device->vsmmu != PLAN_NONE)
			continue;
		vsmmu = find_vsmmu(plan, device);
		if (vsmmu == PLAN_NONE)
			plan->homeless++;
		else
			place(plan, device, vsmmu);
	}
}

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
		const struct vsmmu_config *config = &plan->vm->vsmmu[i];
		struct plan_vsmmu *v = &plan->vsmmu[i];

		v->pxb_index = choose(config->pxb_index, taken->index, 1, PLAN_BUSES);
		v->addr = choose(config->addr, taken->addr, FIRST_PXB_ADDR, PLAN_SLOTS);
	}
	number_buses(plan);
}

static void number_ports(struct plan *plan, struct taken *taken)
{
	bool addr[HV_VSMMU_SLOTS][PLAN_SLOTS] = { { false } };

	for (unsigned i = 0; i < plan->devices; i++)
		if (plan->device[i].vsmmu != PLAN_NONE)
			reserve(plan->device[i].config->port_addr, addr[plan->device[i].vsmmu],
				PLAN_SLOTS);
	for (unsigned i = 0; i < plan->devices; i++) {
		struct plan_device *d = &plan->device[i];
		const struct hostdev_config *config = d->config;

		d->port_index = choose(config->port_index, taken->index, 1, PLAN_BUSES);
		d->port_chassis = choose_like(config->port_chassis, d->port_index, taken->chassis);
		d->port_nr = config->port_nr == HV_AUTO ? (int)i : (int)config->port_nr;
		d->port_addr = d->vsmmu == PLAN_NONE ?
				       PLAN_NONE :
				       choose(config->port_addr, addr[d->vsmmu], 0, PLAN_SLOTS);
	}
}

static void reserve_by_hand(const struct plan *plan, struct taken *taken)
{
	for (unsigned i = 0; i < plan->vsmmus; i++) {
		reserve(plan->vm->vsmmu[i].pxb_index, taken->index, PLAN_BUSES);
		reserve(plan->vm->vsmmu[i].addr, taken->addr, PLAN_SLOTS);
	}
	for (unsigned i = 0; i < plan->devices; i++) {
		reserve(plan->device[i].config->port_index, taken->index, PLAN_BUSES);
		reserve(plan->device[i].config->port_chassis, taken->chassis, PLAN_BUSES);
	}
}

/* iommufd charges the BARs that QEMU maps for peer-to-peer DMA as well as the memory. */
static uint64_t memlock(const struct plan *plan)
{
	uint64_t bytes = ((uint64_t)plan->vm->memory_mib + MEMLOCK_SLACK_MIB) << 20;

	for (unsigned i = 0; i < plan->devices; i++)
		for (unsigned bar = 0; plan->device[i].fact && bar < FACTS_BARS; bar++)
			bytes += plan->device[i].fact->bar[bar].bytes;
	return bytes;
}

void plan_vm(const struct config *config, unsigned slot, const struct facts *facts,
	     struct plan *plan)
{
	struct taken taken = { 0 };

	memset(plan, 0, sizeof(*plan));
	plan->slot = slot;
	plan->vm = &config->vm[slot];
	for (unsigned i = 0; i < HV_VSMMU_SLOTS; i++)
		plan->vsmmu[i].smmu = "";
	add_devices(facts, plan);
	place_devices(plan);
	reserve_by_hand(plan, &taken);
	number_vsmmus(plan, &taken);
	number_ports(plan, &taken);
	plan->memlock = memlock(plan);
}

static void print_device(const struct plan *plan, const struct plan_device *d, FILE *out)
{
	const struct plan_vsmmu *v = d->vsmmu == PLAN_NONE ? NULL : &plan->vsmmu[d->vsmmu];
	char group[16] = "-";

	if (d->fact && d->fact->group != FACTS_NO_GROUP)
		str_format(group, sizeof(group), "%d", d->fact->group);
	fprintf(out, "  %-12s %5s  %-26s", d->config->bdf, group,
		d->fact ? (d->fact->smmu[0] ? d->fact->smmu : "no SMMU") : "not there");
	if (v)
		fprintf(out, " %5d  %3d  pci.%-4d%7d %4d\n", d->vsmmu, v->bus_nr, d->port_index,
			d->port_chassis, d->port_addr);
	else
		fprintf(out, "     -    -  -\n");
}

static void print_ports(const struct plan *plan, int vsmmu, bool last_bus, FILE *out)
{
	unsigned left = plan->vsmmu[vsmmu].ports;

	for (unsigned i = 0; i < plan->devices; i++) {
		const struct plan_device *d = &plan->device[i];

		if (d->vsmmu != vsmmu)
			continue;
		left--;
		fprintf(out, "  %s  %s slot %d: root port pci.%d ── hostdev%u %s\n",
			last_bus ? " " : "│", left ? "├─" : "└─", d->port_addr, d->port_index,
			d->slot, d->config->bdf);
	}
}

static void print_tree(const struct plan *plan, FILE *out)
{
	fprintf(out, "  pcie.0\n");
	for (unsigned i = 0; i < plan->vsmmus; i++) {
		const struct plan_vsmmu *v = &plan->vsmmu[i];
		bool last = i + 1 == plan->vsmmus;

		fprintf(out, "  %s slot %d: pxb-pcie pci.%d, bus %d, vSMMU %u = %s\n",
			last ? "└─" : "├─", v->addr, v->pxb_index, v->bus_nr, i,
			v->smmu[0] ? v->smmu : "(unknown)");
		print_ports(plan, (int)i, last, out);
	}
}

void plan_print(const struct plan *plan, FILE *out)
{
	fprintf(out, "%s: VM %u, %" PRId64 " MiB, %" PRId64 " CPUs, locks up to %" PRIu64 " MiB\n",
		plan->vm->name, plan->slot, plan->vm->memory_mib, plan->vm->cpus,
		plan->memlock >> 20);
	if (plan->devices == 0) {
		fprintf(out, "  no devices\n");
		return;
	}
	fprintf(out, "  %-12s %5s  %-26s %5s  %3s  %-8s%7s %4s\n", "DEVICE", "GROUP",
		"PHYSICAL SMMU", "VSMMU", "BUS", "PORT", "CHASSIS", "SLOT");
	for (unsigned i = 0; i < plan->devices; i++)
		print_device(plan, &plan->device[i], out);
	print_tree(plan, out);
}
