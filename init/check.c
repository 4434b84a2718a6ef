/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules. QEMU and the kernel would refuse most of these later, with fewer words. */
#include "check.h"

#include <inttypes.h>

#include "argv.h"
#include "manifest.h"
#include "util.h"

enum {
	RESERVED_MIB = 256
}; /* for the kernel, PID 1 and QEMU's own memory; init/kconfig/vm.in says so */

struct check {
	int root;
	const struct config *config;
	const struct facts *facts;
	const struct plan *plan;
	struct diag *diag;
};

PRINTF_LIKE(4, 5)
static void fail(const struct check *c, enum diag_code code, const char *subject, const char *fmt,
		 ...)
{
	char text[DIAG_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_add(c->diag, (int)c->plan->slot, code, subject, "%s", text);
}

/* "VM0_HOSTDEV1_BDF": the symbol of a device of the VM that is being checked. */
static const char *hostdev_symbol(const struct check *c, unsigned slot, const char *last,
				  char name[DIAG_SUBJECT])
{
	str_format(name, DIAG_SUBJECT, "VM%u_HOSTDEV%u_%s", c->plan->slot, slot, last);
	return name;
}

static const char *vsmmu_symbol(const struct check *c, unsigned slot, const char *last,
				char name[DIAG_SUBJECT])
{
	str_format(name, DIAG_SUBJECT, "VM%u_VSMMU%u_%s", c->plan->slot, slot, last);
	return name;
}

static const char *vm_symbol(const struct check *c, const char *last, char name[DIAG_SUBJECT])
{
	str_format(name, DIAG_SUBJECT, "VM%u_%s", c->plan->slot, last);
	return name;
}

/* Commands know a VM by its name, and 'log host' is the host's. */
static void check_name(const struct check *c)
{
	const char *name = c->plan->vm->name;
	char symbol[DIAG_SUBJECT];

	vm_symbol(c, "NAME", symbol);
	if (strcmp(name, "host") == 0)
		fail(c, DIAG_NAME_TAKEN, symbol, "call a VM \"host\": that is the host's name");
	for (unsigned vm = 0; vm < c->plan->slot; vm++)
		if (strcmp(c->config->vm[vm].name, name) == 0)
			fail(c, DIAG_NAME_TAKEN, symbol, "call a VM \"%s\": VM%u_NAME is the same",
			     name, vm);
}

static void check_file(const struct check *c, const char *path, const char *last)
{
	char symbol[DIAG_SUBJECT];

	if (path[0] && !sys_exists(c->root, path))
		fail(c, DIAG_FILE_NONE, vm_symbol(c, last, symbol), "open %.200s: no such file",
		     path);
}

static void check_files(const struct check *c)
{
	const struct vm_config *vm = c->plan->vm;

	if (c->root < 0)
		return;
	if (!sys_exists(c->root, QEMU_PATH))
		fail(c, DIAG_QEMU_NONE, vm->name, "start %s: no such file", QEMU_PATH);
	check_file(c, vm->firmware, "FIRMWARE");
	check_file(c, vm->kernel, "KERNEL");
	check_file(c, vm->initrd, "INITRD");
}

/* Memory of the VMs that start by themselves before this one: all of it is pinned, and gone. */
static uint64_t memory_of_others(const struct check *c)
{
	uint64_t sum = 0;

	for (unsigned vm = 0; vm < c->plan->slot; vm++)
		if (manifest_vm_used(&c->config->vm[vm]) && c->config->vm[vm].autostart)
			sum += (uint64_t)c->config->vm[vm].memory_mib;
	return sum;
}

/* Objects and devices share one name space in QEMU, and these names are ours (argv.c). */
static void check_ids(const struct check *c)
{
	static const char *const ours[] = { "mon0", "qmp0", "serial0", "pcie.0" };
	static const char *const families[] = { "smmuv3.", "hostdev", "pci." };
	const char *id = c->plan->vm->iommufd_id;
	char symbol[DIAG_SUBJECT];
	bool clashes = !id[0];

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		clashes |= strcmp(id, ours[i]) == 0;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		clashes |= str_prefix(id, families[i]);
	if (clashes && c->plan->devices)
		fail(c, DIAG_TOPO_CLASH, vm_symbol(c, "IOMMUFD_ID", symbol),
		     "\"%s\" is empty or an id of hvinit's own", id);
}

static void check_machine(const struct check *c)
{
	char symbol[DIAG_SUBJECT];
	uint64_t others = c->plan->vm->autostart ? memory_of_others(c) : 0;
	uint64_t want = (uint64_t)c->plan->vm->memory_mib;
	uint64_t have = c->facts->memory_kib >> 10;

	if (!c->facts->kvm)
		fail(c, DIAG_KVM_NONE, c->plan->vm->name, "use KVM: /dev/kvm is missing");
	if (c->plan->devices && !c->facts->iommufd)
		fail(c, DIAG_IOMMUFD_NONE, c->plan->vm->name,
		     "pass devices: /dev/iommu is missing");
	if (have && want + others + RESERVED_MIB > have)
		fail(c, DIAG_MEMORY_SHORT, vm_symbol(c, "MEMORY_MIB", symbol),
		     "%" PRIu64 " MiB wanted; the machine has %" PRIu64
		     " MiB, other VMs have %" PRIu64 " MiB of them and the host needs %d MiB",
		     want, have, others, RESERVED_MIB);
	if (c->facts->dropped)
		fail(c, DIAG_DEV_MANY, c->plan->vm->name,
		     "look at the PCI devices: %u are more than hvinit can hold (%d)",
		     c->facts->dropped, FACTS_DEVICES);
}

/* Tells who else has the device: a slot of this VM further up, or any slot of another VM. */
static bool is_taken(const struct check *c, const struct plan_device *d, unsigned vm, unsigned slot)
{
	const struct hostdev_config *other = &c->config->vm[vm].hostdev[slot];

	if (!manifest_vm_used(&c->config->vm[vm]) || strcmp(other->bdf, d->config->bdf) != 0)
		return false;
	return vm < c->plan->slot || (vm == c->plan->slot && slot < d->slot);
}

static void check_twice(const struct check *c, const struct plan_device *d)
{
	char symbol[DIAG_SUBJECT];

	for (unsigned vm = 0; vm < HV_VM_SLOTS; vm++)
		for (unsigned slot = 0; slot < HV_HOSTDEV_SLOTS; slot++)
			if (is_taken(c, d, vm, slot))
				fail(c, DIAG_DEV_TWICE, hostdev_symbol(c, d->slot, "BDF", symbol),
				     "%s is given to VM%u_HOSTDEV%u_BDF already", d->config->bdf,
				     vm, slot);
}

/* Whether some slot of the VM that is being checked names the device. */
static bool is_ours(const struct check *c, const char *bdf)
{
	for (unsigned i = 0; i < c->plan->devices; i++)
		if (strcmp(c->plan->device[i].config->bdf, bdf) == 0)
			return true;
	return false;
}

/* What the kernel lets a device of the group have beside those that VFIO uses. */
static bool leaves_group_alone(const char *driver)
{
	return driver[0] == '\0' || strstr(driver, "vfio") || strcmp(driver, "pci-stub") == 0;
}

/* The other VM that some slot gives the device to, or NULL. */
static const struct vm_config *other_owner(const struct check *c, const char *bdf)
{
	for (unsigned vm = 0; vm < HV_VM_SLOTS; vm++)
		for (unsigned slot = 0; slot < HV_HOSTDEV_SLOTS; slot++)
			if (vm != c->plan->slot && manifest_vm_used(&c->config->vm[vm]) &&
			    strcmp(c->config->vm[vm].hostdev[slot].bdf, bdf) == 0)
				return &c->config->vm[vm];
	return NULL;
}

/*
 * The kernel gives a group to one owner: a peer on a host driver makes the whole group unusable,
 * and of two VMs only one could ever run.
 */
static void check_group(const struct check *c, const struct plan_device *d)
{
	for (unsigned i = 0; i < c->facts->count; i++) {
		const struct pci_fact *peer = &c->facts->device[i];
		const struct vm_config *owner;

		if (peer->group != d->fact->group || peer->bridge || is_ours(c, peer->bdf))
			continue;
		owner = other_owner(c, peer->bdf);
		if (owner)
			fail(c, DIAG_GRP_PEERS, d->config->bdf,
			     "use IOMMU group %d: %s of the same group is given to %s", peer->group,
			     peer->bdf, owner->name);
		else if (!leaves_group_alone(peer->driver))
			fail(c, DIAG_GRP_PEERS, d->config->bdf,
			     "use IOMMU group %d: %s of the same group is held by the driver %s",
			     peer->group, peer->bdf, peer->driver);
	}
}

static void check_device(const struct check *c, const struct plan_device *d)
{
	char symbol[DIAG_SUBJECT];

	check_twice(c, d);
	hostdev_symbol(c, d->slot, "BDF", symbol);
	if (d->absent)
		return;
	if (!d->fact) {
		fail(c, DIAG_DEV_NONE, symbol, "find %s: no such PCI device", d->config->bdf);
		return;
	}
	if (d->fact->bridge) {
		fail(c, DIAG_DEV_BRIDGE, symbol, "assign %s: it is a bridge", d->config->bdf);
		return;
	}
	if (!d->fact->smmu[0] || d->fact->group == FACTS_NO_GROUP)
		fail(c, DIAG_IOMMU_OFF, symbol, "assign %s: no SMMU stands before it",
		     d->config->bdf);
	else
		check_group(c, d);
	if (strcmp(d->config->driver, "auto") == 0)
		return;
	if (!strstr(d->config->driver, "vfio"))
		fail(c, DIAG_DRV_HOST, hostdev_symbol(c, d->slot, "DRIVER", symbol),
		     "bind %s to %s: it is no VFIO driver", d->config->bdf, d->config->driver);
	else if (!facts_driver(c->facts, d->config->driver))
		fail(c, DIAG_DRV_NAME, hostdev_symbol(c, d->slot, "DRIVER", symbol),
		     "bind %s to %s: no such PCI driver", d->config->bdf, d->config->driver);
}

/* Devices that a person put behind one vSMMU must share a physical one. */
static void check_split(const struct check *c, const struct plan_device *d)
{
	char symbol[DIAG_SUBJECT];
	const struct plan_vsmmu *v;

	if (d->vsmmu < 0 || !d->fact)
		return;
	v = &c->plan->vsmmu[d->vsmmu];
	if (strcmp(v->smmu, d->fact->smmu) != 0)
		fail(c, DIAG_SMMU_SPLIT, hostdev_symbol(c, d->slot, "VSMMU", symbol),
		     "put %s behind vSMMU %d: it is behind %s, the vSMMU stands for %s",
		     d->config->bdf, d->vsmmu, d->fact->smmu, v->smmu);
}

/* An empty vSMMU that only fills a gap below another is told of once for the gap. */
static bool is_meant(const struct check *c, unsigned i)
{
	return plan_is_set(c->plan->vsmmu[i].config) ||
	       (i + 1 < c->plan->vsmmus && c->plan->vsmmu[i + 1].devices > 0);
}

static void check_empty(const struct check *c)
{
	char symbol[DIAG_SUBJECT];

	for (unsigned i = 0; i < c->plan->vsmmus; i++) {
		const struct plan_vsmmu *v = &c->plan->vsmmu[i];

		if (v->devices == 0 && v->config->accel && plan_has_auto(v->config) &&
		    is_meant(c, i))
			fail(c, DIAG_SMMU_AUTO, vsmmu_symbol(c, i, "ACCEL", symbol),
			     "vSMMU %u has no device that QEMU could learn its features from", i);
	}
	if (c->plan->homeless)
		fail(c, DIAG_TOPO_ROOM, c->plan->vm->name,
		     "%u devices are behind more physical SMMUs than a VM can have vSMMUs (%d)",
		     c->plan->homeless, HV_VSMMU_SLOTS);
}

/* The root bus and a bus for each root port must fit below 256 and not touch another's. */
static void check_buses(const struct check *c)
{
	char symbol[DIAG_SUBJECT];

	for (unsigned i = 0; i < c->plan->vsmmus; i++) {
		const struct plan_vsmmu *v = &c->plan->vsmmu[i];
		int last = v->bus_nr + (int)v->ports;

		vsmmu_symbol(c, i, "BUS_NR", symbol);
		if (v->bus_nr < 1 || last >= PLAN_BUSES)
			fail(c, DIAG_TOPO_ROOM, symbol,
			     "buses %d to %d do not fit into 1 to 255: one for the pxb-pcie, one "
			     "for each of %u root ports",
			     v->bus_nr, last, v->ports);
		for (unsigned j = 0; j < i; j++) {
			const struct plan_vsmmu *w = &c->plan->vsmmu[j];

			if (v->bus_nr <= w->bus_nr + (int)w->ports && w->bus_nr <= last)
				fail(c, DIAG_TOPO_CLASH, symbol,
				     "buses %d to %d overlap vSMMU %u's %d to %d", v->bus_nr, last,
				     j, w->bus_nr, w->bus_nr + (int)w->ports);
		}
	}
}

static void clash(const struct check *c, const char *symbol, const char *what, int number)
{
	if (number == PLAN_NONE)
		fail(c, DIAG_TOPO_ROOM, symbol, "no %s is left", what);
	else
		fail(c, DIAG_TOPO_CLASH, symbol, "%s %d is used twice", what, number);
}

static void check_vsmmu_numbers(const struct check *c, unsigned i)
{
	const struct plan_vsmmu *v = &c->plan->vsmmu[i];
	char symbol[DIAG_SUBJECT];
	bool index = v->pxb_index == PLAN_NONE;
	bool addr = v->addr == PLAN_NONE;

	for (unsigned j = 0; j < i; j++) {
		index |= c->plan->vsmmu[j].pxb_index == v->pxb_index;
		addr |= c->plan->vsmmu[j].addr == v->addr;
	}
	if (index)
		clash(c, vsmmu_symbol(c, i, "PXB_INDEX", symbol), "PCI controller index",
		      v->pxb_index);
	if (addr)
		clash(c, vsmmu_symbol(c, i, "ADDR", symbol), "slot of pcie.0", v->addr);
}

/* The symbol of a root port's number, which a device's slot or a spare port's has. */
static const char *port_symbol(const struct check *c, const struct plan_port *port,
			       const char *last, char name[DIAG_SUBJECT])
{
	str_format(name, DIAG_SUBJECT, "VM%u_%s%u_%s%s", c->plan->slot,
		   port->device == PLAN_NONE ? "PORT" : "HOSTDEV", port->slot,
		   port->device == PLAN_NONE ? "" : "PORT_", last);
	return name;
}

static void check_port_numbers(const struct check *c, unsigned i)
{
	const struct plan_port *p = &c->plan->port[i];
	char symbol[DIAG_SUBJECT];
	bool index = p->index == PLAN_NONE;
	bool chassis = p->chassis == PLAN_NONE;
	bool addr = p->addr == PLAN_NONE;

	for (unsigned j = 0; j < c->plan->vsmmus; j++)
		index |= c->plan->vsmmu[j].pxb_index == p->index;
	for (unsigned j = 0; j < i; j++) {
		const struct plan_port *q = &c->plan->port[j];

		index |= q->index == p->index;
		chassis |= q->chassis == p->chassis;
		addr |= q->vsmmu == p->vsmmu && q->addr == p->addr && q->function == p->function;
	}
	if (index)
		clash(c, port_symbol(c, p, "INDEX", symbol), "PCI controller index", p->index);
	if (chassis)
		clash(c, port_symbol(c, p, "CHASSIS", symbol), "chassis", p->chassis);
	if (addr)
		clash(c, port_symbol(c, p, "ADDR", symbol), "slot of its bus", p->addr);
}

void check_vm(int root, const struct config *config, const struct facts *facts,
	      const struct plan *plan, struct diag *diag)
{
	const struct check c = { root, config, facts, plan, diag };

	check_name(&c);
	check_files(&c);
	check_machine(&c);
	check_ids(&c);
	for (unsigned i = 0; i < plan->devices; i++) {
		check_device(&c, &plan->device[i]);
		check_split(&c, &plan->device[i]);
	}
	for (unsigned i = 0; i < plan->ports; i++)
		check_port_numbers(&c, i);
	for (unsigned i = 0; i < plan->vsmmus; i++)
		check_vsmmu_numbers(&c, i);
	check_buses(&c);
	check_empty(&c);
}
