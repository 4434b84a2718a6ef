/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is read of a machine, and of the files that are not there or hold something else. */
#include "unit.h"

#include <fcntl.h>
#include <sys/inotify.h>

#include "facts.h"
#include "fakesys.h"
#include "smmu.h"

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
	assert_int_equal(facts.hvinit, KNOWN_YES);
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

static void put(int root, const char *bdf, const char *attr, const char *text)
{
	char path[128];

	str_format(path, sizeof(path), "sys/bus/pci/devices/%s/%s", bdf, attr);
	fakesys_file(root, path, text);
}

static void test_endpoint(void **state)
{
	static const struct fake_device device = { .bdf = "0009:01:00.0" };
	int root = fakesys_new();
	const struct pci_fact *fact;

	(void)state;
	fakesys_device(root, &device);
	put(root, device.bdf, "subsystem_vendor", "0x10de\n");
	put(root, device.bdf, "subsystem_device", "0x16c1\n");
	put(root, device.bdf, "numa_node", "3\n");
	put(root, device.bdf, "reset_method", "flr bus\n");
	put(root, device.bdf, "iommu_group/reserved_regions",
	    "0x0000000008000000 0x00000000080fffff msi\n"
	    "0x0000000009000000 0x00000000090fffff direct-relaxable\n");
	fact = look(dup(root), device.bdf);
	assert_int_equal(fact->subvendor, 0x10de);
	assert_int_equal(fact->subdevice, 0x16c1);
	assert_int_equal(fact->node, 3);
	assert_string_equal(fact->reset, "flr bus");
	assert_int_equal(fact->direct, KNOWN_NO);
	put(root, device.bdf, "numa_node", "-1\n");
	put(root, device.bdf, "iommu_group/reserved_regions",
	    "0x0000000009000000 0x00000000090fffff direct\n"
	    "0x0000000008000000 0x00000000080fffff msi\n");
	fact = look(root, device.bdf);
	assert_int_equal(fact->node, FACTS_NO_NODE);
	assert_int_equal(fact->direct, KNOWN_YES);
}

/* igb's VFs 0 and 1 (offset 384, stride 2), a device that is none of its VFs, and a lone VF. */
/* The kernel's link tells a driver's module; most are called the same. */
static void test_modules(void **state)
{
	static const struct fake_device usb = { .bdf = "0000:01:00.0", .driver = "xhci_hcd" };
	static const struct fake_device disk = { .bdf = "0000:02:00.0", .driver = "vfio-pci" };
	int root = fakesys_new();

	(void)state;
	fakesys_device(root, &usb);
	fakesys_device(root, &disk);
	fakesys_link(root, "sys/bus/pci/drivers/xhci_hcd/module", "../../../../module/xhci_pci");
	fakesys_link(root, "sys/bus/pci/drivers/vfio-pci/module", "../../../../module/vfio_pci");
	look(root, "0000:01:00.0");
	assert_string_equal(facts_driver(&facts, "xhci_hcd")->from, "xhci_pci");
	assert_string_equal(facts_driver(&facts, "vfio-pci")->from, "");
}

static void test_vfs(void **state)
{
	static const char pf[] = "0000:81:00.0";
	static const struct {
		const char *bdf;
		const char *pf;
		int vf;
	} rows[] = {
		{ "0000:82:10.0", "0000:81:00.0", 0 }, /* 0x8100 + 0x180 = 0x8280 */
		{ "0000:82:10.2", "0000:81:00.0", 1 },
		{ "0000:82:10.1", "0000:81:00.0", FACTS_NO_VF },
		{ "0000:82:00.0", "0000:81:00.0", FACTS_NO_VF },
		{ "0000:83:10.2", "0000:99:00.0", FACTS_NO_VF },
	};
	int root = fakesys_new();

	(void)state;
	put(root, pf, "sriov_totalvfs", "8\n");
	put(root, pf, "sriov_numvfs", "2\n");
	put(root, pf, "sriov_offset", "384\n");
	put(root, pf, "sriov_stride", "2\n");
	put(root, pf, "resource",
	    "0x0 0x0 0x0\n0x0 0x0 0x0\n0x0 0x0 0x0\n0x0 0x0 0x0\n0x0 0x0 0x0\n0x0 0x0 0x0\n"
	    "0x0000000010000000 0x000000001007ffff 0x0000000000046200\n"
	    "0x0000600000000000 0x00006003ffffffff 0x000000000014220c\n"
	    "0x0 0x0 0x0\n0x0000600400000000 0x000060040001ffff 0x0000000000140204\n"
	    "0x0 0x0 0x0\n0x0 0x0 0x0\n0x0 0x0 0x0\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char path[128];
		char target[64];

		put(root, rows[i].bdf, "class", "0x020000\n");
		str_format(path, sizeof(path), "sys/bus/pci/devices/%s/physfn", rows[i].bdf);
		str_format(target, sizeof(target), "../%s", rows[i].pf);
		fakesys_link(root, path, target);
	}
	assert_int_equal(look(root, pf)->vfs, 2);
	assert_int_equal(facts_find(&facts, pf)->vfs_total, 8);
	assert_int_equal(facts_find(&facts, pf)->vf_offset, 384);
	assert_int_equal(facts_find(&facts, pf)->vf_stride, 2);
	assert_string_equal(facts_find(&facts, pf)->pf, "");
	assert_int_equal(bar_bytes(facts_find(&facts, pf)), 0);
	/* The lines are for all eight. */
	assert_int_equal(facts_find(&facts, pf)->vf_bar[0].bytes, UINT64_C(2) << 30);
	assert_true(facts_find(&facts, pf)->vf_bar[0].prefetch);
	assert_int_equal(facts_find(&facts, pf)->vf_bar[2].bytes, 16384);
	assert_true(facts_find(&facts, pf)->vf_bar[2].wide);
	assert_false(facts_find(&facts, pf)->vf_bar[2].prefetch);
	assert_int_equal(facts_find(&facts, pf)->vf_bar[1].bytes, 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_string_equal(facts_find(&facts, rows[i].bdf)->pf, rows[i].pf);
		assert_int_equal(facts_find(&facts, rows[i].bdf)->vf, rows[i].vf);
	}
}

