/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules about several VMs, and what changes them: a prepared machine, none, START_ANYWAY. */
#include "unit.h"

#include "check.h"
#include "facts_text.h"
#include "manifest.h"

static struct config config;
static struct facts facts;
static struct check_set set;
static struct diag diag;

static const char machine[] =
	"# hvinit host record 1\n"
	"machine memory=16G cpus=0-7 iommufd=yes kvm=yes huge2M=yes huge1G=yes\n"
	"driver vfio-pci\n"
	"node 0 memory=8G cpus=0-3\n"
	"node 1 memory=8G cpus=4-7\n"
	"device 0001:01:00.0 id=144d:a80a class=0x010802 smmu=smmu3.0 group=1 reset=flr\n"
	"device 0002:01:00.0 id=8086:10c9 class=0x020000 smmu=smmu3.0 group=2 reset=flr driver=igb "
	"total=7 offset=128 stride=2 vfbar0=16K,wide,prefetch vfbar3=16K,wide,prefetch\n"
	"device 0002:01:10.0 id=8086:10ca class=0x020000 smmu=smmu3.0 group=3 reset=flr "
	"pf=0002:01:00.0 vf=0\n"
	"device 0004:01:00.0 id=144d:a80a class=0x010802 smmu=smmu3.1 group=4 reset=flr\n";

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	memset(&diag, 0, sizeof(diag));
	assert_true(facts_read(machine, sizeof(machine) - 1, &facts, &diag));
	set = (struct check_set){ .config = &config, .facts = &facts, .machine = true, .root = -1 };
	return 0;
}

static struct vm_config *add(unsigned slot, int64_t memory_mib)
{
	struct vm_config *vm = &config.vm[slot];

	str_format(vm->name, sizeof(vm->name), "vm%u", slot);
	str_copy(vm->kernel, sizeof(vm->kernel), "/boot/Image");
	vm->memory_mib = memory_mib;
	return vm;
}

static void check(unsigned slot)
{
	memset(&diag, 0, sizeof(diag));
	check_plan(&set);
	check_vm(&set, slot, &diag);
}

/* --- slots --- */

static void one_gap(const char *symbol, unsigned slot)
{
	check(slot);
	assert_finding(&diag, DIAG_SLOT_GAP, symbol, "is free");
}

static void test_gaps(void **state)
{
	struct vm_config *vm = add(0, 1024);

	(void)state;
	str_copy(vm->uuid, sizeof(vm->uuid), "6a4e52c2-33f0-4d5c-9f8e-0b1f7d6d2a10");
	str_copy(vm->disk[2].path, sizeof(vm->disk[2].path), "/d");
	one_gap("VM0_DISK2_PATH", 0);
	vm->disk[2].path[0] = '\0';
	str_copy(config.host.bridge[1].name, sizeof(config.host.bridge[1].name), "br1");
	str_copy(vm->net[1].bridge, sizeof(vm->net[1].bridge), "br1");
	one_gap("VM0_NET1_BRIDGE", 0);
	memset(&diag, 0, sizeof(diag));
	check_host(&set, &diag);
	assert_finding(&diag, DIAG_SLOT_GAP, "HOST_BRIDGE1_NAME", "use slot 1: slot 0 is free");
	vm->net[1].bridge[0] = '\0';
	str_copy(vm->hostdev[3].bdf, sizeof(vm->hostdev[3].bdf), "0001:01:00.0");
	one_gap("VM0_HOSTDEV3_BDF", 0);
	vm->hostdev[3].bdf[0] = '\0';
	vm->port[1].bus = HV_ROOT;
	one_gap("VM0_PORT1_BUS", 0);
	vm->port[1].bus = HV_NONE;
	add(2, 1024);
	one_gap("VM2_NAME", 2);
}

