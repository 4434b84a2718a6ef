/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every rule: it is silent on a machine that is in order, and speaks when one thing is not. */
#include "unit.h"

#include "check.h"
#include "fakesys.h"
#include "manifest.h"

static struct config config;
static struct facts facts;
static struct check_set set;
static struct diag diag;
static int root = -1;

static struct vm_config *const vm = &config.vm[0];

static void give(struct vm_config *to, unsigned slot, const char *bdf)
{
	str_copy(to->hostdev[slot].bdf, sizeof(to->hostdev[slot].bdf), bdf);
}

/* The lab's VM on the lab's machine. */
static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	memset(&diag, 0, sizeof(diag));
	root = fakesys_new();
	fakesys_lab(root);
	fakesys_file(root, "boot/Image", "");
	for (unsigned i = 0; i < HV_VM_SLOTS; i++)
		str_copy(config.vm[i].kernel, sizeof(vm->kernel), "/boot/Image");
	str_copy(vm->name, sizeof(vm->name), "demo");
	give(vm, 0, "0000:41:00.0");
	give(vm, 1, "0000:81:00.0");
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

/* With the facts as they are now. */
static void check_known(unsigned slot)
{
	set = (struct check_set){
		.config = &config,
		.facts = &facts,
		.machine = true,
		.root = root,
	};
	check_plan(&set);
	check_vm(&set, slot, &diag);
}

static void check_slot(unsigned slot)
{
	facts_discover(root, &facts);
	check_known(slot);
	for (unsigned i = 0; i < diag.count; i++)
		assert_int_equal(diag.finding[i].vm, slot);
}

static void check(void)
{
	check_slot(0);
}

static void test_good(void **state)
{
	(void)state;
	check();
	assert_no_finding(&diag);
}

static void test_without_devices(void **state)
{
	(void)state;
	give(vm, 0, "");
	give(vm, 1, "");
	fakesys_remove(root, "dev/iommu");
	check();
	assert_no_finding(&diag);
}

/* --- files and the machine --- */

static void test_qemu(void **state)
{
	(void)state;
	fakesys_remove(root, "usr/bin/qemu-system-aarch64");
	check();
	assert_finding(&diag, DIAG_QEMU_NONE, "demo", "/usr/bin/qemu-system-aarch64");
}

static void test_firmware(void **state)
{
	(void)state;
	fakesys_remove(root, "usr/share/qemu-efi-aarch64/QEMU_EFI.fd");
	check();
	assert_finding(&diag, DIAG_FILE_NONE, "VM0_FIRMWARE", "QEMU_EFI.fd");
}

static void test_kernel(void **state)
{
	(void)state;
	fakesys_remove(root, "boot/Image");
	check();
	assert_finding(&diag, DIAG_FILE_NONE, "VM0_KERNEL", "open /boot/Image: no such file");
}

static void test_initrd(void **state)
{
	(void)state;
	str_copy(vm->initrd, sizeof(vm->initrd), "/boot/initrd");
	check();
	assert_finding(&diag, DIAG_FILE_NONE, "VM0_INITRD", "/boot/initrd");
}

static void test_kvm(void **state)
{
	(void)state;
	fakesys_remove(root, "dev/kvm");
	check();
	assert_finding(&diag, DIAG_KVM_NONE, "demo", "/dev/kvm");
}

static void test_iommufd(void **state)
{
	(void)state;
	fakesys_remove(root, "dev/iommu");
	check();
	assert_finding(&diag, DIAG_IOMMUFD_NONE, "demo", "/dev/iommu");
}

static void test_memory(void **state)
{
	(void)state;
	vm->memory_mib = 4097;
	check();
	assert_finding(&diag, DIAG_MEMORY_SHORT, "VM0_MEMORY_MIB",
		       "4097 MiB wanted; the machine has 4096 MiB");
}

