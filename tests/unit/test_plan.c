/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is inferred, what is kept, and that the first goes around the second. */
#include "unit.h"

#include <limits.h>

#include <stdlib.h>

#include "manifest.h"
#include "plan_print.h"

static struct config config;
static struct facts facts;
static struct plan plan;

static struct vm_config *const vm = &config.vm[0];

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	memset(&facts, 0, sizeof(facts));
	str_copy(vm->name, sizeof(vm->name), "demo");
	return 0;
}

/* Puts a device behind an SMMU into the next slot of facts and the given one of the VM. */
static struct hostdev_config *give(unsigned slot, const char *smmu)
{
	struct pci_fact *fact = &facts.device[facts.count++];
	struct hostdev_config *hostdev = &vm->hostdev[slot];

	str_format(fact->bdf, sizeof(fact->bdf), "0000:%02x:00.0", facts.count);
	str_copy(fact->smmu, sizeof(fact->smmu), smmu);
	str_copy(hostdev->bdf, sizeof(hostdev->bdf), fact->bdf);
	return hostdev;
}

static void make_plan(void)
{
	plan_vm(&config, 0, &facts, &plan);
}

static const struct plan_port *port_of(const struct plan_device *d)
{
	return &plan.port[d->port];
}

/* Every number of a plan that should work must be in range and there once. */
static void assert_sound(void)
{
	bool bus[PLAN_BUSES] = { true };
	bool index[PLAN_BUSES] = { true };
	bool addr[PLAN_SLOTS] = { true };
	bool chassis[PLAN_BUSES] = { false };
	bool port[HV_VSMMU_SLOTS][PLAN_SLOTS] = { { false } };

	for (unsigned i = 0; i < plan.vsmmus; i++) {
		const struct plan_vsmmu *v = &plan.vsmmu[i];

		assert_in_range(v->pxb_index, 1, PLAN_BUSES - 1);
		assert_in_range(v->addr, 1, PLAN_SLOTS - 1);
		assert_false(index[v->pxb_index]);
		assert_false(addr[v->addr]);
		index[v->pxb_index] = true;
		addr[v->addr] = true;
		for (int b = v->bus_nr; b <= v->bus_nr + (int)v->ports; b++) {
			assert_in_range(b, 1, PLAN_BUSES - 1);
			assert_false(bus[b]);
			bus[b] = true;
		}
	}
	for (unsigned i = 0; i < plan.devices; i++) {
		const struct plan_device *d = &plan.device[i];

		assert_in_range(d->vsmmu, 0, HV_VSMMU_SLOTS - 1);
		assert_in_range(port_of(d)->index, 1, PLAN_BUSES - 1);
		assert_in_range(port_of(d)->chassis, 0, PLAN_BUSES - 1);
		assert_in_range(port_of(d)->addr, 0, PLAN_SLOTS - 1);
		assert_false(index[port_of(d)->index]);
		assert_false(chassis[port_of(d)->chassis]);
		assert_false(port[d->vsmmu][port_of(d)->addr]);
		index[port_of(d)->index] = true;
		chassis[port_of(d)->chassis] = true;
		port[d->vsmmu][port_of(d)->addr] = true;
	}
}

static void test_nothing(void **state)
{
	(void)state;
	make_plan();
	assert_int_equal(plan.devices, 0);
	assert_int_equal(plan.vsmmus, 0);
}

static void test_two_smmus(void **state)
{
	(void)state;
	give(0, "smmu3.a");
	give(1, "smmu3.b");
	make_plan();
	assert_sound();
	assert_int_equal(plan.vsmmus, 2);
	assert_string_equal(plan.vsmmu[0].smmu, "smmu3.a");
	assert_string_equal(plan.vsmmu[1].smmu, "smmu3.b");
	assert_int_equal(plan.vsmmu[0].bus_nr, 252);
	assert_int_equal(plan.vsmmu[1].bus_nr, 248);
	assert_int_equal(plan.vsmmu[0].addr, 1);
	assert_int_equal(plan.vsmmu[1].addr, 2);
	assert_int_equal(plan.device[0].vsmmu, 0);
	assert_int_equal(plan.device[1].vsmmu, 1);
}

