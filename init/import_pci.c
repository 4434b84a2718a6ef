/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PCI topology of a domain: a pxb-pcie with its SMMU becomes a vSMMU slot, a root port becomes
 * part of the device behind it, or a spare port.
 */
#include "import_private.h"

#include "plan.h"
#include "util.h"

enum { NOWHERE = -1, ROOT = -2 };

/* Who has each of the domain's SMMUs and root ports in the manifest. */
struct topology {
	struct fragment *f;
	const struct domain *d;
	const struct facts *facts;
	unsigned vsmmus;
	int vsmmu[HV_VSMMU_SLOTS]; /* of a domain's SMMU: its slot, or NOWHERE */
	int hostdev[DOMAIN_CONTROLLERS]; /* of a root port: the device's slot, or NOWHERE */
	bool wanted[DOMAIN_CONTROLLERS]; /* of a root port: a disk or a network is behind it */
	int spare[DOMAIN_CONTROLLERS]; /* of a root port: its PORT slot, or NOWHERE */
};

static const struct domain_pxb *find_pxb(const struct domain *d, int index)
{
	for (unsigned i = 0; i < d->pxbs; i++)
		if (d->pxb[i].index == index)
			return &d->pxb[i];
	return NULL;
}

/* Position of the root port that makes this bus, or NOWHERE. */
static int find_port(const struct domain *d, const struct domain_place *at)
{
	for (unsigned i = 0; at->set && i < d->ports; i++)
		if (d->port[i].index == at->bus)
			return (int)i;
	return NOWHERE;
}

/* The controller whose bus that of a bridge or root port hangs on, or NOWHERE for any other. */
static int parent_bus(const struct domain *d, int bus)
{
	for (unsigned i = 0; i < d->ports; i++)
		if (d->port[i].index == bus)
			return d->port[i].at.bus;
	for (unsigned i = 0; i < d->bridges; i++)
		if (d->bridge[i].index == bus)
			return d->bridge[i].at.bus;
	return NOWHERE;
}

/* The bus at the top of that one: pcie.0 or a pxb-pcie's. A ring has none: it ends anywhere. */
static int top_bus(const struct domain *d, int bus)
{
	for (unsigned i = 0; bus > 0 && i < DOMAIN_CONTROLLERS; i++) {
		int parent = parent_bus(d, bus);

		if (parent == NOWHERE)
			break;
		bus = parent;
	}
	return bus;
}

/* --- SMMUs --- */

static bool is_second(const struct topology *t, unsigned smmu)
{
	for (unsigned i = 0; i < smmu; i++)
		if (t->vsmmu[i] != NOWHERE && t->d->smmu[i].bus == t->d->smmu[smmu].bus)
			return true;
	return false;
}

static void place_smmus(struct topology *t)
{
	for (unsigned i = 0; i < t->d->smmus; i++) {
		const struct domain_smmu *smmu = &t->d->smmu[i];

		t->vsmmu[i] = NOWHERE;
		if (!find_pxb(t->d, smmu->bus))
			xml_lost(t->f->xml, smmu->node,
				 "PCI controller %d is no pcie-expander-bus: with hvinit each SMMU "
				 "has one of its own",
				 smmu->bus);
		else if (is_second(t, i))
			xml_lost(t->f->xml, smmu->node, "PCI controller %d has an SMMU already",
				 smmu->bus);
		else
			t->vsmmu[i] = (int)t->vsmmus++;
	}
}

/* The slot of the vSMMU on that bus; ROOT for pcie.0, NOWHERE for any other. */
static int vsmmu_of(const struct topology *t, int bus)
{
	if (bus == 0)
		return ROOT;
	for (unsigned i = 0; i < t->d->smmus; i++)
		if (t->d->smmu[i].bus == bus && t->vsmmu[i] != NOWHERE)
			return t->vsmmu[i];
	return NOWHERE;
}

static void lose_pxbs(const struct topology *t)
{
	for (unsigned i = 0; i < t->d->pxbs; i++)
		if (vsmmu_of(t, t->d->pxb[i].index) == NOWHERE)
			xml_lost(t->f->xml, t->d->pxb[i].node,
				 "no SMMU stands on it: what is behind it goes to pcie.0");
}

