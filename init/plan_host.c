/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine as a tree: physical SMMU, IOMMU group, device, and the VM that has it. */
#include <inttypes.h>

#include "kind.h"
#include "manifest.h"
#include "plan_print.h"
#include "util.h"

/* A device that the manifest gives away. */
struct gift {
	const char *vm; /* the VM's name */
	struct plan_device device;
};

static struct plan plan;
static unsigned gifts;
static struct gift gift[HV_VM_SLOTS * HV_HOSTDEV_SLOTS];

static void collect(const struct config *config, const struct facts *facts)
{
	gifts = 0;
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		if (!manifest_vm_used(&config->vm[slot]))
			continue;
		plan_vm(config, slot, facts, &plan);
		for (unsigned i = 0; i < plan.devices; i++)
			gift[gifts++] = (struct gift){ plan.vm->name, plan.device[i] };
	}
}

/* The nth one to have the device, or NULL: a faulty manifest gives it to several. */
static const struct gift *find_gift(const struct pci_fact *fact, unsigned n)
{
	for (unsigned i = 0; i < gifts; i++)
		if (gift[i].device.fact == fact && n-- == 0)
			return &gift[i];
	return NULL;
}

/* --- which branches there are --- */

/* Bridges are no business of a VM's, unless somebody gave it one by mistake. */
static bool is_drawn(const struct pci_fact *fact)
{
	return !fact->bridge || find_gift(fact, 0);
}

static bool same_smmu(const struct pci_fact *a, const struct pci_fact *b)
{
	return strcmp(a->smmu, b->smmu) == 0;
}

/* Without a group a device stands for itself. */
static bool same_group(const struct pci_fact *a, const struct pci_fact *b)
{
	return a == b || (same_smmu(a, b) && a->group == b->group && a->group != FACTS_NO_GROUP);
}

static bool group_is_given(const struct facts *facts, const struct pci_fact *of)
{
	for (unsigned i = 0; i < facts->count; i++)
		if (same_group(&facts->device[i], of) && find_gift(&facts->device[i], 0))
			return true;
	return false;
}

static unsigned members(const struct facts *facts, const struct pci_fact *of)
{
	unsigned count = 0;

	for (unsigned i = 0; i < facts->count; i++)
		count += is_drawn(&facts->device[i]) && same_group(&facts->device[i], of);
	return count;
}

/* Whether an endpoint of the same group, or behind the same SMMU, comes before it. */
static bool is_first(const struct facts *facts, const struct pci_fact *of,
		     bool (*same)(const struct pci_fact *a, const struct pci_fact *b))
{
	for (const struct pci_fact *at = facts->device; at < of; at++)
		if (is_drawn(at) && same(at, of))
			return false;
	return is_drawn(of);
}

/* --- drawing --- */

static const char *fork_of(bool more)
{
	return more ? "├─" : "└─";
}

static void draw_place(const struct gift *to, FILE *out)
{
	fprintf(out, " ── %s", to->vm);
	if (to->device.vsmmu >= 0)
		fprintf(out, ", vSMMU %d", to->device.vsmmu);
	else
		fputs(to->device.vsmmu == PLAN_ROOT ? ", no vSMMU" : ", no vSMMU left", out);
}

static void draw_device(const struct pci_fact *fact, FILE *out)
{
	unsigned times = 0;

	while (find_gift(fact, times))
		times++;
	fprintf(out, "%s %s%s", fact->bdf, kind_of(fact->class), fact->pf[0] ? " VF" : "");
	if (times)
		draw_place(find_gift(fact, 0), out);
	else
		fprintf(out, " ── the host's, %s", fact->driver[0] ? fact->driver : "no driver");
	/* A fault, which check has more words for. */
	if (times > 1)
		fprintf(out, ", given %u times", times);
	fputc('\n', out);
}

/* A group of one is one line. */
static void draw_group(const struct facts *facts, const struct pci_fact *first, bool more,
		       FILE *out)
{
	unsigned left = members(facts, first);
	bool alone = left == 1;

	fprintf(out, "  %s ", fork_of(more));
	if (first->group != FACTS_NO_GROUP)
		fprintf(out, "group %d%s", first->group, alone ? " ── " : "\n");
	for (unsigned i = 0; i < facts->count; i++) {
		const struct pci_fact *fact = &facts->device[i];

		if (!is_drawn(fact) || !same_group(fact, first))
			continue;
		if (!alone)
			fprintf(out, "  %s%s ", more ? "│  " : "   ", fork_of(--left));
		draw_device(fact, out);
	}
}

/* Groups of which the manifest has a device are drawn, the host's other endpoints counted. */
static void draw_smmu(const struct facts *facts, const struct pci_fact *of, FILE *out)
{
	unsigned groups = 0;
	unsigned others = 0;

	for (unsigned i = 0; i < facts->count; i++) {
		const struct pci_fact *fact = &facts->device[i];

		if (!is_drawn(fact) || !same_smmu(fact, of))
			continue;
		if (!group_is_given(facts, fact))
			others++;
		else if (is_first(facts, fact, same_group))
			groups++;
	}
	/* What no SMMU stands before is worth a branch only when somebody gave it away. */
	if (!groups && !of->smmu[0])
		return;
	fprintf(out, "  %s\n", of->smmu[0] ? of->smmu : "behind no SMMU");
	for (unsigned i = 0; i < facts->count; i++) {
		const struct pci_fact *fact = &facts->device[i];

		if (same_smmu(fact, of) && is_first(facts, fact, same_group) &&
		    group_is_given(facts, fact))
			draw_group(facts, fact, --groups || others, out);
	}
	if (others)
		fprintf(out, "  └─ %u endpoint%s of the host's own\n", others,
			others == 1 ? "" : "s");
}

static void draw_missing(FILE *out)
{
	unsigned left = 0;
	char label[PLAN_LABEL];
	char kind[PLAN_LABEL];

	for (unsigned i = 0; i < gifts; i++)
		left += !gift[i].device.fact;
	if (left)
		fputs("  not on this machine\n", out);
	for (unsigned i = 0; i < gifts; i++) {
		const struct plan_device *d = &gift[i].device;

		if (d->fact)
			continue;
		fprintf(out, "  %s %s %s ── %s%s\n", fork_of(--left), plan_label(d, label),
			plan_kind(d, kind), gift[i].vm,
			d->pf	  ? ", to be turned on" :
			d->absent ? ", which does without" :
				    "");
	}
}

void plan_print_host(const struct config *config, const struct facts *facts, FILE *out)
{
	collect(config, facts);
	fputs("host\n", out);
	for (unsigned i = 0; i < facts->count; i++)
		if (is_first(facts, &facts->device[i], same_smmu))
			draw_smmu(facts, &facts->device[i], out);
	draw_missing(out);
	if (facts->dropped)
		fprintf(out, "  %u more devices than hvinit can hold\n", facts->dropped);
	fputs("\n" PLAN_LEGEND "\n", out);
}