static void test_shared_smmu(void **state)
{
	(void)state;
	give(0, "smmu3.a");
	give(1, "smmu3.b");
	give(2, "smmu3.a");
	make_plan();
	assert_sound();
	assert_int_equal(plan.vsmmus, 2);
	assert_int_equal(plan.vsmmu[0].ports, 2);
	assert_int_equal(plan.vsmmu[1].ports, 1);
	assert_int_equal(plan.device[2].vsmmu, 0);
	assert_int_equal(plan.port[plan.device[2].port].addr, 1);
}

static void test_gap_in_slots(void **state)
{
	(void)state;
	give(0, "smmu3.a");
	give(5, "smmu3.a");
	make_plan();
	assert_sound();
	assert_int_equal(plan.devices, 2);
	assert_int_equal(plan.device[1].slot, 5);
}

/* As large as a manifest can be. */
static void test_full(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HV_HOSTDEV_SLOTS; i++) {
		char smmu[16];

		str_format(smmu, sizeof(smmu), "smmu3.%u", i % HV_VSMMU_SLOTS);
		give(i, smmu);
	}
	make_plan();
	assert_sound();
	assert_int_equal(plan.devices, HV_HOSTDEV_SLOTS);
	assert_int_equal(plan.vsmmus, HV_VSMMU_SLOTS);
	assert_int_equal(plan.homeless, 0);
}

static void test_too_many_smmus(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HV_VSMMU_SLOTS + 2; i++) {
		char smmu[16];

		str_format(smmu, sizeof(smmu), "smmu3.%u", i);
		give(i, smmu);
	}
	make_plan();
	assert_int_equal(plan.homeless, 2);
	assert_int_equal(plan.device[HV_VSMMU_SLOTS].vsmmu, PLAN_NONE);
}

static void test_missing_device(void **state)
{
	(void)state;
	str_copy(vm->hostdev[0].bdf, sizeof(vm->hostdev[0].bdf), "0000:99:00.0");
	make_plan();
	assert_int_equal(plan.devices, 1);
	assert_null(plan.device[0].fact);
}

/* The numbers, all set by hand. */
static void test_by_hand(void **state)
{
	static const struct hostdev_config port[] = {
		{ .port_index = 21, .port_chassis = 21, .port_nr = 0, .port_addr = 0 },
		{ .port_index = 22, .port_chassis = 22, .port_nr = 168, .port_addr = 0 },
	};

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct hostdev_config *h = give(i, i ? "smmu3.b" : "smmu3.a");

		h->vsmmu = i;
		h->port_index = port[i].port_index;
		h->port_chassis = port[i].port_chassis;
		h->port_nr = port[i].port_nr;
		h->port_addr = port[i].port_addr;
		vm->vsmmu[i].pxb_index = i + 1;
		vm->vsmmu[i].bus_nr = 252 - 4 * i;
		vm->vsmmu[i].addr = i + 1;
	}
	make_plan();
	assert_sound();
	assert_int_equal(plan.port[plan.device[1].port].index, 22);
	assert_int_equal(plan.port[plan.device[1].port].nr, 168);
	assert_int_equal(plan.vsmmu[1].bus_nr, 248);
}

static void test_hand_set_order(void **state)
{
	(void)state;
	give(0, "smmu3.a")->vsmmu = 1;
	give(1, "smmu3.b")->vsmmu = 0;
	give(2, "smmu3.a");
	make_plan();
	assert_sound();
	assert_string_equal(plan.vsmmu[0].smmu, "smmu3.b");
	assert_string_equal(plan.vsmmu[1].smmu, "smmu3.a");
	assert_int_equal(plan.device[2].vsmmu, 1);
}

/* A device may have a vSMMU for itself, although its neighbour shares the physical one. */
static void test_one_for_itself(void **state)
{
	(void)state;
	give(0, "smmu3.a");
	give(1, "smmu3.a")->vsmmu = 1;
	make_plan();
	assert_int_equal(plan.device[1].vsmmu, 1);
	assert_int_equal(plan.device[0].vsmmu, 1);
	assert_int_equal(plan.vsmmu[0].ports, 0);
}

