/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads sysfs into struct facts; pure, so that it also runs on a recorded tree. */
#include "facts.h"

#include <stdlib.h>

#include "facts_host.h"
#include "smmu.h"
#include "sys_facts.h"
#include "use.h"
#include "util.h"
#include "variant.h"

enum {
	/*
	 * include/linux/ioport.h. Lines of "resource" are six BARs, the ROM, six that hold the BARs
	 * of all virtual functions there can be (drivers/pci/iov.c), then windows.
	 */
	RESOURCE_MEM = 0x200,
	RESOURCE_PREFETCH = 0x2000,
	RESOURCE_MEM_64 = 0x100000,
	VF_LINES = FACTS_BARS + 1, /* lines before those of virtual functions */
};

/* --- order --- */

static int by_bdf(const void *a, const void *b)
{
	return strcmp(((const struct pci_fact *)a)->bdf, ((const struct pci_fact *)b)->bdf);
}

static int by_smmu(const void *a, const void *b)
{
	return strcmp(((const struct smmu_fact *)a)->name, ((const struct smmu_fact *)b)->name);
}

static int by_id(const void *a, const void *b)
{
	int x = ((const struct node_fact *)a)->id;
	int y = ((const struct node_fact *)b)->id;

	return (x > y) - (x < y);
}

static int by_driver(const void *a, const void *b)
{
	return strcmp(((const struct driver_fact *)a)->name, ((const struct driver_fact *)b)->name);
}

static void sort_small(struct facts *facts)
{
	qsort(facts->driver, facts->drivers, sizeof(facts->driver[0]), by_driver);
	qsort(facts->node, facts->nodes, sizeof(facts->node[0]), by_id);
	qsort(facts->smmu, facts->smmus, sizeof(facts->smmu[0]), by_smmu);
	/* All is there by now, the kernel's release too. */
	for (unsigned i = 0; i < facts->smmus; i++)
		facts->smmu[i].untold = smmu_untold(facts->kernel);
}

void facts_sort(struct facts *facts)
{
	sort_small(facts);
	qsort(facts->device, facts->count, sizeof(facts->device[0]), by_bdf);
}

/* --- devices: dir is the folder of one --- */

static uint32_t read_number(int dir, const char *attr)
{
	char text[SYS_NAME];

	if (sys_read(dir, attr, text, sizeof(text)) <= 0)
		return 0;
	return (uint32_t)strtoul(text, NULL, 0);
}

/*
 * The kernel shows this attribute for bridges only (drivers/pci/pci-sysfs.c). To look into "config"
 * instead would wake the device, and some lock up when all of it is read.
 */
static bool is_bridge(int dir)
{
	return sys_exists(dir, "secondary_bus_number");
}

static int read_group(int dir)
{
	char name[SYS_NAME];
	char *end;
	long group;

	if (sys_link(dir, "iommu_group", name, sizeof(name)))
		return FACTS_NO_GROUP;
	group = strtol(name, &end, 10);
	return *end || end == name ? FACTS_NO_GROUP : (int)group;
}

/* A line of "resource" is "start end flags" in hexadecimal; it holds that many BARs in a row. */
static struct bar_fact read_bar(char **at, unsigned count)
{
	uint64_t start = strtoull(*at, at, 16);
	uint64_t end = strtoull(*at, at, 16);
	uint64_t flags = strtoull(*at, at, 16);

	if (!(flags & RESOURCE_MEM) || end <= start || count == 0 || end - start < count)
		return (struct bar_fact){ 0 };
	return (struct bar_fact){
		.bytes = (end - start + 1) / count,
		.prefetch = flags & RESOURCE_PREFETCH,
		.wide = flags & RESOURCE_MEM_64,
	};
}