/* VMs that start at boot before this one have their memory; it is pinned. */
static void test_memory_of_others(void **state)
{
	struct vm_config *other = &config.vm[1];

	(void)state;
	vm->memory_mib = other->memory_mib = 2048;
	str_copy(other->name, sizeof(other->name), "other");
	check_slot(0);
	assert_no_finding(&diag);
	check_slot(1);
	assert_finding(&diag, DIAG_MEMORY_SHORT, "VM1_MEMORY_MIB", "other VMs have 2048 MiB");
	memset(&diag, 0, sizeof(diag));
	vm->autostart = false;
	check_slot(1);
	assert_no_finding(&diag);
}

static void test_memory_unknown(void **state)
{
	(void)state;
	fakesys_remove(root, "proc/meminfo");
	vm->memory_mib = 1 << 24;
	check();
	assert_no_finding(&diag);
}

/* --- names --- */

static void test_same_name(void **state)
{
	(void)state;
	str_copy(config.vm[1].name, sizeof(config.vm[1].name), "demo");
	check();
	assert_no_finding(&diag);
	check_slot(1);
	assert_finding(&diag, DIAG_NAME_TAKEN, "VM1_NAME", "VM0_NAME");
}

static void test_name_of_host(void **state)
{
	(void)state;
	str_copy(vm->name, sizeof(vm->name), "host");
	check();
	assert_finding(&diag, DIAG_NAME_TAKEN, "VM0_NAME", "host");
}

/* --- devices --- */

static void test_missing(void **state)
{
	(void)state;
	give(vm, 1, "0000:99:00.0");
	check();
	assert_finding(&diag, DIAG_DEV_NONE, "VM0_HOSTDEV1_BDF",
		       "find 0000:99:00.0: no such PCI device");
}

static void test_bridge(void **state)
{
	(void)state;
	give(vm, 2, "0000:40:00.0");
	check();
	assert_true(diag.count >= 1);
	assert_int_equal(diag.finding[0].code, DIAG_DEV_BRIDGE);
	assert_string_equal(diag.finding[0].subject, "VM0_HOSTDEV2_BDF");
}

static void test_no_smmu(void **state)
{
	static const struct fake_device device = { .bdf = "0000:02:00.0", .group = "7" };

	(void)state;
	fakesys_device(root, &device);
	give(vm, 2, "0000:02:00.0");
	check();
	assert_finding(&diag, DIAG_IOMMU_OFF, "VM0_HOSTDEV2_BDF", "no SMMU");
}

static void test_no_group(void **state)
{
	static const struct fake_device device = { .bdf = "0000:02:00.0", .smmu = "smmu3.x" };

	(void)state;
	fakesys_device(root, &device);
	give(vm, 2, "0000:02:00.0");
	check();
	assert_finding(&diag, DIAG_IOMMU_OFF, "VM0_HOSTDEV2_BDF", "no SMMU");
}

/* Another system lacks what hvinit's kernel has; what it has no device for, its kernel can tell. */
static void test_other_system(void **state)
{
	(void)state;
	fakesys_file(root, "proc/sys/kernel/osrelease", "6.8.0\n");
	fakesys_file(root, "boot/config-6.8.0", "CONFIG_IOMMUFD=m\n");
	fakesys_remove(root, "usr/lib/hvinit/kernel.config");
	fakesys_remove(root, "dev/iommu");
	vm->hugepages = VM_HUGEPAGES_2M;
	check();
	assert_no_finding(&diag);
	set.prepared = true;
	check_vm(&set, 0, &diag);
	assert_true(diag_failures(&diag, 0) > 2);
}

static void test_driver(void **state)
{
	(void)state;
	str_copy(vm->hostdev[0].driver, sizeof(vm->hostdev[0].driver), "nvgrace-gpu-vfio-pci");
	check();
	assert_finding(&diag, DIAG_DRV_NAME, "VM0_HOSTDEV0_DRIVER",
		       "nvgrace-gpu-vfio-pci: no such PCI driver");
}