static void test_bridge_names(void **state)
{
	static const char *const bad[] = { "lo", "vm0net0", "vm12net3" };
	static const char *const good[] = { "lo0", "vm0", "vmnet0", "vm0net", "vm0net0x", "net0" };
	char *name = config.host.bridge[0].name;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(&diag, 0, sizeof(diag));
		str_copy(name, sizeof(config.host.bridge[0].name), bad[i]);
		check_host(&set, &diag);
		assert_finding(&diag, DIAG_BRIDGE_NAME, "HOST_BRIDGE0_NAME", bad[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		memset(&diag, 0, sizeof(diag));
		str_copy(name, sizeof(config.host.bridge[0].name), good[i]);
		check_host(&set, &diag);
		assert_no_finding(&diag);
	}
}

/* --- memory --- */

static void test_order(void **state)
{
	(void)state;
	add(0, 10240)->start_order = 5;
	add(1, 10240);
	check(1);
	assert_no_finding(&diag);
	check(0);
	assert_finding(&diag, DIAG_MEMORY_SHORT, "VM0_MEMORY_MIB", "other VMs have 10240 MiB");
	config.vm[1].autostart = false;
	check(0);
	assert_no_finding(&diag);
}

/* Who cannot start takes no memory from those that come after. */
static void test_faulty_neighbour(void **state)
{
	(void)state;
	add(0, 10240);
	add(1, 10240);
	check(1);
	assert_finding(&diag, DIAG_MEMORY_SHORT, "VM1_MEMORY_MIB", "other VMs have 10240 MiB");
	str_copy(config.vm[0].machine, sizeof(config.vm[0].machine), "pc");
	check(1);
	assert_no_finding(&diag);
	config.vm[0].start_anyway = true;
	check(1);
	assert_finding(&diag, DIAG_MEMORY_SHORT, "VM1_MEMORY_MIB", "other VMs have 10240 MiB");
}

/* Nor does who finds too little itself. */
static void test_too_large_neighbour(void **state)
{
	(void)state;
	add(0, 20000);
	add(1, 10240);
	check(0);
	assert_finding(&diag, DIAG_MEMORY_SHORT, "VM0_MEMORY_MIB", "the machine has 16384 MiB");
	check(1);
	assert_no_finding(&diag);
}

static void test_node_memory(void **state)
{
	(void)state;
	add(0, 6144)->numa_node = 1;
	add(1, 4096)->numa_node = 1;
	add(2, 4096)->numa_node = 0;
	check(0);
	assert_no_finding(&diag);
	check(1);
	assert_finding(&diag, DIAG_MEMORY_SHORT, "VM1_MEMORY_MIB",
		       "4096 MiB wanted; NUMA node 1 has 8192 MiB, other VMs have 6144 MiB");
	check(2);
	assert_no_finding(&diag);
}

/* Huge pages are gone even when their VM does not start by itself. */
static void test_huge_take_memory(void **state)
{
	struct vm_config *huge = add(3, 8192);

	(void)state;
	huge->hugepages = VM_HUGEPAGES_2M;
	huge->autostart = false;
	add(0, 8192);
	check(0);
	assert_finding(&diag, DIAG_MEMORY_SHORT, "VM0_MEMORY_MIB", "other VMs have 8192 MiB");
	config.vm[0].memory_mib = 7936;
	check(0);
	assert_no_finding(&diag);
	config.vm[0].memory_mib = 7937;
	check(0);
	assert_int_equal(diag.count, 1);
}

/* --- huge pages --- */

static void test_huge_order(void **state)
{
	(void)state;
	add(0, 10240)->hugepages = VM_HUGEPAGES_1G;
	add(1, 8192)->hugepages = VM_HUGEPAGES_2M;
	check(0);
	assert_no_finding(&diag);
	check(1);
	assert_finding(&diag, DIAG_HUGE_SHORT, "VM1_HUGEPAGES", "other VMs take 10240 MiB");
	/* Bound to a node it comes first. */
	config.vm[1].numa_node = 0;
	check(1);
	assert_no_finding(&diag);
	check(0);
	assert_finding(&diag, DIAG_HUGE_SHORT, "VM0_HUGEPAGES", "other VMs take 8192 MiB");
}

/* Who gets no pages leaves them to the others. */
static void test_huge_refused(void **state)
{
	(void)state;
	add(0, 20480)->hugepages = VM_HUGEPAGES_1G;
	add(1, 8192)->hugepages = VM_HUGEPAGES_2M;
	check(0);
	assert_finding(&diag, DIAG_HUGE_SHORT, "VM0_HUGEPAGES", "20480 MiB wanted");
	check(1);
	assert_no_finding(&diag);
}

/* What is set aside counts, and not what could have been. */
static void test_huge_prepared(void **state)
{
	(void)state;
	set.prepared = true;
	add(0, 1024)->hugepages = VM_HUGEPAGES_2M;
	check(0);
	assert_finding(&diag, DIAG_HUGE_SHORT, "VM0_HUGEPAGES",
		       "1024 MiB wanted; the machine has 0 MiB of such pages");
	facts.node[1].huge_total[FACTS_PAGE_2M] = 512;
	check(0);
	assert_no_finding(&diag);
	config.vm[0].numa_node = 0;
	check(0);
	assert_finding(&diag, DIAG_HUGE_SHORT, "VM0_HUGEPAGES", "NUMA node 0 has 0 MiB");
	config.vm[0].numa_node = 1;
	check(0);
	assert_no_finding(&diag);
	add(1, 2)->hugepages = VM_HUGEPAGES_2M;
	config.vm[1].numa_node = 1;
	check(1);
	assert_finding(&diag, DIAG_HUGE_SHORT, "VM1_HUGEPAGES", "other VMs take 1024 MiB");
}

/* Pages that nobody is bound to are taken from a node that another VM counts on. */
static void test_huge_node(void **state)
{
	(void)state;
	add(0, 1024)->hugepages = VM_HUGEPAGES_2M;
	add(1, 1024)->hugepages = VM_HUGEPAGES_2M;
	config.vm[1].numa_node = 0;
	check(1);
	assert_no_finding(&diag);
	check(0);
	assert_finding(&diag, DIAG_HUGE_NODE, "VM0_NUMA_NODE", "counts on those of node 0");
	config.vm[1].hugepages = VM_HUGEPAGES_1G;
	check(0);
	assert_no_finding(&diag);
	config.vm[1].hugepages = VM_HUGEPAGES_2M;
	facts.nodes = 1;
	check(0);
	assert_no_finding(&diag);
}

static void test_huge_multiple(void **state)
{
	(void)state;
	add(0, 1536)->hugepages = VM_HUGEPAGES_1G;
	check(0);
	assert_finding(&diag, DIAG_HUGE_SIZE, "VM0_MEMORY_MIB", "no whole number of pages");
}

/* --- CPUs --- */

static void test_pin(void **state)
{
	(void)state;
	str_copy(add(0, 64)->cpu_pin, sizeof(config.vm[0].cpu_pin), "0-3");
	str_copy(add(1, 64)->cpu_pin, sizeof(config.vm[0].cpu_pin), "4-6");
	config.vm[0].cpus = 4;
	check(0);
	assert_no_finding(&diag);
	check(1);
	assert_no_finding(&diag);
	str_copy(config.vm[1].cpu_pin, sizeof(config.vm[1].cpu_pin), "3-6");
	check(1);
	assert_finding(&diag, DIAG_CPU_TWICE, "VM1_CPU_PIN", "use CPU 3: VM0_CPU_PIN has it");
	str_copy(config.vm[1].cpu_pin, sizeof(config.vm[1].cpu_pin), "7-8");
	check(1);
	assert_finding(&diag, DIAG_CPU_PIN, "VM1_CPU_PIN", "use CPU 8");
}

static void test_cpus(void **state)
{
	(void)state;
	add(0, 64)->cpus = 8;
	check(0);
	assert_no_finding(&diag);
	config.vm[0].cpus = 9;
	check(0);
	assert_finding(&diag, DIAG_CPU_FEW, "VM0_CPUS", "the machine has 8");
	assert_int_equal(diag_failures(&diag, 0), 0);
	memset(&facts.cpus, 0, sizeof(facts.cpus));
	check(0);
	assert_no_finding(&diag);
}

/* --- the guest's addresses --- */

static void test_gi_nodes(void **state)
{
	(void)state;
	add(0, 64);
	for (unsigned i = 0; i < HV_HOSTDEV_SLOTS; i++) {
		struct pci_fact *fact = &facts.device[facts.count++];

		*fact = facts.device[0];
		str_format(fact->bdf, sizeof(fact->bdf), "0003:%02x:00.0", i);
		fact->group = 20 + (int)i;
		str_copy(config.vm[0].hostdev[i].bdf, SYS_BDF, fact->bdf);
		config.vm[0].hostdev[i].gi_nodes = 8;
	}
	facts_sort(&facts);
	check(0);
	assert_finding(&diag, DIAG_GI_NODES, "vm0", "have 128 generic-initiator nodes");
	config.vm[0].hostdev[0].gi_nodes = 7;
	check(0);
	assert_no_finding(&diag);
}

static void test_window(void **state)
{
	static const struct {
		int64_t gib;
		const char *part; /* NULL: it is all right */
	} windows[] = {
		{ 512, "they need 1024" }, { 1024, NULL },    { 1536, "no power of two" },
		{ 65536, NULL },	   { HV_AUTO, NULL },
	};

	(void)state;
	add(0, 64);
	str_copy(config.vm[0].hostdev[0].bdf, SYS_BDF, "0001:01:00.0");
	facts.device[0].bar[2] = (struct bar_fact){ UINT64_C(300) << 30, true, true };
	for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
		config.vm[0].mmio64_gib = windows[i].gib;
		check(0);
		if (windows[i].part)
			assert_finding(&diag, DIAG_MMIO_WINDOW, "VM0_MMIO64_GIB", windows[i].part);
		else
			assert_no_finding(&diag);
	}
}