static void read_bars(int dir, struct pci_fact *fact)
{
	char text[4096];
	char *at = text;

	if (sys_read(dir, "resource", text, sizeof(text)) <= 0)
		return;
	for (unsigned bar = 0; bar < FACTS_BARS; bar++)
		fact->bar[bar] = read_bar(&at, 1);
	for (unsigned line = FACTS_BARS; line < VF_LINES; line++)
		read_bar(&at, 0);
	for (unsigned bar = 0; bar < FACTS_BARS; bar++)
		fact->vf_bar[bar] = read_bar(&at, fact->vfs_total);
}

/* A line is "0x… 0x… type"; "direct" ones are mapped 1:1, "direct-relaxable" ones need not stay. */
static enum known read_direct(int dir)
{
	char text[4096];
	const char *at = text;

	if (sys_read(dir, "iommu_group/reserved_regions", text, sizeof(text)) < 0)
		return KNOWN_UNKNOWN;
	while ((at = strstr(at, " direct"))) {
		at += strlen(" direct");
		if (*at == '\n' || *at == '\0')
			return KNOWN_YES;
	}
	return KNOWN_NO;
}

static int read_node(int dir)
{
	char text[SYS_NAME];
	char *end;
	long node;

	if (sys_read(dir, "numa_node", text, sizeof(text)) <= 0)
		return FACTS_NO_NODE;
	node = strtol(text, &end, 10);
	return *end || node < 0 || node > INT16_MAX ? FACTS_NO_NODE : (int)node;
}

/* What only an endpoint has, or what counts of an endpoint only. */
static void read_endpoint(int dir, struct pci_fact *fact)
{
	fact->subvendor = (uint16_t)read_number(dir, "subsystem_vendor");
	fact->subdevice = (uint16_t)read_number(dir, "subsystem_device");
	fact->node = read_node(dir);
	fact->direct = read_direct(dir);
	sys_read(dir, "reset_method", fact->reset, sizeof(fact->reset));
	sys_link(dir, "physfn", fact->pf, sizeof(fact->pf));
	fact->vfs_total = (uint16_t)read_number(dir, "sriov_totalvfs");
	if (fact->vfs_total) {
		fact->vfs = (uint16_t)read_number(dir, "sriov_numvfs");
		fact->vf_offset = (uint16_t)read_number(dir, "sriov_offset");
		fact->vf_stride = (uint16_t)read_number(dir, "sriov_stride");
	}
	read_bars(dir, fact);
}

static void read_device(int root, const char *bdf, struct pci_fact *fact)
{
	_cleanup_fd_ int dir = sys_pci_open(root, bdf);

	memset(fact, 0, sizeof(*fact));
	str_copy(fact->bdf, sizeof(fact->bdf), bdf);
	str_copy(fact->variant, sizeof(fact->variant), FACTS_VARIANT);
	fact->vf = FACTS_NO_VF;
	fact->node = FACTS_NO_NODE;
	sys_link(dir, "driver", fact->driver, sizeof(fact->driver));
	sys_link(dir, "iommu", fact->smmu, sizeof(fact->smmu));
	fact->class = read_number(dir, "class");
	fact->vendor = (uint16_t)read_number(dir, "vendor");
	fact->device = (uint16_t)read_number(dir, "device");
	fact->bridge = is_bridge(dir);
	fact->group = read_group(dir);
	if (!fact->bridge)
		read_endpoint(dir, fact);
}

/* Bus, device and function of a BDF as one number (PCIe 6.0, section 2.2.4.2). */
static unsigned routing_id(const char *bdf)
{
	unsigned long bus = strtoul(bdf + sizeof("0000"), NULL, 16);
	unsigned long device = strtoul(bdf + sizeof("0000:00"), NULL, 16);
	unsigned long function = strtoul(bdf + sizeof("0000:00:00"), NULL, 16);

	return (unsigned)(bus << 8 | device << 3 | function);
}

