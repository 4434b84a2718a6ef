/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's PCI numbers: buses, indexes, chassis, slots and functions, and QEMU's ids. */
#include "check_private.h"

#include <ctype.h>

#include "manifest.h"
#include "util.h"

/* Objects and devices share one name space in QEMU, and these names are ours (argv.c). */
bool check_is_our_id(const char *id)
{
	static const char *const ours[] = { "mon0",    "qmp0",	   "serial0", "pcie.0",
					    "memory0", "firmware", "vars",    "panic0",
					    "ctl0",    "ctlbus0",  "ctlport0" };
	static const char *const families[] = { "smmuv3.",     "iommu", "hostdev", "pci.", "disk",
						"virtio-disk", "net",	"hostnet", "gi" };

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (strcmp(id, ours[i]) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		const char *number = id + strlen(families[i]);

		if (str_prefix(id, families[i]) && isdigit((unsigned char)*number))
			return true;
	}
	return false;
}

static void check_ids(const struct check *c)
{
	const char *id = c->vm->iommufd_id;

	if (c->plan->devices && (!id[0] || check_is_our_id(id)))
		check_fail(c, DIAG_TOPO_CLASH, SYMBOL(c, "IOMMUFD_ID"),
			   "\"%s\" is empty or an id of hvinit's own", id);
}

/* The root bus and a bus for each root port must fit below 256 and not touch another's. */
static void check_buses(const struct check *c)
{
	const struct plan *plan = c->plan;

	for (unsigned i = 0; i < plan->vsmmus; i++) {
		const struct plan_vsmmu *v = &plan->vsmmu[i];
		int last = v->bus_nr + (int)v->ports;

		if (v->bus_nr < 1 || last >= PLAN_BUSES)
			check_fail(c, DIAG_TOPO_ROOM, SYMBOL(c, "VSMMU%u_BUS_NR", i),
				   "buses %d to %d do not fit into 1 to 255: one for the pxb-pcie, "
				   "one for each of %u root ports",
				   v->bus_nr, last, v->ports);
		for (unsigned j = 0; j < i; j++) {
			const struct plan_vsmmu *w = &plan->vsmmu[j];

			if (v->bus_nr <= w->bus_nr + (int)w->ports && w->bus_nr <= last)
				check_fail(c, DIAG_TOPO_CLASH, SYMBOL(c, "VSMMU%u_BUS_NR", i),
					   "buses %d to %d overlap vSMMU %u's %d to %d", v->bus_nr,
					   last, j, w->bus_nr, w->bus_nr + (int)w->ports);
		}
	}
}

/*
 * Root ports on pcie.0 get the numbers from 1 up, and below the lowest pxb-pcie's there must be
 * one for each: firmware gives none to those for which no number is left.
 */
static void check_root_buses(const struct check *c)
{
	int lowest = PLAN_BUSES;
	int ports = 0;

	for (unsigned i = 0; i < c->plan->vsmmus; i++)
		if (c->plan->vsmmu[i].bus_nr < lowest)
			lowest = c->plan->vsmmu[i].bus_nr;
	for (unsigned i = 0; i < c->plan->ports; i++)
		ports += c->plan->port[i].vsmmu == PLAN_ROOT;
	if (ports && ports >= lowest)
		check_fail(c, DIAG_TOPO_ROOM, c->vm->name,
			   "the root ports on pcie.0 need buses 1 to %d, and a pxb-pcie has %d",
			   ports, lowest);
}

static void clash(const struct check *c, const char *symbol, const char *what, int number)
{
	if (number == PLAN_NONE)
		check_fail(c, DIAG_TOPO_ROOM, symbol, "no %s is left", what);
	else
		check_fail(c, DIAG_TOPO_CLASH, symbol, "%s %d is used twice", what, number);
}

/* The symbol of a root port's number, which a device's slot or a spare port's has. */
static const char *port_symbol(const struct check *c, const struct plan_port *port,
			       const char *last, char name[DIAG_SUBJECT])
{
	if (port->device == PLAN_NONE)
		return check_symbol(c, name, "PORT%u_%s", port->slot, last);
	return check_symbol(c, name, "HOSTDEV%u_PORT_%s", port->slot, last);
}