/* --- virtual functions and drivers --- */

static void test_vf_window(void **state)
{
	struct hostdev_config *h = add(0, 64)->hostdev;

	(void)state;
	str_copy(config.host.modules, sizeof(config.host.modules), "igb");
	str_copy(h->bdf, SYS_BDF, "0002:01:00.0");
	h->vf = 1;
	facts.device[1].vf_bar[0].bytes = UINT64_C(200) << 30;
	check(0);
	assert_no_finding(&diag);
	assert_int_equal(set.plan[0].mmio64_gib, 1024);
	memset(facts.device[1].vf_bar, 0, sizeof(facts.device[1].vf_bar));
	check(0);
	assert_finding(&diag, DIAG_DEV_GUESS, "VM0_HOSTDEV0_VF", "does not tell");
	assert_int_equal(diag_failures(&diag, 0), 0);
}

static void test_vf_prepared(void **state)
{
	struct hostdev_config *h = add(0, 64)->hostdev;

	(void)state;
	str_copy(h->bdf, SYS_BDF, "0002:01:00.0");
	h->vf = 1;
	str_copy(config.host.modules, sizeof(config.host.modules), "nvme igb");
	check(0);
	assert_no_finding(&diag);
	set.prepared = true;
	check(0);
	assert_finding(&diag, DIAG_VF_NONE, "VM0_HOSTDEV0_VF", "it is not turned on");
	h->vf = 0;
	check(0);
	assert_no_finding(&diag);
}