/* VFIO's drivers only: another one would let the host use the device. */
static void test_host_driver(void **state)
{
	(void)state;
	fakesys_driver(root, "nvme");
	str_copy(vm->hostdev[0].driver, sizeof(vm->hostdev[0].driver), "nvme");
	check();
	assert_finding(&diag, DIAG_DRV_HOST, "VM0_HOSTDEV0_DRIVER", "it is no VFIO driver");
}

static void test_variant_driver(void **state)
{
	(void)state;
	fakesys_driver(root, "nvgrace-gpu-vfio-pci");
	str_copy(vm->hostdev[0].driver, sizeof(vm->hostdev[0].driver), "nvgrace-gpu-vfio-pci");
	check();
	assert_no_finding(&diag);
}

static void test_too_many_devices(void **state)
{
	(void)state;
	facts_discover(root, &facts);
	facts.dropped = 7;
	check_known(0);
	assert_finding(&diag, DIAG_DEV_MANY, "demo", "7 are more than hvinit can hold");
}

/* QEMU's objects and devices share one name space with the manifest's. */
static void test_ids(void **state)
{
	static const char *const taken[] = { "mon0",	 "qmp0", "serial0", "pci.1",   "hostdev0",
					     "smmuv3.0", "ctl0", "ctlbus0", "ctlport0" };

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		memset(&diag, 0, sizeof(diag));
		str_copy(vm->iommufd_id, sizeof(vm->iommufd_id), taken[i]);
		check();
		assert_finding(&diag, DIAG_TOPO_CLASH, "VM0_IOMMUFD_ID", taken[i]);
	}
	(void)state;
}

static void test_twice_in_one(void **state)
{
	(void)state;
	give(vm, 2, "0000:41:00.0");
	check();
	assert_finding(&diag, DIAG_DEV_TWICE, "VM0_HOSTDEV2_BDF", "VM0_HOSTDEV0_BDF");
}

/* The first VM in the manifest keeps the device; the other one is told. */
static void test_twice_in_two(void **state)
{
	(void)state;
	str_copy(config.vm[1].name, sizeof(config.vm[3].name), "other");
	give(&config.vm[1], 0, "0000:81:00.0");
	check();
	assert_no_finding(&diag);
	check_slot(1);
	assert_int_equal(diag.finding[0].code, DIAG_DEV_TWICE);
	assert_string_equal(diag.finding[0].subject, "VM1_HOSTDEV0_BDF");
	assert_non_null(strstr(diag.finding[0].text, "VM0_HOSTDEV1_BDF"));
}

static void test_twice_in_no_vm(void **state)
{
	(void)state;
	give(&config.vm[3], 0, "0000:81:00.0");
	check();
	assert_no_finding(&diag);
}

/* --- groups --- */

static void add_peer(const char *driver, bool bridge)
{
	const struct fake_device device = {
		.bdf = "0000:41:00.1",
		.driver = driver,
		.group = "2",
		.smmu = "smmu3.0x000000000c000000",
		.bridge = bridge,
	};

	fakesys_device(root, &device);
}

static void test_peer_on_driver(void **state)
{
	(void)state;
	add_peer("e1000e", false);
	check();
	assert_finding(&diag, DIAG_GRP_PEERS, "0000:41:00.0",
		       "0000:41:00.1 of the same group is held by the driver e1000e");
}

static void test_peer_free(void **state)
{
	(void)state;
	add_peer(NULL, false);
	check();
	assert_no_finding(&diag);
}

static void test_peer_vfio(void **state)
{
	(void)state;
	add_peer("vfio-pci", false);
	check();
	assert_no_finding(&diag);
}

static void test_peer_bridge(void **state)
{
	(void)state;
	add_peer("pcieport", true);
	check();
	assert_no_finding(&diag);
}

static void test_peer_ours(void **state)
{
	(void)state;
	add_peer("e1000e", false);
	give(vm, 2, "0000:41:00.1");
	check();
	assert_no_finding(&diag);
}