/* PCIe 6.0, section 9.2.1.2: VF n has the PF's routing id + offset + n * stride. */
static void number_vf(struct facts *facts, struct pci_fact *vf)
{
	const struct pci_fact *pf = facts_find(facts, vf->pf);
	unsigned from = pf ? routing_id(pf->bdf) + pf->vf_offset : 0;
	unsigned id = routing_id(vf->bdf);

	if (!pf || id < from)
		return;
	if (id == from)
		vf->vf = 0;
	else if (pf->vf_stride && (id - from) % pf->vf_stride == 0)
		vf->vf = (int)((id - from) / pf->vf_stride);
}

static void note_driver(struct facts *facts, const char *name)
{
	if (facts->drivers == FACTS_DRIVERS || facts_driver(facts, name))
		return;
	str_copy(facts->driver[facts->drivers++].name, SYS_NAME, name);
}

struct walk {
	int root;
	struct facts *facts;
};

static int add_device(void *arg, const char *bdf)
{
	struct walk *walk = arg;
	struct facts *facts = walk->facts;

	/* A domain of more than four digits (Intel's VMD) does not exist on these machines. */
	if (strlen(bdf) != SYS_BDF - 1)
		return 0;
	if (facts->count == FACTS_DEVICES)
		facts->dropped++;
	else
		read_device(walk->root, bdf, &facts->device[facts->count++]);
	return 0;
}

static int add_driver(void *arg, const char *name)
{
	struct walk *walk = arg;

	if (strstr(name, "vfio"))
		note_driver(walk->facts, name);
	return 0;
}

static void name_modules(int root, struct facts *facts)
{
	for (unsigned i = 0; i < facts->drivers; i++) {
		struct driver_fact *d = &facts->driver[i];

		if (sys_driver_module(root, d->name, d->from, sizeof(d->from)) ||
		    variant_same(d->from, d->name))
			d->from[0] = '\0';
	}
}

void facts_discover(int root, struct facts *facts)
{
	struct walk walk = { .root = root, .facts = facts };

	/* Most of the table is never used: to clear it would cost more than all of sysfs. */
	memset(facts, 0, offsetof(struct facts, device));
	facts_discover_host(root, facts);
	facts->iommufd = sys_iommufd_exists(root);
	facts->kvm = sys_kvm_exists(root);
	sys_driver_each(root, add_driver, &walk);
	sys_pci_each(root, add_device, &walk);
	for (unsigned i = 0; i < facts->count; i++)
		if (facts->device[i].driver[0])
			note_driver(facts, facts->device[i].driver);
	name_modules(root, facts);
	facts_sort(facts);
	for (unsigned i = 0; i < facts->count; i++)
		if (facts->device[i].pf[0])
			number_vf(facts, &facts->device[i]);
	facts_discover_smmus(root, facts);
	variant_discover(root, facts);
	use_discover(root, facts);
	sort_small(facts);
}

/* --- looking something up --- */

static int to_bdf(const void *bdf, const void *device)
{
	return strcmp(bdf, ((const struct pci_fact *)device)->bdf);
}

const struct pci_fact *facts_find(const struct facts *facts, const char *bdf)
{
	return bsearch(bdf, facts->device, facts->count, sizeof(facts->device[0]), to_bdf);
}

const struct smmu_fact *facts_smmu(const struct facts *facts, const char *name)
{
	for (unsigned i = 0; i < facts->smmus; i++)
		if (strcmp(facts->smmu[i].name, name) == 0)
			return &facts->smmu[i];
	return NULL;
}

const struct node_fact *facts_node(const struct facts *facts, int id)
{
	for (unsigned i = 0; i < facts->nodes; i++)
		if (facts->node[i].id == id)
			return &facts->node[i];
	return NULL;
}

const struct driver_fact *facts_driver(const struct facts *facts, const char *name)
{
	for (unsigned i = 0; i < facts->drivers; i++)
		if (strcmp(facts->driver[i].name, name) == 0)
			return &facts->driver[i];
	return NULL;
}