static void test_vf_driver(void **state)
{
	struct hostdev_config *h = add(0, 64)->hostdev;

	(void)state;
	str_copy(h->bdf, SYS_BDF, "0002:01:00.0");
	h->vf = 0;
	check(0);
	assert_finding(&diag, DIAG_DRV_MISSING, "VM0_HOSTDEV0_BDF", "its driver igb is not among");
	str_copy(config.host.modules, sizeof(config.host.modules), "igbvf");
	check(0);
	assert_int_equal(diag.count, 1);
	/* It is bound: then it does not matter how that came. */
	set.prepared = true;
	check(0);
	assert_no_finding(&diag);
}

/* A function that is not on yet will be behind its physical function's SMMU. */
static void test_vf_split(void **state)
{
	struct hostdev_config *h = add(0, 64)->hostdev;

	(void)state;
	str_copy(config.host.modules, sizeof(config.host.modules), "igb");
	str_copy(h[0].bdf, SYS_BDF, "0004:01:00.0");
	str_copy(h[1].bdf, SYS_BDF, "0002:01:00.0");
	h[1].vf = 1;
	h[0].vsmmu = 0;
	h[1].vsmmu = 0;
	check(0);
	assert_finding(&diag, DIAG_SMMU_SPLIT, "VM0_HOSTDEV1_VSMMU",
		       "it is behind smmu3.0, the vSMMU stands for smmu3.1");
	h[1].vsmmu = 1;
	check(0);
	assert_no_finding(&diag);
}

