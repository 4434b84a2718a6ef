/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the <devices> of a libvirt domain: PCI controllers, SMMUs, host devices, disks, nets. */
#include "domain.h"

#include "util.h"

enum { PCI_BUSES = 255, PCI_SLOTS = 31, PCI_FUNCTIONS = 7, BYTE = 255, BOOT_ORDERS = 100 };

static bool is_word(const char *text, const char *word)
{
	return text && strcmp(text, word) == 0;
}

static bool is_yes(const char *text)
{
	return is_word(text, "yes") || is_word(text, "on");
}

/* 0 for a part of an address that is not there. */
static int part(struct xml *xml, xmlNode *node, const char *name, int max)
{
	int number = domain_number(xml, node, name, 0, max);

	return number == DOMAIN_UNSET ? 0 : number;
}

static void read_place(struct xml *xml, xmlNode *device, struct domain_place *at)
{
	xmlNode *node = xml_child(device, "address");
	const char *type = xml_attr(node, "type");

	if (!node)
		return;
	if (type && strcmp(type, "pci") != 0) {
		xml_lost(xml, node, "guests' devices are on PCI");
		return;
	}
	if (part(xml, node, "domain", UINT16_MAX) != 0)
		xml_lost_attr(xml, node, "domain", "guests have one PCI domain");
	at->set = xml_attr(node, "bus") || xml_attr(node, "slot");
	at->bus = part(xml, node, "bus", PCI_BUSES);
	at->slot = part(xml, node, "slot", PCI_SLOTS);
	at->function = part(xml, node, "function", PCI_FUNCTIONS);
	/* Follows from the functions that others have. */
	xml_attr(node, "multifunction");
}

static int read_boot(struct xml *xml, xmlNode *device)
{
	xmlNode *boot = xml_child(device, "boot");

	return boot ? domain_number(xml, boot, "order", 10, BOOT_ORDERS) : DOMAIN_UNSET;
}

/* --- controllers --- */

static void read_pxb(struct xml *xml, xmlNode *node, struct domain *d)
{
	struct domain_pxb *pxb = &d->pxb[d->pxbs];
	xmlNode *target = xml_child(node, "target");

	if (d->pxbs == DOMAIN_CONTROLLERS) {
		xml_lost(xml, node, "there are more than %d", DOMAIN_CONTROLLERS);
		return;
	}
	d->pxbs++;
	pxb->node = node;
	pxb->index = domain_number(xml, node, "index", 10, PCI_BUSES);
	pxb->bus_nr = target ? domain_number(xml, target, "busNr", 10, BYTE) : DOMAIN_UNSET;
	read_place(xml, node, &pxb->at);
}

static void read_port(struct xml *xml, xmlNode *node, struct domain *d)
{
	struct domain_port *port = &d->port[d->ports];
	xmlNode *target = xml_child(node, "target");

	if (d->ports == DOMAIN_CONTROLLERS) {
		xml_lost(xml, node, "there are more than %d", DOMAIN_CONTROLLERS);
		return;
	}
	d->ports++;
	port->node = node;
	port->index = domain_number(xml, node, "index", 10, PCI_BUSES);
	port->chassis = target ? domain_number(xml, target, "chassis", 0, BYTE) : DOMAIN_UNSET;
	port->nr = target ? domain_number(xml, target, "port", 0, BYTE) : DOMAIN_UNSET;
	read_place(xml, node, &port->at);
}

/* Only elements that are carried over are taken: xml_rest() finds the others. */
static bool is_kind(xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && !node->ns &&
	       is_word((const char *)node->name, name);
}

static const char *peek(const xmlNode *node, const char *name)
{
	for (const xmlAttr *attr = node->properties; attr; attr = attr->next)
		if (is_word((const char *)attr->name, name))
			return attr->children ? (const char *)attr->children->content : "";
	return NULL;
}

/* It is not carried over, and so not taken; only its place in the tree counts. */
static void read_bridge(struct xml *xml, xmlNode *node, struct domain *d)
{
	struct domain_bridge *bridge = &d->bridge[d->bridges];

	if (d->bridges == DOMAIN_CONTROLLERS)
		return;
	d->bridges++;
	bridge->index = domain_number(xml, node, "index", 10, PCI_BUSES);
	read_place(xml, node, &bridge->at);
}

static void read_controller(struct xml *xml, xmlNode *node, struct domain *d)
{
	const char *model = peek(node, "model");

	if (!is_word(peek(node, "type"), "pci"))
		return;
	if (!is_word(model, "pcie-expander-bus") && !is_word(model, "pcie-root-port")) {
		read_bridge(xml, node, d);
		return;
	}
	xml_take(node);
	xml_attr(node, "type");
	xml_attr(node, "model");
	if (is_word(model, "pcie-expander-bus"))
		read_pxb(xml, node, d);
	else
		read_port(xml, node, d);
}

/* --- SMMUs --- */