static void write_number(struct fragment *f, xmlNode *node, int number, const char *stem,
			 unsigned slot, const char *last)
{
	if (number != DOMAIN_UNSET)
		fragment_number(f, xml_line(node), number, "%s%u_%s", stem, slot, last);
}

/* A property that libvirt's users can set to QEMU's default, too. */
static void write_property(struct fragment *f, const struct domain_smmu *smmu, const char *value,
			   unsigned slot, const char *last)
{
	fragment_text(f, xml_line(smmu->node), value, "VSMMU%u_%s", slot, last);
}

static void write_pxb_addr(struct fragment *f, const struct domain_pxb *pxb, unsigned slot)
{
	if (!pxb->at.set)
		return;
	if (pxb->at.bus || pxb->at.function)
		xml_tell(f->xml, pxb->node, DIAG_IMPORT_CHANGED,
			 "gets a slot of its own on pcie.0, not %02x:%02x.%x",
			 (unsigned)pxb->at.bus, (unsigned)pxb->at.slot, (unsigned)pxb->at.function);
	else
		write_number(f, pxb->node, pxb->at.slot, "VSMMU", slot, "ADDR");
}

static void write_smmus(const struct topology *t)
{
	struct fragment *f = t->f;

	for (unsigned i = 0; i < t->d->smmus; i++) {
		const struct domain_smmu *smmu = &t->d->smmu[i];
		const struct domain_pxb *pxb = find_pxb(t->d, smmu->bus);
		unsigned slot = (unsigned)t->vsmmu[i];

		if (t->vsmmu[i] == NOWHERE)
			continue;
		if (!smmu->accel)
			fragment_bool(f, xml_line(smmu->node), false, "VSMMU%u_ACCEL", slot);
		write_property(f, smmu, smmu->ats, slot, "ATS");
		write_property(f, smmu, smmu->ril, slot, "RIL");
		write_property(f, smmu, smmu->ssidsize, slot, "SSIDSIZE");
		write_property(f, smmu, smmu->oas, slot, "OAS");
		write_property(f, smmu, smmu->cmdqv, slot, "CMDQV");
		write_number(f, pxb->node, pxb->index, "VSMMU", slot, "PXB_INDEX");
		write_number(f, pxb->node, pxb->bus_nr, "VSMMU", slot, "BUS_NR");
		write_pxb_addr(f, pxb, slot);
	}
}

/* --- root ports --- */

/* Where the manifest has a root port: the slot of a vSMMU, ROOT, or NOWHERE when that is lost. */
static int bus_of(const struct topology *t, const struct domain_port *port)
{
	return port->at.set ? vsmmu_of(t, port->at.bus) : ROOT;
}

/* stem is "PORT3_", or "HOSTDEV3_PORT_" for the port of a device. */
static void write_port(const struct topology *t, const struct domain_port *port, const char *stem)
{
	struct fragment *f = t->f;
	unsigned line = xml_line(port->node);

	if (port->index != DOMAIN_UNSET)
		fragment_number(f, line, port->index, "%sINDEX", stem);
	if (port->chassis != DOMAIN_UNSET)
		fragment_number(f, line, port->chassis, "%sCHASSIS", stem);
	if (port->nr != DOMAIN_UNSET)
		fragment_number(f, line, port->nr, "%sNR", stem);
	if (!port->at.set || bus_of(t, port) == NOWHERE)
		return;
	fragment_number(f, line, port->at.slot, "%sADDR", stem);
	if (port->at.function)
		fragment_number(f, line, port->at.function, "%sFUNCTION", stem);
}

static void write_bus(struct fragment *f, unsigned line, int bus, const char *root,
		      const char *name)
{
	if (bus == ROOT || bus == NOWHERE)
		fragment_text(f, line, root, "%s", name);
	else
		fragment_number(f, line, bus, "%s", name);
}

/* Ports that nobody needs wait for hot-plugging, and there is none; some may be carried anyway. */
static void choose_spares(struct topology *t)
{
	unsigned wanted = 0;
	unsigned others = 0;
	int slot = 0;

	for (unsigned i = 0; i < t->d->ports; i++)
		wanted += t->hostdev[i] == NOWHERE && t->wanted[i];
	for (unsigned i = 0; i < t->d->ports; i++) {
		t->spare[i] = NOWHERE;
		if (t->hostdev[i] != NOWHERE)
			continue;
		if (t->wanted[i] ? slot < HV_PORT_SLOTS :
				   wanted + others < HV_PORT_SLOTS && ++others)
			t->spare[i] = slot++;
		else
			xml_lost(t->f->xml, t->d->port[i].node,
				 "nothing is behind it, and a VM has at most %d such ports",
				 HV_PORT_SLOTS);
	}
}