static void test_module_names(void **state)
{
	struct hostdev_config *h = add(0, 64)->hostdev;

	(void)state;
	str_copy(h->bdf, SYS_BDF, "0002:01:00.0");
	h->vf = 0;
	str_copy(facts.device[1].driver, SYS_NAME, "mlx5_core");
	str_copy(config.host.modules, sizeof(config.host.modules), "mlx5-core  nvme");
	check(0);
	assert_no_finding(&diag);
}

/* What HOST_MODULES name is loaded, and what that needs; the record knows the modules' names. */
static void test_peer_modules(void **state)
{
	struct hostdev_config *h = add(0, 64)->hostdev;
	char *modules = config.host.modules;

	(void)state;
	str_copy(h->bdf, SYS_BDF, "0004:01:00.0");
	facts.device[1].group = 4;
	str_copy(facts.device[1].driver, SYS_NAME, "xhci_hcd");
	facts.drivers = 2;
	facts.driver[1] = (struct driver_fact){ .name = "xhci_hcd", .from = "xhci_pci" };
	check(0);
	assert_no_finding(&diag);
	str_copy(modules, sizeof(config.host.modules), "nvme xhci-pci");
	check(0);
	assert_finding(&diag, DIAG_GRP_PEERS, "0004:01:00.0", "is held by the driver xhci_hcd");
	assert_int_equal(diag_failures(&diag, 0), 1);
	str_copy(modules, sizeof(config.host.modules), "mlx5_ib");
	check(0);
	assert_finding(&diag, DIAG_GRP_PEERS, "0004:01:00.0", "do not name but could need");
	assert_int_equal(diag_failures(&diag, 0), 0);
	/* Under hvinit it was loaded, whatever named it. */
	facts.hvinit = KNOWN_YES;
	check(0);
	assert_int_equal(diag_failures(&diag, 0), 1);
}

/* A driver that is not listed is missed only where all that there is would be. */
static void test_driver_names(void **state)
{
	static struct filelist files = { .text = "\n/a/xe-vfio-pci.ko\n", .len = 20 };
	static const struct {
		enum known hvinit;
		bool files;
		const char *name;
		int findings;
		unsigned failures;
	} drivers[] = {
		{ KNOWN_YES, false, "vfio_pci", 0, 0 },
		{ KNOWN_YES, false, "xe_vfio_pci", 1, 1 },
		{ KNOWN_YES, true, "xe_vfio_pci", 0, 0 },
		{ KNOWN_UNKNOWN, false, "xe_vfio_pci", 1, 0 },
		{ KNOWN_UNKNOWN, true, "mlx5_vfio_pci", 1, 1 },
		{ KNOWN_NO, false, "mlx5_vfio_pci", 0, 0 },
		{ KNOWN_NO, false, "xe_vfio_pci", 1, 0 },
		{ KNOWN_NO, true, "xe_vfio_pci", 0, 0 },
		{ KNOWN_NO, true, "vfio-pci", 0, 0 },
		{ KNOWN_NO, true, "auto", 0, 0 },
		/* Another kernel has it, the image does not. */
		{ KNOWN_NO, true, "mlx5_vfio_pci", 1, 1 },
	};
	struct hostdev_config *h = add(0, 64)->hostdev;

	(void)state;
	str_copy(h->bdf, SYS_BDF, "0001:01:00.0");
	config.vm[0].kernel[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		int findings = 0;

		str_copy(h->driver, sizeof(h->driver), drivers[i].name);
		str_copy(facts.driver[0].name, SYS_NAME,
			 drivers[i].hvinit == KNOWN_NO ? "mlx5_vfio_pci" : "vfio-pci");
		facts.hvinit = drivers[i].hvinit;
		set.files = drivers[i].files ? &files : NULL;
		check(0);
		for (unsigned n = 0; n < diag.count; n++)
			findings += diag.finding[n].code == DIAG_DRV_NAME &&
				    (diag.finding[n].severity == DIAG_WARN) ==
					    (drivers[i].failures == 0);
		if (findings != drivers[i].findings)
			fail_msg("row %zu: %d", i, findings);
	}
}

