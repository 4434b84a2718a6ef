/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory: all of it is pinned, so what one VM has no other can have. */
#include "check_private.h"

#include <inttypes.h>

#include "manifest.h"
#include "util.h"

static uint64_t huge_mib(const struct plan *plan)
{
	return plan->pages * plan_page_mib(plan->vm);
}

/* Whether what the VM takes comes out of that node; of -1, any. */
static bool is_of_node(const struct plan *plan, int64_t node)
{
	return node == HV_NONE || plan->vm->numa_node == node;
}

/* Huge pages are set aside at boot, and by slot: those that come later find less. */
static uint64_t huge_of_others(const struct check *c, unsigned end, int64_t node)
{
	uint64_t mib = 0;

	for (unsigned slot = 0; slot < end; slot++) {
		const struct plan *p = check_other(c, slot);

		if (p && p != c->plan && is_of_node(p, node))
			mib += huge_mib(p);
	}
	return mib;
}

/* Whether it has its memory before this VM gets to it. */
static bool starts_before(const struct plan *other, const struct plan *plan)
{
	if (!other->vm->autostart || !plan->vm->autostart || other->pages)
		return false;
	if (other->vm->start_order != plan->vm->start_order)
		return other->vm->start_order < plan->vm->start_order;
	return other->slot < plan->slot;
}

/* Memory of ordinary pages of those who start before; all of it is pinned, and gone. */
static uint64_t small_of_others(const struct check *c, int64_t node, bool careful)
{
	uint64_t mib = 0;

	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		const struct plan *p = check_other(c, slot);

		if (p && p != c->plan && starts_before(p, c->plan) && is_of_node(p, node) &&
		    (!careful || check_would_start(c, slot)))
			mib += (uint64_t)p->vm->memory_mib;
	}
	return mib;
}

/* Memory of the node, or of the machine; 0 when unknown. */
static uint64_t memory_mib(const struct check *c, int64_t node)
{
	const struct node_fact *fact;

	if (node == HV_NONE)
		return c->facts->memory_kib >> 10;
	fact = facts_node(c->facts, (int)node);
	return fact ? fact->memory_kib >> 10 : 0;
}

/* The host itself has room on some node, but perhaps not on this one. */
static uint64_t reserve_mib(int64_t node)
{
	return node == HV_NONE ? CHECK_RESERVED_MIB : 0;
}

static void check_small(const struct check *c, int64_t node)
{
	uint64_t huge = huge_of_others(c, HV_VM_SLOTS, node);
	uint64_t others = huge + small_of_others(c, node, false);
	uint64_t want = (uint64_t)c->vm->memory_mib;
	uint64_t have = memory_mib(c, node);
	char where[32] = "the machine";

	if (!have || want + others + reserve_mib(node) <= have)
		return;
	/* Only now it is worth finding out which of the others will not start anyway. */
	others = huge + small_of_others(c, node, true);
	if (want + others + reserve_mib(node) <= have)
		return;
	if (node != HV_NONE)
		str_format(where, sizeof(where), "NUMA node %" PRId64, node);
	check_fail(c, DIAG_MEMORY_SHORT, SYMBOL(c, "MEMORY_MIB"),
		   "%" PRIu64 " MiB wanted; %s has %" PRIu64 " MiB, other VMs have %" PRIu64
		   " MiB of them and the host needs %" PRIu64 " MiB",
		   want, where, have, others, reserve_mib(node));
}

/* Pages of the VM's kind that are set aside on the node, or on all. */
static uint64_t pages_mib(const struct check *c, int64_t node)
{
	enum facts_page page = c->vm->hugepages == VM_HUGEPAGES_1G ? FACTS_PAGE_1G : FACTS_PAGE_2M;
	uint64_t pages = 0;

	for (unsigned i = 0; i < c->facts->nodes; i++)
		if (node == HV_NONE || c->facts->node[i].id == node)
			pages += c->facts->node[i].huge_total[page];
	return pages * plan_page_mib(c->vm);
}

/* Those of the same size, in front of and with this VM. */
static uint64_t same_pages(const struct check *c, int64_t node)
{
	uint64_t mib = huge_mib(c->plan);

	for (unsigned slot = 0; slot < c->plan->slot; slot++) {
		const struct plan *p = check_other(c, slot);

		if (p && p->vm->hugepages == c->vm->hugepages && is_of_node(p, node))
			mib += huge_mib(p);
	}
	return mib;
}

static void check_huge_room(const struct check *c, int64_t node)
{
	uint64_t others = huge_of_others(c, c->plan->slot, node);
	uint64_t want = huge_mib(c->plan);
	uint64_t have = memory_mib(c, node);
	char where[32] = "the machine";

	if (node != HV_NONE)
		str_format(where, sizeof(where), "NUMA node %" PRId64, node);
	if (c->set->prepared && same_pages(c, node) > pages_mib(c, node))
		check_fail(c, DIAG_HUGE_SHORT, SYMBOL(c, "HUGEPAGES"),
			   "%" PRIu64 " MiB wanted by this VM and those before it; on %s %" PRIu64
			   " MiB are set aside",
			   same_pages(c, node), where, pages_mib(c, node));
	else if (!c->set->prepared && have && want + others + reserve_mib(node) > have)
		check_fail(c, DIAG_HUGE_SHORT, SYMBOL(c, "HUGEPAGES"),
			   "%" PRIu64 " MiB wanted; %s has %" PRIu64 " MiB, huge pages of other "
			   "VMs take %" PRIu64 " MiB of them and the host needs %" PRIu64 " MiB",
			   want, where, have, others, reserve_mib(node));
}

static void check_huge(const struct check *c)
{
	bool giant = c->vm->hugepages == VM_HUGEPAGES_1G;
	uint64_t page = plan_page_mib(c->vm);

	if ((uint64_t)c->vm->memory_mib % page)
		check_fail(c, DIAG_HUGE_SIZE, SYMBOL(c, "MEMORY_MIB"),
			   "%" PRId64 " MiB are no whole number of pages of %" PRIu64 " MiB",
			   c->vm->memory_mib, page);
	if (!c->set->machine)
		return;
	if (!c->facts->huge[giant ? FACTS_PAGE_1G : FACTS_PAGE_2M]) {
		check_fail(c, DIAG_HUGE_SIZE, SYMBOL(c, "HUGEPAGES"),
			   "use pages of %" PRIu64 " MiB: the kernel has none of that size", page);
		return;
	}
	check_huge_room(c, HV_NONE);
	if (c->vm->numa_node != HV_NONE)
		check_huge_room(c, c->vm->numa_node);
}

static void check_node(const struct check *c)
{
	const struct node_fact *node = facts_node(c->facts, (int)c->vm->numa_node);

	if (c->vm->numa_node == HV_NONE || c->facts->nodes == 0)
		return;
	if (!node)
		check_fail(c, DIAG_NODE_NONE, SYMBOL(c, "NUMA_NODE"),
			   "take memory from node %" PRId64 ": the machine has no such node",
			   c->vm->numa_node);
	else if (!node->memory_kib)
		check_fail(c, DIAG_NODE_NONE, SYMBOL(c, "NUMA_NODE"),
			   "take memory from node %" PRId64 ": it has none", c->vm->numa_node);
}

void check_memory(const struct check *c)
{
	check_node(c);
	if (c->plan->pages) {
		check_huge(c);
		return;
	}
	check_small(c, HV_NONE);
	if (c->vm->numa_node != HV_NONE)
		check_small(c, c->vm->numa_node);
}
