/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read of a machine, and of the files that are not there or hold something else. */
#include "unit.h"

#include <sys/inotify.h>

#include "facts.h"
#include "fakesys.h"

static uint64_t bar_bytes(const struct pci_fact *fact)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < FACTS_BARS; i++)
		sum += fact->bar[i].bytes;
	return sum;
}

static struct facts facts;

static const struct pci_fact *look(int root, const char *bdf)
{
	const struct pci_fact *fact;

	facts_discover(root, &facts);
	close(root);
	fact = facts_find(&facts, bdf);
	assert_non_null(fact);
	return fact;
}

static void test_lab(void **state)
{
	int root = fakesys_new();

	(void)state;
	fakesys_lab(root);
	facts_discover(root, &facts);
	close(root);
	assert_int_equal(facts.memory_kib, 4194304);
	assert_true(facts.iommufd);
	assert_true(facts.kvm);
	assert_int_equal(facts.count, 5);
	assert_int_equal(facts.dropped, 0);
	for (unsigned i = 1; i < facts.count; i++)
		assert_true(strcmp(facts.device[i - 1].bdf, facts.device[i].bdf) < 0);
}

static void test_device(void **state)
{
	static const struct fake_device device = {
		.bdf = "0009:01:00.0",
		.driver = "nvme",
		.smmu = "smmu3.0x0000000011000000",
		.group = "27",
		.class = "0x010802\n",
		.resource = "0x0000000000000000 0x0000000000003fff 0x0000000000140204\n"
			    "0x0000000000001000 0x000000000000101f 0x0000000000040101\n"
			    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
			    "0x0000600000000000 0x0000601fffffffff 0x000000000014220c\n"
			    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
			    "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
			    "0x0000000010000000 0x000000001007ffff 0x0000000000046200\n",
	};
	int root = fakesys_new();
	const struct pci_fact *fact;

	(void)state;
	fakesys_device(root, &device);
	fact = look(root, "0009:01:00.0");
	assert_string_equal(fact->driver, "nvme");
	assert_string_equal(fact->smmu, "smmu3.0x0000000011000000");
	assert_int_equal(fact->group, 27);
	assert_int_equal(fact->class, 0x010802);
	assert_int_equal(fact->vendor, 0x8086);
	assert_int_equal(fact->device, 0x0010);
	assert_false(fact->bridge);
	/* Memory BARs count; the I/O BAR and the ROM (the seventh line) do not. */
	assert_true(bar_bytes(fact) == 0x4000 + 0x2000000000);
}

static void test_bare(void **state)
{
	static const struct fake_device device = { .bdf = "0000:01:00.0" };
	int root = fakesys_new();
	const struct pci_fact *fact;

	(void)state;
	fakesys_device(root, &device);
	fact = look(root, "0000:01:00.0");
	assert_string_equal(fact->driver, "");
	assert_string_equal(fact->smmu, "");
	assert_int_equal(fact->group, FACTS_NO_GROUP);
	assert_int_equal(fact->class, 0);
	assert_true(bar_bytes(fact) == 0);
}

static void test_bridge(void **state)
{
	int root = fakesys_new();

	(void)state;
	fakesys_lab(root);
	assert_true(look(root, "0000:40:00.0")->bridge);
}

static void test_strange_files(void **state)
{
	static const struct fake_device device = {
		.bdf = "0000:01:00.0",
		.class = "no number\n",
		.group = "27x",
		.resource = "0x10 zz\nnonsense",
	};
	int root = fakesys_new();
	const struct pci_fact *fact;

	(void)state;
	fakesys_device(root, &device);
	fact = look(root, "0000:01:00.0");
	assert_int_equal(fact->class, 0);
	assert_int_equal(fact->group, FACTS_NO_GROUP);
	assert_true(bar_bytes(fact) == 0);
}

/* A file can be larger than any kernel makes it: it is as if it were not there. */
static void test_large_files(void **state)
{
	static const struct fake_device device = { .bdf = "0000:01:00.0", .smmu = "s" };
	static char large[8192];
	int root = fakesys_new();
	const struct pci_fact *fact;

	(void)state;
	memset(large, '1', sizeof(large) - 1);
	fakesys_device(root, &device);
	fakesys_file(root, "sys/bus/pci/devices/0000:01:00.0/class", large);
	fakesys_file(root, "sys/bus/pci/devices/0000:01:00.0/resource", large);
	fact = look(root, "0000:01:00.0");
	assert_int_equal(fact->class, 0);
	assert_true(bar_bytes(fact) == 0);
}

/* To read it would wake the device: a discovery must not even open it. */
static void test_no_config(void **state)
{
	static const struct fake_device device = { .bdf = "0000:01:00.0" };
	int root = fakesys_new();
	int watch = inotify_init1(IN_NONBLOCK);
	char path[64];
	char event[512];

	(void)state;
	fakesys_device(root, &device);
	fakesys_file(root, "sys/bus/pci/devices/0000:01:00.0/config", "");
	str_format(path, sizeof(path), "/proc/self/fd/%d/sys/bus/pci/devices/0000:01:00.0/config",
		   root);
	assert_true(inotify_add_watch(watch, path, IN_OPEN | IN_ACCESS) >= 0);
	look(root, "0000:01:00.0");
	assert_int_equal(read(watch, event, sizeof(event)), -1);
	close(watch);
}

static void test_empty_machine(void **state)
{
	int root = fakesys_new();

	(void)state;
	fakesys_remove(root, "dev/iommu");
	fakesys_remove(root, "dev/kvm");
	fakesys_remove(root, "proc/meminfo");
	facts_discover(root, &facts);
	close(root);
	assert_int_equal(facts.count, 0);
	assert_false(facts.iommufd);
	assert_false(facts.kvm);
	assert_int_equal(facts.memory_kib, 0);
	assert_null(facts_find(&facts, "0000:01:00.0"));
}

/* Intel's VMD makes domains of five digits; such a name must not be cut to another device's. */
static void test_long_domain(void **state)
{
	static const struct fake_device device = { .bdf = "10000:01:00.0" };
	int root = fakesys_new();

	(void)state;
	fakesys_device(root, &device);
	facts_discover(root, &facts);
	close(root);
	assert_int_equal(facts.count, 0);
}

static void test_too_many(void **state)
{
	int root = fakesys_new();

	(void)state;
	for (unsigned i = 0; i < FACTS_DEVICES + 2; i++) {
		char path[64];

		str_format(path, sizeof(path), "sys/bus/pci/devices/%04x:00:00.0/class", i);
		fakesys_file(root, path, "0x010802\n");
	}
	facts_discover(root, &facts);
	close(root);
	assert_int_equal(facts.count, FACTS_DEVICES);
	assert_int_equal(facts.dropped, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("the lab's machine", test_lab, NULL),
		CASE("a device", test_device, NULL),
		CASE("a device without anything", test_bare, NULL),
		CASE("a bridge", test_bridge, NULL),
		CASE("files that hold something else", test_strange_files, NULL),
		CASE("files that are too large", test_large_files, NULL),
		CASE("configuration space is left alone", test_no_config, NULL),
		CASE("a machine without anything", test_empty_machine, NULL),
		CASE("a domain of five digits", test_long_domain, NULL),
		CASE("more devices than are kept", test_too_many, NULL),
	};

	return cmocka_run_group_tests_name("facts", tests, NULL, fakesys_teardown);
}