/* Before the start there is time to bind it: only then it is a fault. */
static void test_unmanaged(void **state)
{
	struct hostdev_config *h = add(0, 64)->hostdev;

	(void)state;
	str_copy(h->bdf, SYS_BDF, "0001:01:00.0");
	h->managed = false;
	check(0);
	assert_finding(&diag, DIAG_UNMANAGED, "VM0_HOSTDEV0_MANAGED", "it has no driver");
	assert_int_equal(diag_failures(&diag, 0), 0);
	set.prepared = true;
	check(0);
	assert_int_equal(diag_failures(&diag, 0), 1);
	str_copy(facts.device[0].driver, SYS_NAME, "vfio-pci");
	check(0);
	assert_no_finding(&diag);
}

static bool told(enum diag_code code)
{
	for (unsigned i = 0; i < diag.count; i++)
		if (diag.finding[i].code == code)
			return true;
	return false;
}

/* Without an optional device its number is free, and nothing boots from it. */
static void test_absent_boots(void **state)
{
	struct vm_config *vm = add(0, 64);

	(void)state;
	str_copy(vm->hostdev[0].bdf, SYS_BDF, "0001:01:00.0");
	str_copy(vm->hostdev[1].bdf, SYS_BDF, "0009:01:00.0");
	vm->hostdev[0].bootindex = 1;
	vm->hostdev[1].bootindex = 1;
	vm->hostdev[1].optional = true;
	check(0);
	assert_false(told(DIAG_BOOT_CLASH));
	vm->kernel[0] = '\0';
	check(0);
	assert_false(told(DIAG_BOOT_NONE));
	str_copy(vm->hostdev[0].bdf, SYS_BDF, "0009:01:00.0");
	vm->hostdev[0].optional = true;
	check(0);
	assert_true(told(DIAG_BOOT_NONE));
	vm->hostdev[0].bootindex = HV_NONE;
	vm->hostdev[1].bootindex = HV_NONE;
	check(0);
	assert_true(told(DIAG_BOOT_NONE));
}

/* --- what changes rules --- */

static void test_anyway(void **state)
{
	struct vm_config *vm = add(0, 20000);

	(void)state;
	str_copy(vm->machine, sizeof(vm->machine), "virt-99.0");
	check(0);
	assert_int_equal(diag.count, 2);
	assert_int_equal(diag_failures(&diag, 0), 2);
	vm->start_anyway = true;
	check(0);
	assert_int_equal(diag.count, 2);
	assert_int_equal(diag.finding[0].code, DIAG_MACHINE_NONE);
	assert_int_equal(diag.finding[0].severity, DIAG_WARN);
	assert_int_equal(diag.finding[1].code, DIAG_MEMORY_SHORT);
	assert_int_equal(diag_failures(&diag, 0), 1);
}

/* Nothing that a machine would have to tell is held against the manifest. */
static void test_no_machine(void **state)
{
	struct vm_config *vm = add(0, 1 << 24);

	(void)state;
	memset(&facts, 0, sizeof(facts));
	set.machine = false;
	str_copy(vm->hostdev[0].bdf, SYS_BDF, "0001:01:00.0");
	str_copy(vm->hostdev[1].bdf, SYS_BDF, "0002:01:00.0");
	vm->hostdev[1].vf = 3;
	str_copy(vm->cpu_pin, sizeof(vm->cpu_pin), "900");
	vm->numa_node = 60;
	vm->hugepages = VM_HUGEPAGES_1G;
	vm->vsmmu[0].ats = VSMMU_ATS_ON;
	vm->vsmmu[0].oas = VSMMU_OAS_48;
	check(0);
	assert_no_finding(&diag);
}