static void write_spares(const struct topology *t)
{
	char text[24];

	for (unsigned i = 0; i < t->d->ports; i++) {
		const struct domain_port *port = &t->d->port[i];

		if (t->spare[i] == NOWHERE)
			continue;
		str_format(text, sizeof(text), "PORT%d_BUS", t->spare[i]);
		write_bus(t->f, xml_line(port->node), bus_of(t, port), "root", text);
		str_format(text, sizeof(text), "PORT%d_", t->spare[i]);
		write_port(t, port, text);
	}
}

/* --- devices of the host --- */

/*
 * A virtual function by its physical one, so that hvinit can turn it on. False when the slot is
 * still free: Kconfig asks for no slot behind a free one.
 */
static bool write_address(const struct topology *t, const struct domain_hostdev *h, unsigned slot)
{
	const struct pci_fact *fact = t->facts ? facts_find(t->facts, h->bdf) : NULL;
	unsigned line = xml_line(h->node);
	bool virtual = fact && fact->pf[0];

	if (!fragment_text(t->f, line, virtual ? fact->pf : h->bdf, "HOSTDEV%u_BDF", slot))
		return false;
	if (virtual)
		fragment_number(t->f, line, fact->vf, "HOSTDEV%u_VF", slot);
	else if (h->is_net && !fact)
		xml_tell(t->f->xml, h->node, DIAG_IMPORT_HOST,
			 "%s is a virtual function, most likely: to have it turned on at boot, set "
			 "VM%u_HOSTDEV%u_BDF to its physical function and _VF to its number, or "
			 "import with --host",
			 h->bdf, t->f->vm, slot);
	return true;
}

static void write_place(const struct topology *t, unsigned n, unsigned slot)
{
	const struct domain_hostdev *h = &t->d->hostdev[n];
	int port = find_port(t->d, &h->at);
	unsigned line = xml_line(h->node);
	char text[32];

	if (!h->at.set)
		return;
	str_format(text, sizeof(text), "HOSTDEV%u_VSMMU", slot);
	write_bus(t->f, line, vsmmu_of(t, top_bus(t->d, h->at.bus)), "none", text);
	if (h->at.slot || h->at.function || port == NOWHERE || t->hostdev[port] != (int)n)
		xml_tell(t->f->xml, h->node, DIAG_IMPORT_CHANGED,
			 "stands alone behind a root port of its own, not at %02x:%02x.%x",
			 (unsigned)h->at.bus, (unsigned)h->at.slot, (unsigned)h->at.function);
	if (port == NOWHERE || t->hostdev[port] != (int)n)
		return;
	str_format(text, sizeof(text), "HOSTDEV%u_PORT_", slot);
	write_port(t, &t->d->port[port], text);
}

static void write_hostdevs(const struct topology *t)
{
	unsigned slot = 0;

	for (unsigned i = 0; i < t->d->hostdevs; i++) {
		const struct domain_hostdev *h = &t->d->hostdev[i];
		unsigned line = xml_line(h->node);

		if (!write_address(t, h, slot))
			continue;
		fragment_text(t->f, line, h->driver, "HOSTDEV%u_DRIVER", slot);
		if (h->optional)
			fragment_bool(t->f, line, true, "HOSTDEV%u_OPTIONAL", slot);
		if (!h->managed)
			fragment_bool(t->f, line, false, "HOSTDEV%u_MANAGED", slot);
		if (h->no_rom)
			fragment_bool(t->f, line, false, "HOSTDEV%u_ROM_BAR", slot);
		if (h->boot != DOMAIN_UNSET)
			fragment_number(t->f, line, h->boot - 1, "HOSTDEV%u_BOOTINDEX", slot);
		write_place(t, i, slot);
		slot++;
	}
}

/* --- disks and networks --- */