static void test_peer_of_other_vm(void **state)
{
	(void)state;
	add_peer(NULL, false);
	str_copy(config.vm[1].name, sizeof(config.vm[1].name), "other");
	give(&config.vm[1], 0, "0000:41:00.1");
	check();
	assert_finding(&diag, DIAG_GRP_PEERS, "0000:41:00.0", "0000:41:00.1");
}

/* --- topology --- */

static void test_split(void **state)
{
	(void)state;
	vm->hostdev[0].vsmmu = 0;
	vm->hostdev[1].vsmmu = 0;
	check();
	assert_finding(&diag, DIAG_SMMU_SPLIT, "VM0_HOSTDEV1_VSMMU",
		       "it is behind smmu3.0x000000000c020000, the vSMMU stands for "
		       "smmu3.0x000000000c000000");
}

static void test_smmu_driver(void **state)
{
	(void)state;
	str_copy(vm->smmu_driver, sizeof(vm->smmu_driver), "arm-smmuv3-accel");
	check();
	assert_finding(&diag, DIAG_SMMU_DRIVER, "VM0_SMMU_DRIVER",
		       "make a vSMMU of arm-smmuv3-accel: QEMU has arm-smmuv3 only");
	assert_int_equal(diag_failures(&diag, 0), 1);
	vm->start_anyway = true;
	memset(&diag, 0, sizeof(diag));
	check();
	assert_finding(&diag, DIAG_SMMU_DRIVER, "VM0_SMMU_DRIVER", "arm-smmuv3 only");
	assert_int_equal(diag_failures(&diag, 0), 0);
}

/* Without a vSMMU the name is of no matter. */
static void test_smmu_driver_unused(void **state)
{
	(void)state;
	str_copy(vm->smmu_driver, sizeof(vm->smmu_driver), "arm-smmuv3-accel");
	vm->hostdev[0].vsmmu = HV_NONE;
	vm->hostdev[1].vsmmu = HV_NONE;
	check();
	assert_no_finding(&diag);
}

static void test_empty_below(void **state)
{
	(void)state;
	vm->hostdev[0].vsmmu = 0;
	vm->hostdev[1].vsmmu = 2;
	check();
	assert_finding(&diag, DIAG_SMMU_AUTO, "VM0_VSMMU1_ACCEL", "vSMMU 1 has no device");
}

/* Nor has one below a vSMMU that is there for a spare port. */
static void test_empty_below_plain(void **state)
{
	(void)state;
	vm->port[0].bus = 3;
	vm->vsmmu[3].accel = false;
	check();
	assert_finding(&diag, DIAG_SMMU_AUTO, "VM0_VSMMU2_ACCEL", "vSMMU 2 has no device");
}

static void test_empty_above(void **state)
{
	(void)state;
	vm->vsmmu[5].addr = 7;
	check();
	assert_finding(&diag, DIAG_SMMU_AUTO, "VM0_VSMMU5_ACCEL", "vSMMU 5 has no device");
}

static void test_bus_overlap(void **state)
{
	(void)state;
	vm->vsmmu[0].bus_nr = 100;
	vm->vsmmu[1].bus_nr = 101;
	check();
	assert_finding(&diag, DIAG_TOPO_CLASH, "VM0_VSMMU1_BUS_NR", "overlap vSMMU 0's 100 to 101");
}

static void test_bus_beside(void **state)
{
	(void)state;
	vm->vsmmu[0].bus_nr = 100;
	vm->vsmmu[1].bus_nr = 102;
	check();
	assert_no_finding(&diag);
}

static void test_bus_end(void **state)
{
	static const struct fake_device device = {
		.bdf = "0000:42:00.0",
		.group = "9",
		.smmu = "smmu3.0x000000000c000000",
	};

	(void)state;
	vm->vsmmu[0].bus_nr = 254;
	check();
	assert_no_finding(&diag);
	fakesys_device(root, &device);
	give(vm, 2, "0000:42:00.0");
	check();
	assert_finding(&diag, DIAG_TOPO_ROOM, "VM0_VSMMU0_BUS_NR", "254 to 256");
}

struct number_case {
	void (*set)(void);
	const char *subject;
	const char *part;
};