/* Kconfig does not ask for them, but a manifest can be written by hand. */
static void test_kernel_words(void **state)
{
	struct vm_config *vm = add(0, 64);

	(void)state;
	vm->kernel[0] = '\0';
	str_copy(vm->disk[0].path, sizeof(vm->disk[0].path), "/dev/x");
	str_copy(vm->initrd, sizeof(vm->initrd), "/boot/initrd");
	check(0);
	assert_finding(&diag, DIAG_KERNEL_NONE, "VM0_INITRD", "there is no kernel");
	vm->initrd[0] = '\0';
	str_copy(vm->cmdline, sizeof(vm->cmdline), "quiet");
	check(0);
	assert_finding(&diag, DIAG_KERNEL_NONE, "VM0_CMDLINE", "there is no kernel");
}

static void test_machines(void **state)
{
	static const char *const good[] = { "virt", "virt-5.2", "virt-6.0", "virt-10.2",
					    "virt-11.1" };
	static const char *const bad[] = { "virt-5.1",	"virt-6.3",  "virt-11.2",  "virt-12.0",
					   "virt-",	"virt-9",    "virt-9.0x",  "q35",
					   "virtual",	"virt-11.",  "virt-011.1", "virt-11.01",
					   "virt-+9.0", "virt-9.-0", "virt-9. 0" };
	struct vm_config *vm = add(0, 64);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		str_copy(vm->machine, sizeof(vm->machine), good[i]);
		check(0);
		assert_no_finding(&diag);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		str_copy(vm->machine, sizeof(vm->machine), bad[i]);
		check(0);
		assert_finding(&diag, DIAG_MACHINE_NONE, "VM0_MACHINE", bad[i]);
	}
}

#define WHOLE(title, function) FIXTURE(title, function, setup, NULL, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WHOLE("an optional device to boot from", test_absent_boots),
		WHOLE("names that no bridge can have", test_bridge_names),
		WHOLE("a slot behind a free one", test_gaps),
		WHOLE("memory by the order of the start", test_order),
		WHOLE("a neighbour that cannot start", test_faulty_neighbour),
		WHOLE("a neighbour that is too large", test_too_large_neighbour),
		WHOLE("memory of a node", test_node_memory),
		WHOLE("memory that huge pages take", test_huge_take_memory),
		WHOLE("huge pages of a node", test_huge_node),
		WHOLE("huge pages by the order of their making", test_huge_order),
		WHOLE("huge pages that one VM does not get", test_huge_refused),
		WHOLE("huge pages on a prepared machine", test_huge_prepared),
		WHOLE("no whole number of huge pages", test_huge_multiple),
		WHOLE("pinned CPUs", test_pin),
		WHOLE("more CPUs than there are", test_cpus),
		WHOLE("too many NUMA nodes", test_gi_nodes),
		WHOLE("the MMIO window", test_window),
		WHOLE("a virtual function that is not on", test_vf_prepared),
		WHOLE("a physical function's driver", test_vf_driver),
		WHOLE("two SMMUs by a function that is not on", test_vf_split),
		WHOLE("dashes in names of modules", test_module_names),
		WHOLE("BARs of a function that is not on", test_vf_window),
		WHOLE("a peer's driver and its module", test_peer_modules),
		WHOLE("names of drivers", test_driver_names),
		WHOLE("a device that is not to be bound", test_unmanaged),
		WHOLE("start anyway", test_anyway),
		WHOLE("no machine", test_no_machine),
		WHOLE("an initrd without a kernel", test_kernel_words),
		WHOLE("versions of the machine", test_machines),
	};

	return cmocka_run_group_tests_name("check_whole", tests, NULL, NULL);
}