static void check_pxb_index(const struct check *c, unsigned i)
{
	const struct plan_vsmmu *v = &c->plan->vsmmu[i];
	bool twice = v->pxb_index == PLAN_NONE;

	for (unsigned j = 0; j < i; j++)
		twice |= c->plan->vsmmu[j].pxb_index == v->pxb_index;
	if (twice)
		clash(c, SYMBOL(c, "VSMMU%u_PXB_INDEX", i), "PCI controller index", v->pxb_index);
}

static void check_port_numbers(const struct check *c, unsigned i)
{
	const struct plan_port *p = &c->plan->port[i];
	bool chassis = p->chassis == PLAN_NONE;
	bool index = p->index == PLAN_NONE;
	char symbol[DIAG_SUBJECT];

	for (unsigned j = 0; j < c->plan->vsmmus; j++)
		index |= c->plan->vsmmu[j].pxb_index == p->index;
	for (unsigned j = 0; j < i; j++) {
		index |= c->plan->port[j].index == p->index;
		chassis |= c->plan->port[j].chassis == p->chassis;
	}
	if (index)
		clash(c, port_symbol(c, p, "INDEX", symbol), "PCI controller index", p->index);
	if (chassis)
		clash(c, port_symbol(c, p, "CHASSIS", symbol), "chassis", p->chassis);
}

/* --- slots and functions --- */

enum kind { HOST_BRIDGE, PANIC, CTL, DISK, NET, PXB, PORT };

/* Something that takes a slot of a root bus. */
struct occupant {
	enum kind kind;
	unsigned i; /* its position in the plan */
	int bus; /* as plan_port's vsmmu */
	int addr;
	int function;
};

enum { OCCUPANTS = 3 + HV_DISK_SLOTS + HV_NET_SLOTS + HV_VSMMU_SLOTS + PLAN_PORTS };

/* What cannot be moved comes first: of two in one place, the other one is told. */
static unsigned list_occupants(const struct plan *plan, struct occupant list[OCCUPANTS])
{
	unsigned n = 0;

	list[n++] = (struct occupant){ HOST_BRIDGE, 0, PLAN_ROOT, 0, 0 };
	if (plan->vm->pvpanic)
		list[n++] = (struct occupant){ PANIC, 0, PLAN_ROOT, PLAN_PANIC_ADDR, 0 };
	if (plan->vm->ctl)
		list[n++] = (struct occupant){ CTL, 0, PLAN_ROOT, PLAN_CTL_ADDR, 0 };
	for (unsigned i = 0; i < plan->disks; i++)
		if (plan->disk[i].port == PLAN_ROOT)
			list[n++] = (struct occupant){ DISK, i, PLAN_ROOT, plan->disk[i].addr, 0 };
	for (unsigned i = 0; i < plan->nets; i++)
		if (plan->net[i].port == PLAN_ROOT)
			list[n++] = (struct occupant){ NET, i, PLAN_ROOT, plan->net[i].addr, 0 };
	for (unsigned i = 0; i < plan->vsmmus; i++)
		list[n++] = (struct occupant){ PXB, i, PLAN_ROOT, plan->vsmmu[i].addr, 0 };
	for (unsigned i = 0; i < plan->ports; i++) {
		const struct plan_port *p = &plan->port[i];

		list[n++] = (struct occupant){ PORT, i, p->vsmmu, p->addr, p->function };
	}
	return n;
}

static const char *occupant_symbol(const struct check *c, const struct occupant *o,
				   const char *last, char name[DIAG_SUBJECT])
{
	if (o->kind == PXB)
		return check_symbol(c, name, "VSMMU%u_ADDR", o->i);
	return port_symbol(c, &c->plan->port[o->i], last, name);
}

static const char *occupant_name(const struct check *c, const struct occupant *o, char name[32])
{
	switch (o->kind) {
	case HOST_BRIDGE:
		str_copy(name, 32, "the host bridge");
		break;
	case PANIC:
		str_copy(name, 32, "the pvpanic device");
		break;
	case CTL:
		str_copy(name, 32, "the port of VM_CTL");
		break;
	case DISK:
		str_format(name, 32, "disk %u", o->i);
		break;
	case NET:
		str_format(name, 32, "network interface %u", o->i);
		break;
	case PXB:
		str_format(name, 32, "vSMMU %u's pxb-pcie", o->i);
		break;
	case PORT:
		str_format(name, 32, "root port pci.%d", c->plan->port[o->i].index);
		break;
	}
	return name;
}

