/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads sysfs into struct facts; pure, so that it also runs on a recorded tree. */
#include "facts.h"

#include <stdlib.h>

#include "util.h"

enum {
	/* include/linux/ioport.h. Lines of "resource" are six BARs, the ROM, then windows. */
	RESOURCE_MEM = 0x200,
	RESOURCE_PREFETCH = 0x2000,
	RESOURCE_MEM_64 = 0x100000,
};

static uint32_t read_number(int root, const char *bdf, const char *attr)
{
	char text[SYS_NAME];

	if (sys_pci_read(root, bdf, attr, text, sizeof(text)) <= 0)
		return 0;
	return (uint32_t)strtoul(text, NULL, 0);
}

/*
 * The kernel shows this attribute for bridges only (drivers/pci/pci-sysfs.c). To look into "config"
 * instead would wake the device, and some lock up when all of it is read.
 */
static bool is_bridge(int root, const char *bdf)
{
	return sys_pci_has(root, bdf, "secondary_bus_number");
}

static int read_group(int root, const char *bdf)
{
	char name[SYS_NAME];
	char *end;
	long group;

	if (sys_pci_link(root, bdf, "iommu_group", name, sizeof(name)))
		return FACTS_NO_GROUP;
	group = strtol(name, &end, 10);
	return *end || end == name ? FACTS_NO_GROUP : (int)group;
}

/* Each line of "resource" is "start end flags" in hexadecimal. */
static void read_bars(int root, const char *bdf, struct pci_fact *fact)
{
	char text[4096];
	char *at = text;

	if (sys_pci_read(root, bdf, "resource", text, sizeof(text)) <= 0)
		return;
	for (unsigned bar = 0; bar < FACTS_BARS; bar++) {
		uint64_t start = strtoull(at, &at, 16);
		uint64_t end = strtoull(at, &at, 16);
		uint64_t flags = strtoull(at, &at, 16);

		if (!(flags & RESOURCE_MEM) || end <= start)
			continue;
		fact->bar[bar].bytes = end - start + 1;
		fact->bar[bar].prefetch = flags & RESOURCE_PREFETCH;
		fact->bar[bar].wide = flags & RESOURCE_MEM_64;
	}
}

static void read_device(int root, const char *bdf, struct pci_fact *fact)
{
	memset(fact, 0, sizeof(*fact));
	str_copy(fact->bdf, sizeof(fact->bdf), bdf);
	str_copy(fact->variant, sizeof(fact->variant), FACTS_VARIANT);
	fact->vf = FACTS_NO_VF;
	fact->node = FACTS_NO_NODE;
	sys_pci_link(root, bdf, "driver", fact->driver, sizeof(fact->driver));
	sys_pci_link(root, bdf, "iommu", fact->smmu, sizeof(fact->smmu));
	fact->class = read_number(root, bdf, "class");
	fact->vendor = (uint16_t)read_number(root, bdf, "vendor");
	fact->device = (uint16_t)read_number(root, bdf, "device");
	fact->bridge = is_bridge(root, bdf);
	fact->group = read_group(root, bdf);
	read_bars(root, bdf, fact);
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
	if (strlen(bdf) >= SYS_BDF)
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

void facts_discover(int root, struct facts *facts)
{
	struct walk walk = { .root = root, .facts = facts };

	memset(facts, 0, sizeof(*facts));
	facts->memory_kib = sys_memory_kib(root);
	facts->iommufd = sys_iommufd_exists(root);
	facts->kvm = sys_kvm_exists(root);
	sys_driver_each(root, add_driver, &walk);
	sys_pci_each(root, add_device, &walk);
	for (unsigned i = 0; i < facts->count; i++)
		if (facts->device[i].driver[0])
			note_driver(facts, facts->device[i].driver);
	facts_sort(facts);
}

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

void facts_sort(struct facts *facts)
{
	qsort(facts->driver, facts->drivers, sizeof(facts->driver[0]), by_driver);
	qsort(facts->node, facts->nodes, sizeof(facts->node[0]), by_id);
	qsort(facts->smmu, facts->smmus, sizeof(facts->smmu[0]), by_smmu);
	qsort(facts->device, facts->count, sizeof(facts->device[0]), by_bdf);
}

const struct pci_fact *facts_find(const struct facts *facts, const char *bdf)
{
	/* The element begins with what is compared, so the name stands for one. */
	_Static_assert(offsetof(struct pci_fact, bdf) == 0, "facts_find");
	return bsearch(bdf, facts->device, facts->count, sizeof(facts->device[0]), by_bdf);
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