static void write_emulated(const struct topology *t, xmlNode *node, const struct domain_place *at,
			   int boot, int addr, const char *stem)
{
	bool there = at->bus == 0 && at->slot == addr && at->function == 0;
	int port = find_port(t->d, at);

	if (boot != DOMAIN_UNSET)
		fragment_number(t->f, xml_line(node), boot - 1, "%sBOOTINDEX", stem);
	if (port != NOWHERE && t->spare[port] != NOWHERE && !at->slot && !at->function)
		fragment_number(t->f, xml_line(node), t->spare[port], "%sPORT", stem);
	else if (at->set && !there)
		xml_tell(t->f->xml, node, DIAG_IMPORT_CHANGED,
			 "stands at the end of pcie.0, not at %02x:%02x.%x", (unsigned)at->bus,
			 (unsigned)at->slot, (unsigned)at->function);
}

/* The order that <boot dev=> gives to the first disk or network; DOMAIN_UNSET: none. */
static int os_boot(const struct domain *d, const char *dev, unsigned position)
{
	for (unsigned i = 0; position == 0 && i < d->boots; i++)
		if (strcmp(d->boot[i].text, dev) == 0)
			return (int)i + 1;
	return DOMAIN_UNSET;
}

static void write_disks(const struct topology *t)
{
	const struct domain *d = t->d;
	unsigned slot = 0;
	char stem[16];

	for (unsigned i = 0; i < d->disks; i++) {
		const struct domain_disk *disk = &d->disk[i];
		unsigned line = xml_line(disk->node);

		str_format(stem, sizeof(stem), "DISK%u_", slot);
		if (!fragment_text(t->f, line, disk->path, "%sPATH", stem))
			continue;
		fragment_text(t->f, line, disk->format, "%sFORMAT", stem);
		if (disk->readonly)
			fragment_bool(t->f, line, true, "%sREADONLY", stem);
		write_emulated(t, disk->node, &disk->at,
			       disk->boot == DOMAIN_UNSET ? os_boot(d, "hd", i) : disk->boot,
			       PLAN_DISK_ADDR - (int)slot, stem);
		slot++;
	}
}

static void write_nets(const struct topology *t)
{
	const struct domain *d = t->d;
	unsigned slot = 0;
	char stem[16];

	for (unsigned i = 0; i < d->nets; i++) {
		const struct domain_net *net = &d->net[i];
		unsigned line = xml_line(net->node);

		str_format(stem, sizeof(stem), "NET%u_", slot);
		if (!fragment_text(t->f, line, net->bridge, "%sBRIDGE", stem))
			continue;
		fragment_text(t->f, line, net->mac, "%sMAC", stem);
		write_emulated(t, net->node, &net->at,
			       net->boot == DOMAIN_UNSET ? os_boot(d, "network", i) : net->boot,
			       PLAN_NET_ADDR - (int)slot, stem);
		slot++;
		xml_tell(t->f->xml, net->node, DIAG_IMPORT_HOST,
			 "the bridge is hvinit's to make: set HOST_BRIDGEn_NAME to \"%.20s\", and "
			 "its uplink",
			 net->bridge);
	}
}

static void find_users(struct topology *t)
{
	for (unsigned i = 0; i < t->d->ports; i++)
		t->hostdev[i] = NOWHERE;
	for (unsigned i = 0; i < t->d->hostdevs; i++) {
		int port = find_port(t->d, &t->d->hostdev[i].at);

		if (port != NOWHERE && t->hostdev[port] == NOWHERE)
			t->hostdev[port] = (int)i;
	}
	for (unsigned i = 0; i < t->d->disks + t->d->nets; i++) {
		const struct domain_place *at = i < t->d->disks ? &t->d->disk[i].at :
								  &t->d->net[i - t->d->disks].at;
		int port = find_port(t->d, at);

		if (port != NOWHERE)
			t->wanted[port] = true;
	}
}

void import_topology(struct fragment *f, const struct domain *d, const struct facts *facts)
{
	struct topology t = { .f = f, .d = d, .facts = facts };

	place_smmus(&t);
	lose_pxbs(&t);
	find_users(&t);
	choose_spares(&t);
	write_disks(&t);
	write_nets(&t);
	write_hostdevs(&t);
	write_smmus(&t);
	write_spares(&t);
}
