/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUs, memory, kernel and SMMUs. */
#include "facts_host.h"

#include <inttypes.h>
#include <stdlib.h>

#include "acpi.h"
#include "probe.h"
#include "sys_facts.h"
#include "sys_machine.h"
#include "trust.h"
#include "util.h"

enum { LIST = 4096, TABLE = 64 * 1024 };

static const unsigned page_kib[FACTS_PAGES] = { [FACTS_PAGE_2M] = 2048, [FACTS_PAGE_1G] = 1048576 };

/* --- memory and CPUs --- */

static void read_pages(int root, int id, struct node_fact *node)
{
	for (int i = 0; i < FACTS_PAGES; i++) {
		sys_hugepages(root, id, page_kib[i], "nr_hugepages", &node->huge_total[i]);
		sys_hugepages(root, id, page_kib[i], "free_hugepages", &node->huge_free[i]);
	}
}

/* "Node 0 MemTotal:       4194304 kB" */
static uint64_t node_memory(int root, int id)
{
	char text[4096];
	const char *at;

	if (sys_node_read(root, id, "meminfo", text, sizeof(text)) <= 0)
		return 0;
	at = strstr(text, "MemTotal:");
	return at ? strtoull(at + strlen("MemTotal:"), NULL, 10) : 0;
}

struct walk {
	int root;
	struct facts *facts;
};

static int add_node(void *arg, int id)
{
	struct walk *walk = arg;
	struct node_fact *node = &walk->facts->node[walk->facts->nodes];
	char list[LIST];

	if (walk->facts->nodes == FACTS_NODES)
		return 1;
	walk->facts->nodes++;
	node->id = id;
	node->memory_kib = node_memory(walk->root, id);
	if (sys_node_read(walk->root, id, "cpulist", list, sizeof(list)) <= 0 ||
	    !cpulist_parse(list, &node->cpus))
		memset(&node->cpus, 0, sizeof(node->cpus));
	read_pages(walk->root, id, node);
	return 0;
}

/* A kernel without NUMA has no nodes; for planning it is one. */
static void add_only_node(int root, struct facts *facts)
{
	struct node_fact *node = &facts->node[facts->nodes++];

	node->memory_kib = facts->memory_kib;
	node->cpus = facts->cpus;
	read_pages(root, -1, node);
}

static void mark_initiators(int root, struct facts *facts)
{
	struct cpulist nodes; /* the kernel writes sets of nodes like sets of CPUs */
	char list[LIST];

	if (sys_nodes_initiator(root, list, sizeof(list)) <= 0 || !cpulist_parse(list, &nodes))
		return;
	for (unsigned i = 0; i < facts->nodes; i++)
		facts->node[i].initiator = cpulist_has(&nodes, (unsigned)facts->node[i].id);
}

/* Of a machine that was not started by UEFI there is nothing to tell. */
static void read_trust(int root, struct facts *facts)
{
	struct trust trust;

	trust_look(root, &trust);
	if (sys_efi_exists(root) && trust.secure_boot >= 0)
		facts->secure_boot = trust.secure_boot ? KNOWN_YES : KNOWN_NO;
	str_copy(facts->lockdown, sizeof(facts->lockdown), trust.lockdown);
}

void facts_discover_host(int root, struct facts *facts)
{
	struct walk walk = { root, facts };
	char list[LIST];
	uint64_t n;

	facts->memory_kib = sys_memory_kib(root);
	facts->page_kib = sys_page_kib(root);
	if (sys_cpus_online(root, list, sizeof(list)) <= 0 || !cpulist_parse(list, &facts->cpus))
		memset(&facts->cpus, 0, sizeof(facts->cpus));
	for (int i = 0; i < FACTS_PAGES; i++)
		facts->huge[i] = sys_hugepages(root, -1, page_kib[i], "nr_hugepages", &n);
	sys_node_each(root, add_node, &walk);
	if (facts->nodes == 0)
		add_only_node(root, facts);
	mark_initiators(root, facts);
	/* A name that leads elsewhere is not the kernel's. */
	if (sys_release(root, facts->kernel, sizeof(facts->kernel)) < 0 ||
	    strchr(facts->kernel, '/'))
		facts->kernel[0] = '\0';
	kernel_read(root, facts->kernel, facts->symbol);
	facts->hvinit = kernel_is_own(root) ? KNOWN_YES : KNOWN_NO;
	read_trust(root, facts);
}

/* --- SMMUs --- */