/* A number that a person has set is never given to anything that is inferred. */
static void test_around_indexes(void **state)
{
	(void)state;
	give(0, "smmu3.a")->port_index = 1;
	give(1, "smmu3.b")->port_chassis = 3;
	give(2, "smmu3.b")->port_addr = 0;
	vm->vsmmu[1].pxb_index = 2;
	vm->vsmmu[1].addr = 1;
	make_plan();
	assert_sound();
	assert_int_equal(plan.port[plan.device[0].port].index, 1);
	assert_int_equal(plan.port[plan.device[1].port].chassis, 3);
	assert_int_equal(plan.port[plan.device[2].port].addr, 0);
	assert_int_equal(plan.vsmmu[1].pxb_index, 2);
	assert_int_equal(plan.vsmmu[1].addr, 1);
}

/* The same for buses, wherever in the range the hand-set one is. */
static void test_around_buses(void **state)
{
	static const int64_t by_hand[] = { 1, 2, 4, 100, 247, 248, 250, 251, 252, 253, 254 };

	for (size_t i = 0; i < ARRAY_SIZE(by_hand); i++)
		for (unsigned v = 0; v < 3; v++) {
			setup(state);
			give(0, "smmu3.a");
			give(1, "smmu3.b");
			give(2, "smmu3.c");
			vm->vsmmu[v].bus_nr = by_hand[i];
			make_plan();
			assert_sound();
			assert_int_equal(plan.vsmmu[v].bus_nr, by_hand[i]);
		}
}

static void test_clash_is_kept(void **state)
{
	(void)state;
	give(0, "smmu3.a");
	give(1, "smmu3.b");
	vm->vsmmu[0].bus_nr = 100;
	vm->vsmmu[1].bus_nr = 101;
	vm->vsmmu[0].addr = 5;
	vm->vsmmu[1].addr = 5;
	make_plan();
	assert_int_equal(plan.vsmmu[1].bus_nr, 101);
	assert_int_equal(plan.vsmmu[1].addr, 5);
}

static void test_memlock(void **state)
{
	(void)state;
	give(0, "smmu3.a");
	facts.device[0].bar[2].bytes = (uint64_t)128 << 30;
	vm->memory_mib = 16777216;
	make_plan();
	assert_true(plan.memlock >= ((uint64_t)16777216 << 20) + ((uint64_t)128 << 30));
	assert_true(plan.memlock < ((uint64_t)16777216 << 20) + ((uint64_t)129 << 30));
}

/* Tables for the guest's memory, and more of them with each SMMU; huge pages are not charged. */
static void test_limits(void **state)
{
	(void)state;
	give(0, "smmu3.a");
	vm->memory_mib = 51200;
	vm->cpus = 16;
	make_plan();
	assert_int_equal(plan.memory_max >> 20, 51200 + 256 + 500 + 8 + 64);
	assert_int_equal(plan.tasks_max, 144);
	give(1, "smmu3.b");
	make_plan();
	assert_int_equal(plan.memory_max >> 20, 51200 + 256 + 600 + 16 + 64);
	vm->hugepages = VM_HUGEPAGES_2M;
	vm->tasks_max = 40;
	make_plan();
	assert_int_equal(plan.memory_max >> 20, 256 + 600 + 16 + 64);
	assert_int_equal(plan.tasks_max, 40);
	facts.device[0].bar[2].bytes = (uint64_t)10240 << 20;
	vm->uefi_vars = VM_UEFI_VARS_KEEP;
	str_copy(vm->disk[0].path, sizeof(vm->disk[0].path), "/a");
	vm->disk[0].aio = DISK_AIO_IO_URING;
	vm->tasks_max = HV_AUTO;
	make_plan();
	assert_int_equal(plan.memory_max >> 20, 256 + 128 + 720 + 64 + 16 + 64);
	assert_int_equal(plan.tasks_max, 272);
	vm->overhead_mib = 333;
	make_plan();
	assert_int_equal(plan.memory_max >> 20, 333);
}

/* PCI Express: VF n is at the PF's routing id + First VF Offset + n * VF Stride. */
static void test_vf_address(void **state)
{
	struct pci_fact pf = { .vfs_total = 8, .vf_offset = 128, .vf_stride = 2 };
	char bdf[SYS_BDF];

	(void)state;
	str_copy(pf.bdf, sizeof(pf.bdf), "0002:41:00.1");
	assert_true(plan_vf(&pf, 0, bdf));
	assert_string_equal(bdf, "0002:41:10.1");
	assert_true(plan_vf(&pf, 7, bdf));
	assert_string_equal(bdf, "0002:41:11.7");
	assert_false(plan_vf(&pf, 8, bdf));
	assert_false(plan_vf(&pf, -1, bdf));
	pf.vf_offset = 0x180;
	assert_true(plan_vf(&pf, 0, bdf));
	assert_string_equal(bdf, "0002:42:10.1");
	str_copy(pf.bdf, sizeof(pf.bdf), "0002:ff:00.0");
	assert_false(plan_vf(&pf, 0, bdf));
}