/* Whether both can be in one slot: as functions of it, and only root ports are made for that. */
static bool can_share(const struct occupant *a, const struct occupant *b)
{
	return a->kind == PORT && b->kind == PORT && a->function != b->function;
}

static void check_slot(const struct check *c, const struct occupant *list, unsigned n)
{
	const struct occupant *o = &list[n];
	char symbol[DIAG_SUBJECT];
	char name[32];

	if (o->addr == PLAN_NONE) {
		check_fail(c, DIAG_TOPO_ROOM, occupant_symbol(c, o, "ADDR", symbol),
			   "no slot of its bus is left");
		return;
	}
	for (unsigned i = 0; i < n; i++)
		if (list[i].bus == o->bus && list[i].addr == o->addr && !can_share(&list[i], o)) {
			check_fail(c, DIAG_TOPO_CLASH, occupant_symbol(c, o, "ADDR", symbol),
				   "slot %d of its bus is used twice: %s is there", o->addr,
				   occupant_name(c, &list[i], name));
			return;
		}
}

/* A guest looks at function 0 of a slot first, and at no other when that is missing. */
static void check_function(const struct check *c, const struct occupant *list, unsigned count,
			   const struct occupant *o)
{
	char symbol[DIAG_SUBJECT];

	if (o->function == 0)
		return;
	for (unsigned i = 0; i < count; i++)
		if (list[i].bus == o->bus && list[i].addr == o->addr && list[i].function == 0)
			return;
	check_fail(
		c, DIAG_TOPO_CLASH, occupant_symbol(c, o, "FUNCTION", symbol),
		"function %d of slot %d has no function 0 beside it: the guest would never see it",
		o->function, o->addr);
}

static void check_slots(const struct check *c)
{
	struct occupant list[OCCUPANTS];
	unsigned count = list_occupants(c->plan, list);

	for (unsigned n = 0; n < count; n++) {
		if (list[n].kind == PXB || list[n].kind == PORT)
			check_slot(c, list, n);
		check_function(c, list, count, &list[n]);
	}
}

/* --- what is behind spare root ports --- */

/* "DISK1_PORT" or "NET0_PORT", for all disks and then all network interfaces. */
static const char *place_symbol(const struct check *c, unsigned n, char name[DIAG_SUBJECT])
{
	if (n < c->plan->disks)
		return check_symbol(c, name, "DISK%u_PORT", n);
	return check_symbol(c, name, "NET%u_PORT", n - c->plan->disks);
}

static const struct plan_place *place(const struct plan *plan, unsigned n)
{
	return n < plan->disks ? &plan->disk[n] : &plan->net[n - plan->disks];
}

static void check_place(const struct check *c, unsigned n)
{
	const struct plan_place *p = place(c->plan, n);
	char symbol[DIAG_SUBJECT];
	char other[DIAG_SUBJECT];
	int vsmmu;

	place_symbol(c, n, symbol);
	if (p->port == PLAN_NONE)
		check_fail(c, DIAG_PORT_NONE, symbol, "that spare root port is not in use");
	if (p->port < 0)
		return;
	for (unsigned i = 0; i < n; i++)
		if (place(c->plan, i)->port == p->port)
			check_fail(c, DIAG_TOPO_CLASH, symbol,
				   "a root port has room for one device, and %s is behind it",
				   place_symbol(c, i, other));
	vsmmu = c->plan->port[p->port].vsmmu;
	if (vsmmu >= 0 && c->plan->vsmmu[vsmmu].config->accel)
		check_fail(c, DIAG_SMMU_EMULATED, symbol,
			   "the port is behind vSMMU %d, which is accelerated and takes devices "
			   "of the host only",
			   vsmmu);
}

void check_topology(const struct check *c)
{
	const struct plan *plan = c->plan;

	check_ids(c);
	for (unsigned i = 0; i < plan->vsmmus; i++)
		check_pxb_index(c, i);
	for (unsigned i = 0; i < plan->ports; i++)
		check_port_numbers(c, i);
	check_slots(c);
	check_buses(c);
	check_root_buses(c);
	for (unsigned n = 0; n < plan->disks + plan->nets; n++)
		check_place(c, n);
	if (plan->homeless)
		check_fail(c, DIAG_TOPO_ROOM, c->vm->name,
			   "%u devices are behind more physical SMMUs than a VM can have vSMMUs "
			   "(%d)",
			   plan->homeless, HV_VSMMU_SLOTS);
}
