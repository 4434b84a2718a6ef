/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory: all of it is pinned, so what one VM has no other can have. */
#include "check_private.h"

#include <inttypes.h>

#include "util.h"

/* Memory of the node, or of the machine (HV_NONE); 0 when unknown. */
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

static const char *place_name(int64_t node, char name[32])
{
	if (node == HV_NONE)
		str_copy(name, 32, "the machine");
	else
		str_format(name, 32, "NUMA node %" PRId64, node);
	return name;
}

/* Whether what the VM takes comes out of that node, or anyway out of the machine. */
static bool is_of_node(const struct plan *plan, int64_t node)
{
	return node == HV_NONE || plan->vm->numa_node == node;
}

/* --- huge pages --- */

static enum facts_page page_of(const struct plan *plan)
{
	return plan->vm->hugepages == VM_HUGEPAGES_1G ? FACTS_PAGE_1G : FACTS_PAGE_2M;
}

/* Another system's kernel may have none of a size that hvinit's has. */
static bool has_pages(const struct check *c, const struct plan *plan)
{
	return c->facts->huge[page_of(plan)] || check_is_foreign(c->set);
}

static uint64_t huge_mib(const struct plan *plan)
{
	return plan->pages * plan_page_mib(plan->vm);
}

/* MiB of pages of that size that are set aside on the node, or on all. */
static uint64_t set_aside_mib(const struct check *c, enum facts_page page, int64_t node)
{
	uint64_t pages = 0;

	for (unsigned i = 0; i < c->facts->nodes; i++)
		if (node == HV_NONE || c->facts->node[i].id == node)
			pages += c->facts->node[i].huge_total[page];
	return pages * (page == FACTS_PAGE_1G ? 1024 : 2);
}

/* The VMs that get their huge pages at boot. */
struct grants {
	bool has[HV_VM_SLOTS];
};

/* What those that have theirs take: of all pages, or of those of one size. */
static uint64_t granted_mib(const struct check *c, const struct grants *grants, int page,
			    int64_t node)
{
	uint64_t mib = 0;

	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		const struct plan *p = check_other(c, slot);

		if (p && grants->has[slot] && is_of_node(p, node) &&
		    (page < 0 || page_of(p) == (enum facts_page)page))
			mib += huge_mib(p);
	}
	return mib;
}

/* Where the pages are there already they count, else the memory that they will be made of. */
static bool has_room(const struct check *c, const struct grants *grants, const struct plan *plan,
		     int64_t node)
{
	enum facts_page page = page_of(plan);
	uint64_t have = memory_mib(c, node);

	if (c->set->prepared)
		return granted_mib(c, grants, (int)page, node) + huge_mib(plan) <=
		       set_aside_mib(c, page, node);
	return !have ||
	       granted_mib(c, grants, -1, node) + huge_mib(plan) + reserve_mib(node) <= have;
}

static void grant_some(const struct check *c, bool bound, struct grants *grants)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		const struct plan *p = check_other(c, slot);

		if (p && p->pages && has_pages(c, p) && (p->vm->numa_node != HV_NONE) == bound)
			grants->has[slot] = has_room(c, grants, p, HV_NONE) &&
					    (!bound || has_room(c, grants, p, p->vm->numa_node));
	}
}

/* As huge_reserve() does: all of a VM's pages or none, those that are bound to a node first. */
static void grant(const struct check *c, struct grants *grants)
{
	memset(grants, 0, sizeof(*grants));
	grant_some(c, true, grants);
	grant_some(c, false, grants);
}

static void check_huge_room(const struct check *c)
{
	struct grants grants;
	int64_t node = HV_NONE;
	bool prepared = c->set->prepared;
	enum facts_page page = page_of(c->plan);
	char name[32];

	if (!has_pages(c, c->plan))
		return;
	grant(c, &grants);
	if (grants.has[c->plan->slot])
		return;
	if (has_room(c, &grants, c->plan, node))
		node = c->vm->numa_node;
	check_fail(c, DIAG_HUGE_SHORT, SYMBOL(c, "HUGEPAGES"),
		   "%" PRIu64 " MiB wanted; %s has %" PRIu64 " MiB%s, other VMs take %" PRIu64
		   " MiB of them and the host needs %" PRIu64 " MiB",
		   huge_mib(c->plan), place_name(node, name),
		   prepared ? set_aside_mib(c, page, node) : memory_mib(c, node),
		   prepared ? " of such pages" : "",
		   granted_mib(c, &grants, prepared ? (int)page : -1, node),
		   prepared ? 0 : reserve_mib(node));
}

static unsigned nodes_with_memory(const struct facts *facts)
{
	unsigned n = 0;

	for (unsigned i = 0; i < facts->nodes; i++)
		n += facts->node[i].memory_kib > 0;
	return n;
}

/*
 * The kernel makes pages for a VM without a node on all nodes, but it takes them from the one that
 * QEMU happens to run on. A VM that is bound to that node would find too few, and only when its
 * memory is pinned.
 */