static const char *either(const char *one, const char *other)
{
	return one ? one : other;
}

static void read_smmu(struct xml *xml, xmlNode *node, struct domain *d)
{
	struct domain_smmu *smmu = &d->smmu[d->smmus];
	bool early = is_word(peek(node, "model"), "smmuv3Dev");
	xmlNode *driver;
	const char *accel;

	if (!early && !is_word(peek(node, "model"), "smmuv3"))
		return;
	if (d->smmus == HV_VSMMU_SLOTS) {
		xml_lost(xml, node, "a VM has at most %d SMMUs", HV_VSMMU_SLOTS);
		return;
	}
	xml_take(node);
	xml_attr(node, "model");
	driver = xml_child(node, "driver");
	smmu->node = node;
	smmu->early = early;
	smmu->bus = DOMAIN_UNSET;
	if (driver)
		smmu->bus = domain_number(xml, driver, "pciBus", 10, PCI_BUSES);
	if (smmu->bus == DOMAIN_UNSET)
		smmu->bus = domain_number(xml, node, "parentIdx", 10, PCI_BUSES);
	if (smmu->bus == DOMAIN_UNSET) {
		xml_lost(xml, node,
			 "it names no pcie-expander-bus to stand on (pciBus): with "
			 "hvinit each SMMU has one of its own");
		return;
	}
	accel = xml_attr(driver, "accel");
	smmu->accel = accel ? is_yes(accel) : early;
	smmu->ats = xml_attr(driver, "ats");
	smmu->ril = xml_attr(driver, "ril");
	smmu->ssidsize = either(xml_attr(driver, "ssidsize"), xml_attr(driver, "ssidSize"));
	smmu->oas = xml_attr(driver, "oas");
	smmu->cmdqv = xml_attr(driver, "cmdqv");
	d->smmus++;
}

/* --- devices of the host --- */

static bool read_bdf(struct xml *xml, xmlNode *address, char bdf[SYS_BDF])
{
	unsigned before = xml->findings;
	unsigned domain;
	unsigned bus;
	unsigned slot;
	unsigned function;

	if (!address || !peek(address, "bus") || !peek(address, "slot"))
		return false;
	domain = (unsigned)part(xml, address, "domain", UINT16_MAX);
	bus = (unsigned)part(xml, address, "bus", PCI_BUSES);
	slot = (unsigned)part(xml, address, "slot", PCI_SLOTS);
	function = (unsigned)part(xml, address, "function", PCI_FUNCTIONS);
	str_format(bdf, SYS_BDF, "%04x:%02x:%02x.%x", domain, bus, slot, function);
	return xml->findings == before;
}

static void read_iommufd(struct xml *xml, xmlNode *node, xmlNode *driver, bool everywhere,
			 struct domain *d)
{
	const char *by_device = xml_attr(driver, "iommufd");
	xmlNode *id = xml_child(node, "iommufdId");

	if (id) {
		if (!d->iommufd_id.text)
			d->iommufd_id = (struct domain_text){ xml_text(id), xml_line(id) };
		else if (strcmp(d->iommufd_id.text, xml_text(id)) != 0)
			xml_lost(xml, id, "all devices of a VM share one iommufd, \"%.40s\"",
				 d->iommufd_id.text);
	} else if (by_device ? !is_yes(by_device) : !everywhere) {
		xml_tell(xml, node, DIAG_IMPORT_CHANGED,
			 "goes through iommufd, which it does not ask for");
	}
}

static void read_driver(struct xml *xml, xmlNode *node, bool iommufd, struct domain_hostdev *h,
			struct domain *d)
{
	xmlNode *driver = xml_child(node, "driver");
	xmlNode *rom = xml_child(node, "rom");

	read_iommufd(xml, node, driver, iommufd, d);
	h->driver = xml_attr(driver, "model");
	h->no_rom = rom && (is_word(xml_attr(rom, "bar"), "off") ||
			    is_word(xml_attr(rom, "enabled"), "no"));
	h->boot = read_boot(xml, node);
	read_place(xml, node, &h->at);
}

/* A <hostdev>, or an <interface> that is one. */
static void read_hostdev(struct xml *xml, xmlNode *node, bool iommufd, struct domain *d)
{
	struct domain_hostdev *h = &d->hostdev[d->hostdevs];
	bool is_net = is_kind(node, "interface");
	const char *managed;
	xmlNode *source;

	if (!is_word(peek(node, "type"), is_net ? "hostdev" : "pci"))
		return;
	if (d->hostdevs == HV_HOSTDEV_SLOTS) {
		xml_lost(xml, node, "a VM has at most %d devices", HV_HOSTDEV_SLOTS);
		return;
	}
	xml_take(node);
	xml_attr(node, "type");
	source = xml_child(node, "source");
	if (!read_bdf(xml, xml_child(source, "address"), h->bdf)) {
		xml_lost(xml, node, "it has no address on the host");
		return;
	}
	h->node = node;
	h->is_net = is_net;
	/* libvirt's default leaves the binding to somebody else, of whom an appliance has none. */
	managed = xml_attr(node, "managed");
	h->managed = !managed || is_yes(managed);
	if (!managed)
		xml_tell(xml, node, DIAG_IMPORT_CHANGED,
			 "does not say managed: hvinit binds the device itself");
	h->optional = is_word(xml_attr(source, "startupPolicy"), "optional");
	read_driver(xml, node, iommufd, h, d);
	d->hostdevs++;
}