#define NODE(n) "sys/devices/system/node/node" #n "/"

static void test_nodes(void **state)
{
	int root = fakesys_new();

	(void)state;
	fakesys_file(root, "sys/devices/system/cpu/online", "0-3\n");
	fakesys_file(root, "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "5\n");
	fakesys_file(root, "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "4\n");
	facts_discover(root, &facts);
	assert_int_equal(facts.nodes, 1);
	assert_int_equal(facts.node[0].memory_kib, 4194304);
	assert_int_equal(cpulist_count(&facts.node[0].cpus), 4);
	assert_int_equal(facts.node[0].huge_total[FACTS_PAGE_2M], 5);
	assert_int_equal(facts.node[0].huge_free[FACTS_PAGE_2M], 4);
	assert_true(facts.huge[FACTS_PAGE_2M]);
	assert_false(facts.huge[FACTS_PAGE_1G]);
	fakesys_file(root, NODE(10) "meminfo", "\nNode 10 MemTotal:        1024 kB\n");
	fakesys_file(root, NODE(2) "meminfo",
		     "Node 2 MemTotal:       2097152 kB\nNode 2 MemFree: 1 kB\n");
	fakesys_file(root, NODE(2) "cpulist", "2-3\n");
	fakesys_file(root, NODE(2) "hugepages/hugepages-1048576kB/nr_hugepages", "1\n");
	fakesys_file(root, "sys/devices/system/node/has_generic_initiator", "3-4,10\n");
	fakesys_file(root, "sys/devices/system/node/nodes", "");
	facts_discover(root, &facts);
	close(root);
	assert_int_equal(facts.nodes, 2);
	assert_int_equal(facts.node[0].id, 2);
	assert_int_equal(facts.node[0].memory_kib, 2097152);
	assert_true(cpulist_has(&facts.node[0].cpus, 3));
	assert_false(cpulist_has(&facts.node[0].cpus, 1));
	assert_int_equal(facts.node[0].huge_total[FACTS_PAGE_1G], 1);
	assert_false(facts.node[0].initiator);
	assert_ptr_equal(facts_node(&facts, 10), &facts.node[1]);
	assert_true(facts.node[1].initiator);
	assert_int_equal(cpulist_count(&facts.node[1].cpus), 0);
	assert_null(facts_node(&facts, 0));
}

#define IOMMU "sys/class/iommu/smmu3.0x000000000c0"

static void test_smmus(void **state)
{
	int root = fakesys_new();
	const struct smmu_fact *smmu;

	(void)state;
	fakesys_lab(root);
	fakesys_link(root, IOMMU "00000/device", "../../../arm-smmu-v3.0.auto");
	fakesys_link(root, IOMMU "20000/device", "../../../arm-smmu-v3.1.auto");
	fakesys_link(root, IOMMU "40000/device", "../../../arm-smmu-v3.2.auto");
	fakesys_file(
		root, "var/log/dmesg",
		"[    0.1] arm-smmu-v3 arm-smmu-v3.0.auto: option mask 0x0\n"
		"<6>[    0.2] arm-smmu-v3 arm-smmu-v3.1.auto: oas 48-bit (features 0x01088705)\n"
		"arm-smmu-v3 arm-smmu-v3.2.auto: oas many-bit (features 0x1)\n"
		"[    0.3] arm-smmu-v3 arm-smmu-v3.9.auto: oas 44-bit (features 0x1)\n");
	facts_discover(root, &facts);
	close(root);
	assert_int_equal(facts.smmus, 3);
	smmu = facts_smmu(&facts, "smmu3.0x000000000c020000");
	assert_true(smmu->has_features);
	assert_int_equal(smmu->features, 0x01088705);
	assert_int_equal(smmu->oas, 48);
	assert_int_equal(smmu->canwbs, KNOWN_UNKNOWN);
	assert_false(facts.smmu[0].has_features);
	assert_false(facts.smmu[2].has_features);
	assert_null(facts_smmu(&facts, "smmu3.0x0"));
}

/* Of the distribution on which a machine is recorded: another form, and fewer bits. */
static void test_old_kernel(void **state)
{
	int root = fakesys_new();
	const struct smmu_fact *smmu;

	(void)state;
	fakesys_lab(root);
	fakesys_file(root, "proc/sys/kernel/osrelease", "5.14.0-503.el9.aarch64\n");
	fakesys_link(root, IOMMU "00000/device", "../../../arm-smmu-v3.0.auto");
	fakesys_link(root, IOMMU "20000/device", "../../../arm-smmu-v3.1.auto");
	fakesys_file(root, "var/log/dmesg",
		     "[    0.1] arm-smmu-v3 arm-smmu-v3.0.auto: ias 48-bit, oas 44-bit "
		     "(features 0x00001fff)\n"
		     "[    0.1] arm-smmu-v3 arm-smmu-v3.1.auto: ias 48-bit oas 44-bit "
		     "(features 0x00001fff)\n");
	facts_discover(root, &facts);
	close(root);
	smmu = facts_smmu(&facts, "smmu3.0x000000000c000000");
	assert_true(smmu->has_features);
	assert_int_equal(smmu->features, 0x1fff);
	assert_int_equal(smmu->oas, 44);
	assert_int_equal(smmu->untold, SMMU_FEAT_NESTING | SMMU_FEAT_S2FWB);
	assert_false(facts_smmu(&facts, "smmu3.0x000000000c020000")->has_features);
}

static void put_bytes(int root, const char *path, const unsigned char *bytes, size_t len)
{
	int fd;

	fakesys_file(root, path, "");
	fd = openat(root, path, O_WRONLY);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

/* The lab's first SMMU with CANWBS, the second without; a generic initiator for one device. */
static void test_tables(void **state)
{
	static const unsigned char iort[] = {
		'I',
		'O',
		'R',
		'T',
		232,
		0,
		0,
		0,
		[36] = 4,
		[40] = 48,
		/* SMMUv3 at 48: its base is 0x0c000000 */
		[48] = 4,
		36,
		0,
		[48 + 19] = 0x0c,
		/* SMMUv3 at 84: 0x0c020000 */
		[84] = 4,
		36,
		0,
		[84 + 18] = 0x02,
		0x0c,
		/* root complexes at 120 and 176, each with one mapping */
		[120] = 2,
		56,
		0,
		[120 + 8] = 1,
		[120 + 12] = 36,
		[120 + 23] = 7,
		[120 + 36 + 12] = 48,
		[176] = 2,
		56,
		0,
		[176 + 8] = 1,
		[176 + 12] = 36,
		[176 + 23] = 3,
		[176 + 36 + 12] = 84,
		[231] = 0,
	};
	static const unsigned char srat[] = {
		'S', 'R', 'A', 'T',	 80, 0, 0,    0,	[48] = 5,
		32,  0,	  1,   [56] = 0, 0,  0, 0x81, [72] = 1, [79] = 0,
	};
	int root = fakesys_new();

	(void)state;
	fakesys_lab(root);
	put_bytes(root, "sys/firmware/acpi/tables/IORT", iort, sizeof(iort));
	put_bytes(root, "sys/firmware/acpi/tables/SRAT", srat, sizeof(srat));
	facts_discover(root, &facts);
	close(root);
	assert_int_equal(facts_smmu(&facts, "smmu3.0x000000000c000000")->canwbs, KNOWN_YES);
	assert_int_equal(facts_smmu(&facts, "smmu3.0x000000000c020000")->canwbs, KNOWN_NO);
	assert_int_equal(facts_find(&facts, "0000:81:00.0")->gi_nodes, 1);
	assert_int_equal(facts_find(&facts, "0000:41:00.0")->gi_nodes, 0);
}

static void test_drivers(void **state)
{
	static const struct fake_device device = { .bdf = "0000:01:00.0", .driver = "nvme" };
	int root = fakesys_new();

	(void)state;
	fakesys_device(root, &device);
	fakesys_driver(root, "nvme");
	fakesys_driver(root, "e1000e"); /* nobody has it: it is of no use to know of it */
	facts_discover(root, &facts);
	close(root);
	assert_int_equal(facts.drivers, 2);
	assert_ptr_equal(facts_driver(&facts, "nvme"), &facts.driver[0]);
	assert_ptr_equal(facts_driver(&facts, "vfio-pci"), &facts.driver[1]);
	assert_null(facts_driver(&facts, "e1000e"));
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
	assert_int_equal(facts.hvinit, KNOWN_NO);
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
		CASE("what only an endpoint has", test_endpoint, NULL),
		CASE("drivers' modules", test_modules, NULL),
		CASE("virtual functions", test_vfs, NULL),
		CASE("nodes", test_nodes, NULL),
		CASE("SMMUs", test_smmus, NULL),
		CASE("SMMUs under an old kernel", test_old_kernel, NULL),
		CASE("ACPI tables", test_tables, NULL),
		CASE("drivers", test_drivers, NULL),
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