/* A virtual function that is not on yet is behind its physical function's SMMU. */
static void test_vf(void **state)
{
	struct pci_fact *pf;

	(void)state;
	give(0, "smmu3.a")->vf = 1;
	pf = &facts.device[0];
	pf->vfs_total = 4;
	pf->vf_offset = 0x80;
	pf->vf_stride = 1;
	make_plan();
	assert_sound();
	assert_string_equal(plan.device[0].bdf, "0000:01:10.1");
	assert_ptr_equal(plan.device[0].pf, pf);
	assert_null(plan.device[0].fact);
	assert_false(plan.device[0].absent);
	assert_string_equal(plan.vsmmu[0].smmu, "smmu3.a");
	pf->vfs_total = 1;
	make_plan();
	assert_string_equal(plan.device[0].bdf, "");
}

static void test_optional(void **state)
{
	(void)state;
	give(0, "smmu3.a");
	str_copy(vm->hostdev[1].bdf, sizeof(vm->hostdev[1].bdf), "0000:99:00.0");
	vm->hostdev[1].optional = true;
	give(2, "smmu3.a")->optional = true;
	make_plan();
	assert_true(plan.device[1].absent);
	assert_int_equal(plan.device[1].port, PLAN_NONE);
	assert_false(plan.device[2].absent);
	assert_int_equal(plan.ports, 2);
	assert_int_equal(plan.vsmmu[0].ports, 2);
}

/* libvirt's own layout of ports without SMMUs: functions of one slot, the last one spare. */
static void test_root_ports(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct hostdev_config *h = give(i, "smmu3.a");

		h->vsmmu = HV_NONE;
		h->port_addr = 1;
		h->port_function = i;
	}
	vm->port[0].bus = HV_ROOT;
	vm->port[0].addr = 1;
	vm->port[0].function = 2;
	make_plan();
	assert_int_equal(plan.vsmmus, 0);
	assert_int_equal(plan.ports, 3);
	assert_int_equal(plan.device[0].vsmmu, PLAN_ROOT);
	assert_true(plan.port[0].multifunction);
	assert_false(plan.port[1].multifunction);
	assert_int_equal(plan.port[2].device, PLAN_NONE);
	assert_int_equal(plan.port[2].index, 3);
	assert_int_equal(plan.port[2].function, 2);
}

static void test_ports_of_their_own(void **state)
{
	(void)state;
	give(0, "smmu3.a")->vsmmu = HV_NONE;
	give(1, "smmu3.a")->vsmmu = HV_NONE;
	make_plan();
	assert_int_equal(plan.port[0].addr, 1);
	assert_int_equal(plan.port[1].addr, 2);
	assert_false(plan.port[0].multifunction);
}

/* An emulated vSMMU with a disk behind it, beside an accelerated one with a device. */
static void test_emulated_vsmmu(void **state)
{
	(void)state;
	give(0, "smmu3.a");
	vm->vsmmu[0].accel = false;
	vm->port[0].bus = 0;
	str_copy(vm->disk[0].path, sizeof(vm->disk[0].path), "/disk");
	vm->disk[0].port = 0;
	make_plan();
	assert_sound();
	assert_int_equal(plan.vsmmus, 2);
	assert_int_equal(plan.device[0].vsmmu, 1);
	assert_int_equal(plan.vsmmu[0].ports, 1);
	assert_int_equal(plan.vsmmu[0].devices, 0);
	assert_int_equal(plan.port[plan.disk[0].port].vsmmu, 0);
	vm->disk[0].port = 3;
	make_plan();
	assert_int_equal(plan.disk[0].port, PLAN_NONE);
}