/* --- disks and networks --- */

static void read_disk(struct xml *xml, xmlNode *node, struct domain *d)
{
	struct domain_disk *disk = &d->disk[d->disks];
	const char *type = peek(node, "type");
	const char *device = peek(node, "device");
	xmlNode *backing;
	xmlNode *source;
	xmlNode *target;

	if ((!is_word(type, "file") && !is_word(type, "block")) ||
	    (device && !is_word(device, "disk")))
		return;
	source = xml_child(node, "source");
	target = xml_child(node, "target");
	disk->path = xml_attr(source, is_word(type, "file") ? "file" : "dev");
	if (!disk->path || !*disk->path || !is_word(xml_attr(target, "bus"), "virtio"))
		return;
	if (d->disks == HV_DISK_SLOTS) {
		xml_lost(xml, node, "a VM has at most %d disks", HV_DISK_SLOTS);
		return;
	}
	xml_take(node);
	xml_attr(node, "type");
	disk->node = node;
	disk->format = xml_attr(xml_child(node, "driver"), "type");
	disk->readonly = xml_child(node, "readonly");
	disk->boot = read_boot(xml, node);
	read_place(xml, node, &disk->at);
	backing = xml_child(node, "backingStore");
	if (backing && backing->children)
		xml_lost(xml, backing, "a disk must stand alone, without a backing file");
	d->disks++;
}

static void read_net(struct xml *xml, xmlNode *node, struct domain *d)
{
	struct domain_net *net = &d->net[d->nets];
	xmlNode *model = xml_child(node, "model");
	const char *type = xml_attr(model, "type");

	net->bridge = xml_attr(xml_child(node, "source"), "bridge");
	if (!is_word(peek(node, "type"), "bridge") || !net->bridge || !*net->bridge ||
	    (type && !is_word(type, "virtio")))
		return;
	if (d->nets == HV_NET_SLOTS) {
		xml_lost(xml, node, "a VM has at most %d interfaces", HV_NET_SLOTS);
		return;
	}
	xml_take(node);
	xml_attr(node, "type");
	net->node = node;
	net->mac = xml_attr(xml_child(node, "mac"), "address");
	net->boot = read_boot(xml, node);
	read_place(xml, node, &net->at);
	d->nets++;
}

/* --- the console --- */

/* Only the first serial line and the console that is the same are hvinit's: rules tell of them. */
static void read_character(struct xml *xml, xmlNode *node, bool first)
{
	static const char ours[] = "the guest's first serial line alone is hvinit's console";

	if (!first) {
		xml_lost(xml, node, "%s", ours);
		return;
	}
	for (xmlNode *target = node->children; target; target = target->next) {
		const char *type = is_kind(target, "target") ? peek(target, "type") : NULL;

		if (is_kind(node, "console") && type && !is_word(type, "serial")) {
			xml_lost(xml, node, "%s", ours);
			return;
		}
	}
}

/* <iommufd enabled='yes'> of the whole domain, which each device may deny. */
static bool read_enabled(struct xml *xml, xmlNode *devices)
{
	xmlNode *iommufd = devices ? xml_child(devices->parent, "iommufd") : NULL;
	bool enabled = iommufd && is_yes(xml_attr(iommufd, "enabled"));

	if (iommufd && xml_attr(iommufd, "fdgroup"))
		xml_lost_attr(xml, iommufd, "fdgroup", "hvinit opens the descriptors itself");
	return enabled;
}

void domain_read_devices(struct xml *xml, xmlNode *devices, struct domain *d)
{
	bool iommufd = read_enabled(xml, devices);
	unsigned serials = 0;
	unsigned consoles = 0;

	for (xmlNode *node = devices ? devices->children : NULL; node; node = node->next) {
		if (is_kind(node, "controller"))
			read_controller(xml, node, d);
		else if (is_kind(node, "iommu"))
			read_smmu(xml, node, d);
		else if (is_kind(node, "hostdev") ||
			 (is_kind(node, "interface") && is_word(peek(node, "type"), "hostdev")))
			read_hostdev(xml, node, iommufd, d);
		else if (is_kind(node, "disk"))
			read_disk(xml, node, d);
		else if (is_kind(node, "interface"))
			read_net(xml, node, d);
		else if (is_kind(node, "serial"))
			read_character(xml, node, serials++ == 0);
		else if (is_kind(node, "console"))
			read_character(xml, node, consoles++ == 0);
	}
}
