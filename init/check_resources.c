/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CPUs, the guest's addresses, and what the kernel was built with. */
#include "check_private.h"

#include <inttypes.h>

#include "manifest.h"
#include "util.h"

enum { QEMU_NODES = 128 }; /* MAX_NODES (include/system/numa.h) */

/* --- the kernel --- */

static void need(const struct check *c, enum kernel_symbol symbol, const char *what)
{
	if (c->facts->symbol[symbol] == KERNEL_NO)
		check_fail(c, DIAG_KCFG, c->vm->name, "%s: the kernel is without CONFIG_%s", what,
			   kernel_symbol_name(symbol));
}

static void need_for_devices(const struct check *c)
{
	static const enum kernel_symbol all[] = { KERNEL_IOMMUFD, KERNEL_VFIO,
						  KERNEL_VFIO_DEVICE_CDEV, KERNEL_VFIO_PCI,
						  KERNEL_ARM_SMMU_V3 };
	bool accel = false;
	bool vf = false;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		need(c, all[i], "pass devices");
	for (unsigned i = 0; i < c->plan->devices; i++) {
		int vsmmu = c->plan->device[i].vsmmu;

		accel |= vsmmu >= 0 && c->plan->vsmmu[vsmmu].config->accel;
		vf |= c->plan->device[i].config->vf != HV_NONE;
	}
	if (accel)
		need(c, KERNEL_ARM_SMMU_V3_IOMMUFD, "accelerate vSMMUs");
	if (vf)
		need(c, KERNEL_PCI_IOV, "turn on virtual functions");
}

void check_kernel(const struct check *c)
{
	if (!c->set->machine)
		return;
	if (!c->facts->kvm)
		check_fail(c, DIAG_KVM_NONE, c->vm->name, "use KVM: /dev/kvm is missing");
	if (check_is_foreign(c->set))
		return;
	if (c->plan->devices && !c->facts->iommufd)
		check_fail(c, DIAG_IOMMUFD_NONE, c->vm->name,
			   "pass devices: /dev/iommu is missing");
	need(c, KERNEL_KVM, "use KVM");
	if (c->plan->devices)
		need_for_devices(c);
	if (c->plan->pages)
		need(c, KERNEL_HUGETLBFS, "use huge pages");
	if (c->vm->numa_node != HV_NONE)
		need(c, KERNEL_NUMA, "bind memory to a node");
	if (c->plan->nets) {
		need(c, KERNEL_TUN, "have network interfaces");
		need(c, KERNEL_BRIDGE, "have network interfaces");
	}
}

/* --- CPUs --- */

void check_cpus(const struct check *c)
{
	unsigned pinned = cpulist_count(&c->plan->cpus);
	unsigned online = cpulist_count(&c->facts->cpus);
	int cpu;

	for (unsigned slot = 0; slot < c->plan->slot; slot++) {
		const struct plan *other = check_other(c, slot);

		cpu = other ? cpulist_common(&other->cpus, &c->plan->cpus) : -1;
		if (cpu >= 0)
			check_fail(c, DIAG_CPU_TWICE, SYMBOL(c, "CPU_PIN"),
				   "use CPU %d: VM%u_CPU_PIN has it", cpu, slot);
	}
	cpu = cpulist_missing(&c->plan->cpus, &c->facts->cpus);
	if (online && cpu >= 0)
		check_fail(c, DIAG_CPU_PIN, SYMBOL(c, "CPU_PIN"),
			   "use CPU %d: it is not there, or not online", cpu);
	if (pinned && c->vm->cpus > pinned)
		check_fail(c, DIAG_CPU_FEW, SYMBOL(c, "CPUS"),
			   "run %" PRId64 " virtual CPUs at a time: CPU_PIN has %u", c->vm->cpus,
			   pinned);
	else if (!pinned && online && c->vm->cpus > online)
		check_fail(c, DIAG_CPU_FEW, SYMBOL(c, "CPUS"),
			   "run %" PRId64 " virtual CPUs at a time: the machine has %u",
			   c->vm->cpus, online);
}

/* --- the guest's addresses --- */

static void check_gi_nodes(const struct check *c)
{
	if (c->plan->gi_nodes >= QEMU_NODES)
		check_fail(c, DIAG_GI_NODES, c->vm->name,
			   "have %u generic-initiator nodes: QEMU has room for %d beside the "
			   "guest's own",
			   c->plan->gi_nodes, QEMU_NODES - 1);
}

/* Those of a function that is not on yet are as large as those of all of its kind. */
static void check_bars_known(const struct check *c)
{
	for (unsigned i = 0; i < c->plan->devices; i++) {
		const struct plan_device *d = &c->plan->device[i];

		if (d->pf && d->pf->vfs_total && !plan_bars(d))
			diag_warn(c->diag, (int)c->plan->slot, DIAG_DEV_GUESS,
				  SYMBOL(c, "HOSTDEV%u_VF", d->slot),
				  "count the BARs of virtual function %" PRId64
				  " of %s: it is not on, and its physical function's record does "
				  "not tell",
				  d->config->vf, d->config->bdf);
	}
}

void check_window(const struct check *c)
{
	uint64_t gib = c->plan->mmio64_gib;
	uint64_t least = plan_bars_gib(c->plan);

	check_gi_nodes(c);
	check_bars_known(c);
	if (gib & (gib - 1))
		check_fail(c, DIAG_MMIO_WINDOW, SYMBOL(c, "MMIO64_GIB"),
			   "make a window of %" PRIu64 " GiB: it is no power of two", gib);
	else if (gib < least)
		check_fail(c, DIAG_MMIO_WINDOW, SYMBOL(c, "MMIO64_GIB"),
			   "fit the devices' BARs into %" PRIu64 " GiB: they need %" PRIu64, gib,
			   least);
}
