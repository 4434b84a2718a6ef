/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads sysfs into struct facts; pure, so that it also runs on a recorded tree. */
#include "facts.h"

#include <stdlib.h>

#include "util.h"

enum {
	RESOURCE_MEM = 0x200, /* include/linux/ioport.h: IORESOURCE_MEM */
	RESOURCE_BARS = 6, /* lines of "resource": six BARs, the ROM, then windows */
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
static uint64_t read_bars(int root, const char *bdf)
{
	char text[4096];
	char *at = text;
	uint64_t sum = 0;

	if (sys_pci_read(root, bdf, "resource", text, sizeof(text)) <= 0)
		return 0;
	for (unsigned bar = 0; bar < RESOURCE_BARS; bar++) {
		uint64_t start = strtoull(at, &at, 16);
		uint64_t end = strtoull(at, &at, 16);
		uint64_t flags = strtoull(at, &at, 16);

		if (flags & RESOURCE_MEM && end > start)
			sum += end - start + 1;
	}
	return sum;
}

static void read_device(int root, const char *bdf, struct pci_fact *fact)
{
	memset(fact, 0, sizeof(*fact));
	str_copy(fact->bdf, sizeof(fact->bdf), bdf);
	sys_pci_link(root, bdf, "driver", fact->driver, sizeof(fact->driver));
	sys_pci_link(root, bdf, "iommu", fact->smmu, sizeof(fact->smmu));
	fact->class = read_number(root, bdf, "class");
	fact->vendor = (uint16_t)read_number(root, bdf, "vendor");
	fact->device = (uint16_t)read_number(root, bdf, "device");
	fact->bridge = is_bridge(root, bdf);
	fact->group = read_group(root, bdf);
	fact->bar_bytes = read_bars(root, bdf);
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

static int by_bdf(const void *a, const void *b)
{
	return strcmp(((const struct pci_fact *)a)->bdf, ((const struct pci_fact *)b)->bdf);
}

void facts_discover(int root, struct facts *facts)
{
	struct walk walk = { .root = root, .facts = facts };

	memset(facts, 0, sizeof(*facts));
	facts->memory_kib = sys_memory_kib(root);
	facts->iommufd = sys_iommufd_exists(root);
	facts->kvm = sys_kvm_exists(root);
	sys_pci_each(root, add_device, &walk);
	qsort(facts->device, facts->count, sizeof(facts->device[0]), by_bdf);
}

const struct pci_fact *facts_find(const struct facts *facts, const char *bdf)
{
	for (unsigned i = 0; i < facts->count; i++)
		if (strcmp(facts->device[i].bdf, bdf) == 0)
			return &facts->device[i];
	return NULL;
}