static void check_huge_node(const struct check *c)
{
	if (c->vm->numa_node != HV_NONE || nodes_with_memory(c->facts) < 2)
		return;
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		const struct plan *other = check_other(c, slot);

		if (!other || !other->pages || page_of(other) != page_of(c->plan) ||
		    other->vm->numa_node == HV_NONE)
			continue;
		check_fail(c, DIAG_HUGE_NODE, SYMBOL(c, "NUMA_NODE"),
			   "take huge pages from any node: %s counts on those of node %" PRId64,
			   other->vm->name, other->vm->numa_node);
		return;
	}
}

void check_pages(const struct check *c)
{
	uint64_t page = plan_page_mib(c->vm);

	if (!c->plan->pages)
		return;
	if ((uint64_t)c->vm->memory_mib % page)
		check_fail(c, DIAG_HUGE_SIZE, SYMBOL(c, "MEMORY_MIB"),
			   "%" PRId64 " MiB are no whole number of pages of %" PRIu64 " MiB",
			   c->vm->memory_mib, page);
	check_huge_node(c);
	if (c->set->machine && !has_pages(c, c->plan))
		check_fail(c, DIAG_HUGE_SIZE, SYMBOL(c, "HUGEPAGES"),
			   "use pages of %" PRIu64 " MiB: the kernel has none of that size", page);
}

/* --- ordinary pages --- */

/* Whether the other one has its memory before this VM gets to it. */
static bool starts_before(const struct plan *other, const struct plan *plan)
{
	if (!other->vm->autostart || !plan->vm->autostart || other->pages)
		return false;
	if (other->vm->start_order != plan->vm->start_order)
		return other->vm->start_order < plan->vm->start_order;
	return other->slot < plan->slot;
}

/* Huge pages are gone from the memory whether a VM uses them or not. */
static uint64_t huge_of_all(const struct check *c, const struct grants *grants, int64_t node)
{
	if (c->set->prepared)
		return set_aside_mib(c, FACTS_PAGE_2M, node) +
		       set_aside_mib(c, FACTS_PAGE_1G, node);
	return granted_mib(c, grants, -1, node);
}

/* MiB that VMs have taken: of the machine, and of each node. */
struct taken {
	uint64_t any;
	uint64_t node[FACTS_NODES];
};

static uint64_t taken_mib(const struct taken *taken, int64_t node)
{
	return node == HV_NONE ? taken->any : taken->node[node];
}

static bool fits(const struct check *c, const struct taken *taken, const struct plan *plan,
		 int64_t node)
{
	uint64_t have = memory_mib(c, node);

	return !have ||
	       (uint64_t)plan->vm->memory_mib + taken_mib(taken, node) + reserve_mib(node) <= have;
}

static void take(struct taken *taken, const struct plan *plan)
{
	taken->any += (uint64_t)plan->vm->memory_mib;
	if (plan->vm->numa_node != HV_NONE)
		taken->node[plan->vm->numa_node] += (uint64_t)plan->vm->memory_mib;
}

static void begin_taken(const struct check *c, struct taken *taken)
{
	struct grants grants;

	grant(c, &grants);
	taken->any = huge_of_all(c, &grants, HV_NONE);
	for (int64_t node = 0; node < FACTS_NODES; node++)
		taken->node[node] = huge_of_all(c, &grants, node);
}

/* Everybody who is before this VM, whether or not they will get so far. */
static void take_all(const struct check *c, struct taken *taken)
{
	begin_taken(c, taken);
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		const struct plan *p = check_other(c, slot);

		if (p && starts_before(p, c->plan))
			take(taken, p);
	}
}

/* The same in the order of their start, without those that have a fault or find too little. */
static void take_able(const struct check *c, struct taken *taken)
{
	begin_taken(c, taken);
	for (int64_t order = 0; order <= c->vm->start_order; order++)
		for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
			const struct plan *p = check_other(c, slot);

			if (p && p->vm->start_order == order && starts_before(p, c->plan) &&
			    fits(c, taken, p, HV_NONE) && fits(c, taken, p, p->vm->numa_node) &&
			    check_would_start(c, slot))
				take(taken, p);
		}
}

static void check_small_room(const struct check *c)
{
	int64_t node = c->vm->numa_node;
	struct taken taken;
	char name[32];

	take_all(c, &taken);
	if (fits(c, &taken, c->plan, HV_NONE) && fits(c, &taken, c->plan, node))
		return;
	/* Only now it is worth finding out which of the others will not start anyway. */
	take_able(c, &taken);
	if (!fits(c, &taken, c->plan, HV_NONE))
		node = HV_NONE;
	else if (fits(c, &taken, c->plan, node))
		return;
	check_fail(c, DIAG_MEMORY_SHORT, SYMBOL(c, "MEMORY_MIB"),
		   "%" PRId64 " MiB wanted; %s has %" PRIu64 " MiB, other VMs have %" PRIu64
		   " MiB of them and the host needs %" PRIu64 " MiB",
		   c->vm->memory_mib, place_name(node, name), memory_mib(c, node),
		   taken_mib(&taken, node), reserve_mib(node));
}

void check_node(const struct check *c)
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
	if (!c->set->machine)
		return;
	if (c->plan->pages)
		check_huge_room(c);
	else
		check_small_room(c);
}
