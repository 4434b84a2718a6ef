/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sizes: pages, the MMIO window, what QEMU may lock, and what its control group may have. */
#include "plan_memory.h"

#include "util.h"

/* QEMU's own flash, ROMs and rings; measured: under 70 MiB. */
enum { MEMLOCK_SLACK_MIB = 256 };

static uint64_t power_of_two(uint64_t n)
{
	uint64_t power = 1;

	while (power < n && power < UINT64_C(1) << 63)
		power <<= 1;
	return power;
}

/*
 * What firmware lays out above 4 GiB: 64-bit BARs, each aligned to its size, a root port's window
 * at least twice its largest BAR so that alignment cannot push the next one out.
 */
uint64_t plan_bars_gib(const struct plan *plan)
{
	uint64_t gib = 0;

	/* In whole GiB, so that no sum of sizes, which a record may claim, can overflow. */
	for (unsigned i = 0; i < plan->devices; i++) {
		const struct bar_fact *bars = plan_bars(&plan->device[i]);

		for (unsigned bar = 0; bars && bar < FACTS_BARS; bar++) {
			uint64_t size = power_of_two(bars[bar].bytes);

			if (bars[bar].wide)
				gib += (size >> 29) + (size < UINT64_C(1) << 29);
		}
	}
	return gib <= PLAN_MMIO64_GIB ? PLAN_MMIO64_GIB : power_of_two(gib);
}

static uint64_t bar_bytes(const struct plan *plan)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < plan->devices; i++) {
		const struct bar_fact *bars = plan_bars(&plan->device[i]);

		for (unsigned bar = 0; bars && bar < FACTS_BARS; bar++)
			bytes += bars[bar].bytes;
	}
	return bytes;
}

/* iommufd charges the BARs that QEMU maps for peer-to-peer DMA as well as the memory. */
static uint64_t memlock(const struct plan *plan)
{
	return (((uint64_t)plan->vm->memory_mib + MEMLOCK_SLACK_MIB) << 20) + bar_bytes(plan);
}

/*
 * MiB besides the guest's memory. Each table that translates the guest's addresses, BARs among them,
 * and each list of its pages, has 8 bytes for one of 4 KiB: QEMU's, KVM's, iommufd's two, and one of
 * each physical SMMU. tests/lab holds what a VM really takes against it.
 */
static uint64_t overhead_mib(const struct plan *plan)
{
	enum { BASE = 256, DEVICE = 8, CPU = 4, TABLES = 4, PAGES_OF_TABLE = 512 };
	enum { FLASH = 128 }; /* two chips of 64 MiB, which QEMU reads whole */
	enum {
		DISK = 64
	}; /* a qcow2's tables take 32; the rest is page cache, so that it can flow */
	uint64_t memory = (uint64_t)plan->vm->memory_mib;
	uint64_t mapped = memory + (bar_bytes(plan) >> 20);

	if (plan->vm->overhead_mib != HV_AUTO)
		return (uint64_t)plan->vm->overhead_mib;
	return BASE + (plan->vm->uefi_vars == VM_UEFI_VARS_KEEP ? FLASH : 0) +
	       mapped * (TABLES + plan->vsmmus) / PAGES_OF_TABLE + (uint64_t)DISK * plan->disks +
	       (uint64_t)DEVICE * plan->devices + (uint64_t)CPU * (uint64_t)plan->vm->cpus;
}

bool plan_wants_io_uring(const struct plan *plan)
{
	bool any = false;

	for (unsigned i = 0; i < plan->disks; i++)
		any |= plan->vm->disk[i].aio == DISK_AIO_IO_URING;
	return any;
}

/* QEMU's pool has 64 threads at most, a ring's 128. */
static uint64_t tasks(const struct plan *plan)
{
	enum { OWN_WORK = 128, RING = 128 };

	if (plan->vm->tasks_max != HV_AUTO)
		return (uint64_t)plan->vm->tasks_max;
	return (uint64_t)plan->vm->cpus + OWN_WORK + (plan_wants_io_uring(plan) ? RING : 0);
}

static void plan_limits(struct plan *plan)
{
	uint64_t charged = plan->pages ? 0 : (uint64_t)plan->vm->memory_mib;

	plan->memory_max = (charged + overhead_mib(plan)) << 20;
	plan->tasks_max = tasks(plan);
}

void plan_memory(struct plan *plan)
{
	uint64_t page = plan_page_mib(plan->vm);

	/* The manifest's parser lets no other lists through. */
	cpulist_parse(plan->vm->cpu_pin, &plan->cpus);
	plan->mmio64_gib = plan->vm->mmio64_gib == HV_AUTO ? plan_bars_gib(plan) :
							     (uint64_t)plan->vm->mmio64_gib;
	plan->pages = page ? ((uint64_t)plan->vm->memory_mib + page - 1) / page : 0;
	plan->memlock = memlock(plan);
	plan_limits(plan);
}