static void set_same_pxb_index(void)
{
	vm->vsmmu[0].pxb_index = vm->vsmmu[1].pxb_index = 5;
}

static void set_same_addr(void)
{
	vm->vsmmu[0].addr = vm->vsmmu[1].addr = 5;
}

static void set_port_on_pxb_index(void)
{
	vm->vsmmu[0].pxb_index = vm->hostdev[1].port_index = 5;
}

static void set_same_port_index(void)
{
	vm->hostdev[0].port_index = vm->hostdev[1].port_index = 5;
}

static void set_same_chassis(void)
{
	vm->hostdev[0].port_chassis = vm->hostdev[1].port_chassis = 0;
}

static void set_addr_of_panic(void)
{
	vm->pvpanic = true;
	vm->vsmmu[1].addr = PLAN_PANIC_ADDR;
}

static void set_addr_of_ctl(void)
{
	vm->ctl = true;
	vm->vsmmu[1].addr = PLAN_CTL_ADDR;
}

static const struct number_case numbers[] = {
	{ set_same_pxb_index, "VM0_VSMMU1_PXB_INDEX", "index 5 is used twice" },
	{ set_same_addr, "VM0_VSMMU1_ADDR", "slot 5 of its bus is used twice: vSMMU 0's pxb-pcie" },
	{ set_port_on_pxb_index, "VM0_HOSTDEV1_PORT_INDEX", "index 5 is used twice" },
	{ set_same_port_index, "VM0_HOSTDEV1_PORT_INDEX", "index 5 is used twice" },
	{ set_same_chassis, "VM0_HOSTDEV1_PORT_CHASSIS", "chassis 0 is used twice" },
	{ set_addr_of_panic, "VM0_VSMMU1_ADDR",
	  "slot 23 of its bus is used twice: the pvpanic device is there" },
	{ set_addr_of_ctl, "VM0_VSMMU1_ADDR",
	  "slot 22 of its bus is used twice: the port of VM_CTL is there" },
};

static void test_number(void **state)
{
	const struct number_case *n = *state;

	n->set();
	check();
	assert_finding(&diag, DIAG_TOPO_CLASH, n->subject, n->part);
}

/* What is not there takes no slot. */
static void test_no_ctl_addr(void **state)
{
	(void)state;
	vm->vsmmu[0].addr = PLAN_PANIC_ADDR;
	vm->vsmmu[1].addr = PLAN_CTL_ADDR;
	check();
	assert_no_finding(&diag);
}

static void test_port_addr(void **state)
{
	static const struct fake_device device = {
		.bdf = "0000:42:00.0",
		.group = "9",
		.smmu = "smmu3.0x000000000c000000",
	};

	(void)state;
	fakesys_device(root, &device);
	give(vm, 2, "0000:42:00.0");
	vm->hostdev[0].port_addr = 3;
	vm->hostdev[1].port_addr = 3;
	check();
	assert_no_finding(&diag);
	vm->hostdev[2].port_addr = 3;
	check();
	assert_finding(&diag, DIAG_TOPO_CLASH, "VM0_HOSTDEV2_PORT_ADDR",
		       "slot 3 of its bus is used twice: root port pci.3");
}

static void test_too_many_smmus(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HV_VSMMU_SLOTS + 1; i++) {
		char bdf[16];
		char smmu[16];
		char group[8];
		const struct fake_device device = { .bdf = bdf, .smmu = smmu, .group = group };

		str_format(bdf, sizeof(bdf), "0001:%02x:00.0", i);
		str_format(smmu, sizeof(smmu), "smmu3.%u", i);
		str_format(group, sizeof(group), "%u", 50 + i);
		fakesys_device(root, &device);
		give(vm, i, bdf);
	}
	check();
	assert_finding(&diag, DIAG_TOPO_ROOM, "demo", "1 devices are behind more physical SMMUs");
}