static struct smmu_fact *smmu(struct facts *facts, const char *name)
{
	for (unsigned i = 0; i < facts->smmus; i++)
		if (strcmp(facts->smmu[i].name, name) == 0)
			return &facts->smmu[i];
	return NULL;
}

static int add_smmu(void *arg, const char *name)
{
	struct walk *walk = arg;
	struct facts *facts = walk->facts;

	if (strlen(name) < SYS_NAME && !smmu(facts, name) && facts->smmus < FACTS_SMMUS)
		str_copy(facts->smmu[facts->smmus++].name, SYS_NAME, name);
	return 0;
}

static void set_features(const struct walk *walk, const char *device, unsigned oas,
			 uint32_t features)
{
	char name[SYS_NAME];

	for (unsigned i = 0; i < walk->facts->smmus; i++) {
		struct smmu_fact *s = &walk->facts->smmu[i];

		if (sys_iommu_device(walk->root, s->name, name, sizeof(name)) ||
		    strcmp(name, device) != 0)
			continue;
		s->oas = oas;
		s->features = features;
		s->has_features = true;
	}
}

/*
 * "arm-smmu-v3 arm-smmu-v3.0.auto: oas 44-bit (features 0x01088705)"; kernels that are older than the
 * image's have "ias 48-bit, " before that.
 */
static int take_features(void *arg, char *line)
{
	static const char prefix[] = "arm-smmu-v3 ";
	static const char ias[] = "ias ";
	static const char after_ias[] = "-bit, ";
	static const char middle[] = "oas ";
	static const char between[] = "-bit (features ";
	char *colon = str_prefix(line, prefix) ? strstr(line, ": ") : NULL;
	char *end = colon ? colon + 2 : NULL;
	unsigned long oas;

	if (!colon)
		return 0;
	if (str_prefix(end, ias)) {
		strtoul(end + sizeof(ias) - 1, &end, 10);
		if (!str_prefix(end, after_ias))
			return 0;
		end += sizeof(after_ias) - 1;
	}
	if (!str_prefix(end, middle))
		return 0;
	oas = strtoul(end + sizeof(middle) - 1, &end, 10);
	if (!str_prefix(end, between))
		return 0;
	*colon = '\0';
	set_features(arg, line + sizeof(prefix) - 1, (unsigned)oas,
		     (uint32_t)strtoul(end + sizeof(between) - 1, NULL, 16));
	return 0;
}

static void read_iort(int root, struct facts *facts)
{
	static char table[TABLE];
	struct acpi_smmu found[FACTS_SMMUS];
	ssize_t len = sys_acpi_table(root, "IORT", table, sizeof(table));
	unsigned count = len > 0 ? acpi_iort(table, (size_t)len, found, FACTS_SMMUS) : 0;

	for (unsigned i = 0; i < count; i++) {
		struct smmu_fact *s;
		char name[SYS_NAME];

		/* drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c: "smmu3.%pa" */
		str_format(name, sizeof(name), "smmu3.0x%016" PRIx64, found[i].base);
		s = smmu(facts, name);
		if (s && found[i].complexes)
			s->canwbs = found[i].canwbs == found[i].complexes ? KNOWN_YES : KNOWN_NO;
	}
}

static void add_initiator(void *arg, unsigned segment, unsigned rid)
{
	struct facts *facts = arg;
	char bdf[SYS_BDF];

	str_format(bdf, sizeof(bdf), "%04x:%02x:%02x.%x", segment, rid >> 8, rid >> 3 & 0x1f,
		   rid & 7);
	for (unsigned i = 0; i < facts->count; i++)
		facts->device[i].gi_nodes += strcmp(facts->device[i].bdf, bdf) == 0;
}

static void read_srat(int root, struct facts *facts)
{
	static char table[TABLE];
	ssize_t len = sys_acpi_table(root, "SRAT", table, sizeof(table));

	if (len > 0)
		acpi_initiators(table, (size_t)len, add_initiator, facts);
}

void facts_discover_smmus(int root, struct facts *facts)
{
	struct walk walk = { root, facts };

	sys_iommu_each(root, add_smmu, &walk);
	for (unsigned i = 0; i < facts->count; i++)
		if (facts->device[i].smmu[0])
			add_smmu(&walk, facts->device[i].smmu);
	sys_log_each(root, take_features, &walk);
	for (unsigned i = 0; i < facts->smmus; i++)
		probe_kept(root, &facts->smmu[i]);
	read_iort(root, facts);
	read_srat(root, facts);
}
