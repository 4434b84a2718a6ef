/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is inferred, what is kept, and that the first goes around the second. */
#include "unit.h"

#include <stdlib.h>

#include "manifest.h"
#include "plan.h"

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
	assert_non_null(strstr(text, "demo: VM 0, 1024 MiB, 1 CPUs"));
	assert_non_null(strstr(text, "smmu3.a"));
	assert_non_null(strstr(text, "no SMMU"));
	assert_non_null(strstr(text, "not there"));
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
		PLAN_CASE("another VM's plan", test_other_slot),
		PLAN_CASE("printed", test_print),
	};

	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
