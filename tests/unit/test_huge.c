/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Huge pages: a VM gets all of them or none, and nobody pays for another's shortage. */
#include "unit.h"

#include <errno.h>

#include "fakesys.h"
#include "huge.h"
#include "manifest.h"
#include "sys_host.h"

#define NODE0 "sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages"
#define NODE1 "sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages"
#define ALL "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
#define GIGA "sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"

static struct config config;
static struct diag diag;
static int root = -1;
static uint64_t most; /* pages that the kernel finds for one pool */
static int write_error;
static char writes[256];

int __wrap_sys_huge_write(int dir, int node, uint64_t page_kib, uint64_t pages);
int __real_sys_huge_write(int dir, int node, uint64_t page_kib, uint64_t pages);

int __wrap_sys_huge_write(int dir, int node, uint64_t page_kib, uint64_t pages)
{
	size_t used = strlen(writes);

	str_format(writes + used, sizeof(writes) - used, "%d:%u=%u ", node, (unsigned)page_kib,
		   (unsigned)pages);
	if (write_error)
		return -write_error;
	return __real_sys_huge_write(dir, node, page_kib, pages > most ? most : pages);
}

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	memset(&diag, 0, sizeof(diag));
	writes[0] = '\0';
	most = 1000000;
	write_error = 0;
	root = fakesys_new();
	fakesys_file(root, "proc/meminfo", "MemTotal: 9000000 kB\nMemFree: 8388608 kB\n");
	fakesys_file(root, NODE0, "0\n");
	fakesys_file(root, NODE1, "0\n");
	fakesys_file(root, ALL, "0\n");
	fakesys_file(root, GIGA, "0\n");
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static void want(unsigned slot, int64_t mib, int size, int64_t node)
{
	struct vm_config *vm = &config.vm[slot];

	str_format(vm->name, sizeof(vm->name), "vm%u", slot);
	vm->memory_mib = mib;
	vm->hugepages = size;
	vm->numa_node = node;
}

static void test_none(void **state)
{
	(void)state;
	want(0, 512, VM_HUGEPAGES_NONE, HV_NONE);
	config.vm[1].hugepages = VM_HUGEPAGES_2M; /* of no VM */
	huge_reserve(root, &config, &diag);
	assert_no_finding(&diag);
	assert_string_equal(writes, "");
}

/* Each VM's own, also of one that does not start by itself; an odd MiB takes a whole page. */
static void test_sum(void **state)
{
	(void)state;
	want(0, 512, VM_HUGEPAGES_2M, HV_NONE);
	want(1, 101, VM_HUGEPAGES_2M, HV_NONE);
	config.vm[1].autostart = false;
	want(2, 1025, VM_HUGEPAGES_1G, HV_NONE);
	huge_reserve(root, &config, &diag);
	assert_no_finding(&diag);
	assert_string_equal(writes, "-1:2048=256 -1:2048=307 -1:1048576=2 ");
}

/* Those of a node are counted into the machine's number. */
static void test_nodes(void **state)
{
	(void)state;
	want(0, 200, VM_HUGEPAGES_2M, HV_NONE);
	want(1, 512, VM_HUGEPAGES_2M, 1);
	want(2, 64, VM_HUGEPAGES_2M, 1);
	want(3, 64, VM_HUGEPAGES_2M, 0);
	huge_reserve(root, &config, &diag);
	assert_no_finding(&diag);
	assert_string_equal(writes, "1:2048=256 1:2048=288 0:2048=32 -1:2048=420 ");
}

/* Pages that were reserved on the kernel command line are there to be used. */
static void test_there_already(void **state)
{
	(void)state;
	fakesys_file(root, ALL, "400\n");
	want(0, 512, VM_HUGEPAGES_2M, HV_NONE);
	want(1, 512, VM_HUGEPAGES_2M, HV_NONE);
	huge_reserve(root, &config, &diag);
	assert_no_finding(&diag);
	assert_string_equal(writes, "-1:2048=512 ");
}

static void test_shortage(void **state)
{
	(void)state;
	most = 300;
	want(0, 512, VM_HUGEPAGES_2M, 1);
	want(1, 512, VM_HUGEPAGES_2M, 1);
	want(2, 64, VM_HUGEPAGES_2M, 1);
	huge_reserve(root, &config, &diag);
	assert_finding(&diag, DIAG_HUGE_SHORT, "VM1_HUGEPAGES",
		       "reserve 256 pages of 2048 KiB on NUMA node 1: the kernel found 44");
	assert_int_equal(diag.finding[0].vm, 1);
	/* The third has enough when the second lets go. */
	assert_string_equal(writes, "1:2048=256 1:2048=512 1:2048=256 1:2048=288 ");
}

/* The kernel would give away what it needs itself. */
static void test_more_than_there_is(void **state)
{
	(void)state;
	want(0, 7936, VM_HUGEPAGES_2M, HV_NONE);
	want(1, 8192, VM_HUGEPAGES_2M, HV_NONE);
	huge_reserve(root, &config, &diag);
	assert_finding(&diag, DIAG_HUGE_SHORT, "VM1_HUGEPAGES",
		       "8192 MiB are free, and the host needs 256 of them");
	assert_string_equal(writes, "-1:2048=3968 ");
}

static void test_no_such_node(void **state)
{
	(void)state;
	want(0, 512, VM_HUGEPAGES_2M, 5);
	huge_reserve(root, &config, &diag);
	assert_finding(&diag, DIAG_HUGE_SHORT, "VM0_HUGEPAGES", "on NUMA node 5: No such file");
}

static void test_kernel_refuses(void **state)
{
	(void)state;
	write_error = EINVAL;
	want(0, 1024, VM_HUGEPAGES_1G, HV_NONE);
	huge_reserve(root, &config, &diag);
	assert_finding(&diag, DIAG_HUGE_SHORT, "VM0_HUGEPAGES", "Invalid argument");
}

#define HUGE_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HUGE_CASE("nobody wants any", test_none),
		HUGE_CASE("those of all VMs", test_sum),
		HUGE_CASE("those of a node", test_nodes),
		HUGE_CASE("some are there already", test_there_already),
		HUGE_CASE("a shortage", test_shortage),
		HUGE_CASE("more than there is", test_more_than_there_is),
		HUGE_CASE("no such node", test_no_such_node),
		HUGE_CASE("the kernel refuses", test_kernel_refuses),
	};

	return cmocka_run_group_tests_name("huge", tests, NULL, NULL);
}