/* Emulated devices keep their slots whatever else the guest gets. */
static void test_fixed_slots(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HV_DISK_SLOTS; i++)
		str_copy(vm->disk[i].path, sizeof(vm->disk[i].path), "/disk");
	for (unsigned i = 0; i < HV_NET_SLOTS; i++)
		str_copy(vm->net[i].bridge, sizeof(vm->net[i].bridge), "lan");
	make_plan();
	assert_int_equal(plan.disks, HV_DISK_SLOTS);
	assert_int_equal(plan.nets, HV_NET_SLOTS);
	assert_int_equal(plan.disk[0].addr, 31);
	assert_int_equal(plan.disk[3].addr, 28);
	assert_int_equal(plan.net[0].addr, 27);
	assert_int_equal(plan.net[3].addr, 24);
	for (unsigned i = 0; i < HV_HOSTDEV_SLOTS; i++)
		give(i, "smmu3.a")->vsmmu = HV_NONE;
	make_plan();
	assert_int_equal(plan.port[15].addr, 16);
	assert_int_equal(plan.disk[3].addr, 28);
}

static void test_macs(void **state)
{
	char first[PLAN_MAC];

	(void)state;
	str_copy(vm->net[0].bridge, sizeof(vm->net[0].bridge), "lan");
	str_copy(vm->net[1].bridge, sizeof(vm->net[1].bridge), "lan");
	make_plan();
	assert_string_equal(plan.mac[0], "");
	str_copy(vm->uuid, sizeof(vm->uuid), "8f4c2a10-0000-4000-8000-0000000000af");
	make_plan();
	assert_int_equal(strlen(plan.mac[0]), PLAN_MAC - 1);
	assert_memory_equal(plan.mac[0], "52:", 3);
	assert_string_not_equal(plan.mac[0], plan.mac[1]);
	str_copy(first, sizeof(first), plan.mac[0]);
	make_plan();
	assert_string_equal(plan.mac[0], first);
	str_copy(vm->net[0].mac, sizeof(vm->net[0].mac), "52:54:00:00:00:01");
	make_plan();
	assert_string_equal(plan.mac[0], "52:54:00:00:00:01");
}

static void test_window(void **state)
{
	(void)state;
	give(0, "smmu3.a");
	facts.device[0].bar[2] = (struct bar_fact){ .bytes = UINT64_C(128) << 30, .wide = true };
	make_plan();
	assert_true(plan.mmio64_gib == 512);
	facts.device[0].bar[4] = (struct bar_fact){ .bytes = UINT64_C(129) << 30, .wide = true };
	make_plan();
	assert_true(plan.mmio64_gib == 1024);
	facts.device[0].bar[4].wide = false;
	make_plan();
	assert_true(plan.mmio64_gib == 512);
	vm->mmio64_gib = 2048;
	make_plan();
	assert_true(plan.mmio64_gib == 2048);
	/* A record may claim anything; it must come to an end. */
	vm->mmio64_gib = HV_AUTO;
	facts.device[0].bar[4] = (struct bar_fact){ .bytes = UINT64_MAX, .wide = true };
	make_plan();
}

static void test_pages(void **state)
{
	(void)state;
	vm->memory_mib = 1025;
	make_plan();
	assert_true(plan.pages == 0);
	vm->hugepages = VM_HUGEPAGES_2M;
	make_plan();
	assert_true(plan.pages == 513);
	vm->hugepages = VM_HUGEPAGES_1G;
	make_plan();
	assert_true(plan.pages == 2);
}

static void test_driver(void **state)
{
	(void)state;
	give(0, "smmu3.a");
	str_copy(facts.device[0].variant, SYS_NAME, "nvgrace_gpu_vfio_pci");
	make_plan();
	assert_string_equal(plan_driver(&plan.device[0]), "nvgrace_gpu_vfio_pci");
	str_copy(vm->hostdev[0].driver, sizeof(vm->hostdev[0].driver), "vfio-pci");
	assert_string_equal(plan_driver(&plan.device[0]), "vfio-pci");
}

static void test_gi_nodes(void **state)
{
	(void)state;
	give(0, "smmu3.a");
	give(1, "smmu3.b")->gi_nodes = 2;
	facts.device[0].gi_nodes = 8;
	facts.device[1].gi_nodes = 8;
	make_plan();
	assert_int_equal(plan.device[0].gi_nodes, 8);
	assert_int_equal(plan.device[1].gi_nodes, 2);
	assert_int_equal(plan.gi_nodes, 10);
	vm->hostdev[1].gi_nodes = HV_AUTO;
	facts.device[0].gi_nodes = 1U << 31;
	facts.device[1].gi_nodes = 1U << 31;
	make_plan();
	assert_int_equal(plan.gi_nodes, UINT_MAX);
}

