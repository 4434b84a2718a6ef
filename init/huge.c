/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's number of huge pages is for all users together, so what was granted before is added
 * up: pages that the kernel command line has made are used before new ones are asked for.
 */
#include "huge.h"

#include <errno.h>
#include <inttypes.h>

#include "facts.h"
#include "manifest.h"
#include "plan.h"
#include "sys_host.h"
#include "util.h"

static const uint64_t reserved_kib =
	UINT64_C(256) * 1024; /* for the kernel, PID 1 and QEMU's own */

/* Pages that VMs have been granted: of each node, and without one. */
struct granted {
	uint64_t node[FACTS_PAGES][FACTS_NODES];
	uint64_t anywhere[FACTS_PAGES];
};

struct pool {
	int node; /* or SYS_NO_NODE */
	uint64_t page_kib;
	uint64_t used; /* of its pages, those that are granted */
};

static void tell(int vm, const struct pool *pool, uint64_t pages, const char *why,
		 struct diag *diag)
{
	char symbol[DIAG_SUBJECT];
	char where[32] = "";

	str_format(symbol, sizeof(symbol), "VM%d_HUGEPAGES", vm);
	if (pool->node != SYS_NO_NODE)
		str_format(where, sizeof(where), " on NUMA node %d", pool->node);
	diag_add(diag, vm, DIAG_HUGE_SHORT, symbol,
		 "reserve %" PRIu64 " pages of %" PRIu64 " KiB%s: %s", pages, pool->page_kib, where,
		 why);
}

/*
 * Makes the pool hold pages more than are in use. NULL, or why it does not; it is then as large as
 * it was.
 */
static const char *grow(int root, const struct pool *pool, uint64_t pages, char why[DIAG_TEXT])
{
	uint64_t want = pool->used + pages;
	uint64_t before;
	uint64_t now;
	int error = sys_huge_read(root, pool->node, pool->page_kib, &before);

	if (error)
		return strerror(-error);
	if (before >= want)
		return NULL;
	/* The kernel would give what it has to the last page, and die of it. */
	if ((want - before) * pool->page_kib + reserved_kib > sys_memory_free_kib(root)) {
		str_format(why, DIAG_TEXT,
			   "%" PRIu64 " MiB are free, and the host needs %" PRIu64 " of them",
			   sys_memory_free_kib(root) / 1024, reserved_kib / 1024);
		return why;
	}
	error = sys_huge_write(root, pool->node, pool->page_kib, want);
	if (!error)
		error = sys_huge_read(root, pool->node, pool->page_kib, &now);
	if (!error && now >= want)
		return NULL;
	if (error)
		str_format(why, DIAG_TEXT, "%s", strerror(-error));
	else
		str_format(why, DIAG_TEXT, "the kernel found %" PRIu64,
			   now > pool->used ? now - pool->used : 0);
	sys_huge_write(root, pool->node, pool->page_kib, before);
	return why;
}

static void reserve_vm(int root, const struct vm_config *vm, int slot, struct granted *granted,
		       struct diag *diag)
{
	enum facts_page size = vm->hugepages == VM_HUGEPAGES_2M ? FACTS_PAGE_2M : FACTS_PAGE_1G;
	uint64_t page_mib = plan_page_mib(vm);
	uint64_t pages = ((uint64_t)vm->memory_mib + page_mib - 1) / page_mib;
	struct pool pool = { SYS_NO_NODE, page_mib * 1024, granted->anywhere[size] };
	char why[DIAG_TEXT];
	const char *short_of;

	if (vm->numa_node != HV_NONE) {
		pool.node = (int)vm->numa_node;
		pool.used = granted->node[size][pool.node];
	} else {
		for (int node = 0; node < FACTS_NODES; node++)
			pool.used += granted->node[size][node];
	}
	short_of = grow(root, &pool, pages, why);
	if (short_of)
		tell(slot, &pool, pages, short_of, diag);
	else if (vm->numa_node != HV_NONE)
		granted->node[size][pool.node] += pages;
	else
		granted->anywhere[size] += pages;
}

static void reserve_some(int root, const struct config *config, bool bound, struct granted *granted,
			 struct diag *diag)
{
	for (int slot = 0; slot < HV_VM_SLOTS; slot++) {
		const struct vm_config *vm = &config->vm[slot];

		if (manifest_vm_used(vm) && vm->hugepages != VM_HUGEPAGES_NONE &&
		    (vm->numa_node != HV_NONE) == bound)
			reserve_vm(root, vm, slot, granted, diag);
	}
}

void huge_reserve(int root, const struct config *config, struct diag *diag)
{
	struct granted granted = { 0 };

	/* Those that must be on a certain node first: the others can be anywhere. */
	reserve_some(root, config, true, &granted, diag);
	reserve_some(root, config, false, &granted, diag);
}