#define CHECK_CASE(title, function, row) FIXTURE(title, function, setup, teardown, row)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHECK_CASE("a machine in order", test_good, NULL),
		CHECK_CASE("no devices need no iommufd", test_without_devices, NULL),
		CHECK_CASE("no QEMU", test_qemu, NULL),
		CHECK_CASE("no firmware", test_firmware, NULL),
		CHECK_CASE("no kernel", test_kernel, NULL),
		CHECK_CASE("no initrd", test_initrd, NULL),
		CHECK_CASE("no KVM", test_kvm, NULL),
		CHECK_CASE("no iommufd", test_iommufd, NULL),
		CHECK_CASE("more memory than there is", test_memory, NULL),
		CHECK_CASE("memory of other VMs", test_memory_of_others, NULL),
		CHECK_CASE("memory of unknown size", test_memory_unknown, NULL),
		CHECK_CASE("two VMs of one name", test_same_name, NULL),
		CHECK_CASE("a VM called host", test_name_of_host, NULL),
		CHECK_CASE("a missing device", test_missing, NULL),
		CHECK_CASE("a bridge", test_bridge, NULL),
		CHECK_CASE("no SMMU before a device", test_no_smmu, NULL),
		CHECK_CASE("no IOMMU group", test_no_group, NULL),
		CHECK_CASE("no such driver", test_driver, NULL),
		CHECK_CASE("another system", test_other_system, NULL),
		CHECK_CASE("a driver of the host's", test_host_driver, NULL),
		CHECK_CASE("a variant driver", test_variant_driver, NULL),
		CHECK_CASE("more devices than hvinit can hold", test_too_many_devices, NULL),
		CHECK_CASE("ids that are taken", test_ids, NULL),
		CHECK_CASE("a device twice in one VM", test_twice_in_one, NULL),
		CHECK_CASE("a device in two VMs", test_twice_in_two, NULL),
		CHECK_CASE("a slot of no VM holds nothing", test_twice_in_no_vm, NULL),
		CHECK_CASE("a peer on a host driver", test_peer_on_driver, NULL),
		CHECK_CASE("a peer without driver", test_peer_free, NULL),
		CHECK_CASE("a peer on a VFIO driver", test_peer_vfio, NULL),
		CHECK_CASE("a bridge in the group", test_peer_bridge, NULL),
		CHECK_CASE("a peer for the same VM", test_peer_ours, NULL),
		CHECK_CASE("a peer for another VM", test_peer_of_other_vm, NULL),
		CHECK_CASE("two SMMUs behind one vSMMU", test_split, NULL),
		CHECK_CASE("another name for QEMU's SMMU", test_smmu_driver, NULL),
		CHECK_CASE("another name, and no vSMMU", test_smmu_driver_unused, NULL),
		CHECK_CASE("a gap in the vSMMUs", test_empty_below, NULL),
		CHECK_CASE("a gap below a plain vSMMU", test_empty_below_plain, NULL),
		CHECK_CASE("numbers for a vSMMU without device", test_empty_above, NULL),
		CHECK_CASE("buses overlap", test_bus_overlap, NULL),
		CHECK_CASE("buses beside each other", test_bus_beside, NULL),
		CHECK_CASE("buses at the end of the range", test_bus_end, NULL),
		CHECK_CASE("one PXB index twice", test_number, &numbers[0]),
		CHECK_CASE("one PXB slot twice", test_number, &numbers[1]),
		CHECK_CASE("a port with a PXB index", test_number, &numbers[2]),
		CHECK_CASE("one port index twice", test_number, &numbers[3]),
		CHECK_CASE("one chassis twice", test_number, &numbers[4]),
		CHECK_CASE("a PXB in the slot of pvpanic", test_number, &numbers[5]),
		CHECK_CASE("a PXB in the slot of CTL", test_number, &numbers[6]),
		CHECK_CASE("those slots without them", test_no_ctl_addr, NULL),
		CHECK_CASE("one port slot twice", test_port_addr, NULL),
		CHECK_CASE("more SMMUs than vSMMUs", test_too_many_smmus, NULL),
	};

	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