/* As many root ports as there can be, which go around what has a slot of its own. */
static void test_around_fixed_slots(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HV_HOSTDEV_SLOTS; i++)
		give(i, "smmu3.a")->vsmmu = HV_NONE;
	for (unsigned i = 0; i < HV_PORT_SLOTS; i++)
		vm->port[i].bus = HV_ROOT;
	make_plan();
	assert_int_equal(plan.ports, 24);
	assert_int_equal(plan.port[23].addr, 24);
	vm->pvpanic = vm->ctl = true;
	make_plan();
	for (unsigned i = 0; i < plan.ports; i++) {
		assert_int_not_equal(plan.port[i].addr, PLAN_PANIC_ADDR);
		assert_int_not_equal(plan.port[i].addr, PLAN_CTL_ADDR);
	}
	assert_int_equal(plan.port[23].addr, 26);
}

static void test_other_slot(void **state)
{
	(void)state;
	give(0, "smmu3.a");
	plan_vm(&config, 3, &facts, &plan);
	assert_int_equal(plan.slot, 3);
	assert_int_equal(plan.devices, 0);
}

static void test_print(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	give(0, "smmu3.a");
	give(1, "");
	str_copy(vm->hostdev[2].bdf, sizeof(vm->hostdev[2].bdf), "0000:99:00.0");
	make_plan();
	plan_print(&plan, out);
	fclose(out);
	assert_non_null(strstr(text, "demo (VM 0)\n  memory    1024 MiB\n"));
	assert_non_null(strstr(text, "smmu3.a"));
	assert_non_null(strstr(text, "0000:02:00.0  other"));
	assert_non_null(strstr(text, "0000:99:00.0  ?"));
	free(text);
}

/* What has a slot of its own is drawn at it, the last with the last branch. */
static void test_print_emulated(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	vm->pvpanic = vm->ctl = true;
	make_plan();
	plan_print(&plan, out);
	fclose(out);
	assert_non_null(strstr(text, "  pcie.0\n"
				     "  ├─ slot 22: port of CTL\n"
				     "  └─ slot 23: pvpanic\n"));
	free(text);
}

#define PLAN_CASE(title, function) FIXTURE(title, function, setup, NULL, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLAN_CASE("no devices", test_nothing),
		PLAN_CASE("two SMMUs", test_two_smmus),
		PLAN_CASE("devices that share an SMMU", test_shared_smmu),
		PLAN_CASE("a gap in the slots", test_gap_in_slots),
		PLAN_CASE("a full manifest", test_full),
		PLAN_CASE("more SMMUs than vSMMUs", test_too_many_smmus),
		PLAN_CASE("a device that is not there", test_missing_device),
		PLAN_CASE("all numbers by hand", test_by_hand),
		PLAN_CASE("vSMMUs in a hand-set order", test_hand_set_order),
		PLAN_CASE("a hand-set vSMMU attracts its neighbours", test_one_for_itself),
		PLAN_CASE("inference goes around hand-set indexes", test_around_indexes),
		PLAN_CASE("inference goes around hand-set buses", test_around_buses),
		PLAN_CASE("hand-set clashes are kept for the check", test_clash_is_kept),
		PLAN_CASE("locked memory", test_memlock),
		PLAN_CASE("limits of the control group", test_limits),
		PLAN_CASE("addresses of virtual functions", test_vf_address),
		PLAN_CASE("a virtual function", test_vf),
		PLAN_CASE("optional devices", test_optional),
		PLAN_CASE("root ports on pcie.0", test_root_ports),
		PLAN_CASE("each root port a slot of its own", test_ports_of_their_own),
		PLAN_CASE("an emulated vSMMU", test_emulated_vsmmu),
		PLAN_CASE("slots of emulated devices", test_fixed_slots),
		PLAN_CASE("inference goes around slots of emulated devices",
			  test_around_fixed_slots),
		PLAN_CASE("Ethernet addresses", test_macs),
		PLAN_CASE("the 64-bit window", test_window),
		PLAN_CASE("huge pages", test_pages),
		PLAN_CASE("the best driver", test_driver),
		PLAN_CASE("generic-initiator nodes", test_gi_nodes),
		PLAN_CASE("another VM's plan", test_other_slot),
		PLAN_CASE("printed", test_print),
		PLAN_CASE("printed, with emulated devices", test_print_emulated),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
