/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's own devices get drivers, the VMs' ones never do, and in that order. */
#include "unit.h"

#include <errno.h>

#include "fakesys.h"
#include "host.h"
#include "huge.h"
#include "manifest.h"
#include "module.h"
#include "net.h"
#include "sriov.h"
#include "state.h"
#include "sys.h"
#include "wait.h"

static struct config config;
static struct diag diag;
static int root = -1;
static char calls[1024];
static char order[1024]; /* calls with the larger steps between them */
static bool disks_there;
static int autoprobe_error;
static int override_error;

static void steps(const char *text)
{
	size_t used = strlen(order);

	str_format(order + used, sizeof(order) - used, "%s", text);
}

static void note(const char *fmt, const char *one, const char *two)
{
	size_t used = strlen(calls);

	str_format(calls + used, sizeof(calls) - used, "%s %s%s%s;", fmt, one, *two ? " " : "",
		   two);
	steps(calls + used);
}

int __wrap_sys_autoprobe_off(int dir);
int __wrap_sys_pci_write(int dir, const char *bdf, const char *attr, const char *text);
int __wrap_sys_driver_probe(int dir, const char *bdf);
int __wrap_module_load(int dir, const char *name);

int __wrap_sys_autoprobe_off(int dir)
{
	assert_int_equal(dir, root);
	note("autoprobe", "off", "");
	return -autoprobe_error;
}

int __wrap_sys_pci_write(int dir, const char *bdf, const char *attr, const char *text)
{
	assert_int_equal(dir, root);
	assert_string_equal(attr, "driver_override");
	note("override", bdf, text);
	return -override_error;
}

int __wrap_sys_driver_probe(int dir, const char *bdf)
{
	assert_int_equal(dir, root);
	note("probe", bdf, "");
	return 0;
}

int __wrap_module_load(int dir, const char *name)
{
	assert_int_equal(dir, root);
	note("load", name, "");
	return strcmp(name, "missing") == 0 ? -ENOENT : 0;
}

void __wrap_huge_reserve(int dir, const struct config *all, struct diag *findings);
void __wrap_state_mount(int dir, const struct config *all, uint64_t deadline_us,
			struct diag *findings);
void __wrap_sriov_turn_on(int dir, const struct config *all, struct diag *findings);
void __wrap_net_make_bridges(int dir, const struct config *all, uint64_t deadline_us,
			     struct diag *findings);
bool __wrap_wait_until(bool (*there)(void *arg), void *arg, uint64_t deadline_us);

void __wrap_huge_reserve(int dir, const struct config *all, struct diag *findings)
{
	(void)findings;
	assert_int_equal(dir, root);
	assert_ptr_equal(all, &config);
	steps("huge pages;");
}

void __wrap_state_mount(int dir, const struct config *all, uint64_t deadline_us,
			struct diag *findings)
{
	(void)findings;
	assert_int_equal(dir, root);
	assert_ptr_equal(all, &config);
	assert_true(deadline_us > boottime_us());
	steps("state;");
}

void __wrap_sriov_turn_on(int dir, const struct config *all, struct diag *findings)
{
	(void)findings;
	assert_int_equal(dir, root);
	assert_ptr_equal(all, &config);
	steps("virtual functions;");
}

void __wrap_net_make_bridges(int dir, const struct config *all, uint64_t deadline_us,
			     struct diag *findings)
{
	(void)findings;
	assert_int_equal(dir, root);
	assert_ptr_equal(all, &config);
	assert_true(deadline_us > boottime_us());
	steps("bridges;");
}

bool __wrap_wait_until(bool (*there)(void *arg), void *arg, uint64_t deadline_us)
{
	assert_true(deadline_us > boottime_us());
	disks_there = there(arg);
	return disks_there;
}

static int setup(void **state)
{
	static const struct fake_device boot = { .bdf = "0000:00:03.0", .class = "0x010802\n" };

	(void)state;
	manifest_defaults(&config);
	memset(&diag, 0, sizeof(diag));
	calls[0] = order[0] = '\0';
	autoprobe_error = override_error = 0;
	root = fakesys_new();
	fakesys_device(root, &boot);
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static void give(unsigned vm, unsigned slot, const char *bdf)
{
	str_copy(config.vm[vm].name, sizeof(config.vm[vm].name), "demo");
	str_copy(config.vm[vm].hostdev[slot].bdf, sizeof(config.vm[vm].hostdev[slot].bdf), bdf);
}

static void prepare(void)
{
	host_reserve(root, &config, &diag);
	host_prepare(root, &config, &diag);
}

static void test_order(void **state)
{
	static const struct fake_device device = { .bdf = "0000:41:00.0" };

	(void)state;
	fakesys_device(root, &device);
	give(1, 2, "0000:41:00.0");
	str_copy(config.host.modules, sizeof(config.host.modules), "nvme  e1000e ");
	prepare();
	assert_no_finding(&diag);
	assert_string_equal(calls, "autoprobe off;override 0000:41:00.0 vfio-pci;load nvme;"
				   "load e1000e;probe 0000:00:03.0;");
}

/* What must come first, and what comes when drivers are there. */
static void test_larger_steps(void **state)
{
	(void)state;
	give(1, 2, "0000:41:00.0");
	str_copy(config.host.modules, sizeof(config.host.modules), "nvme");
	prepare();
	assert_string_equal(order,
			    "huge pages;autoprobe off;override 0000:41:00.0 vfio-pci;load nvme;"
			    "probe 0000:00:03.0;state;virtual functions;bridges;");
}

/* A physical function stays the host's; those of its virtual ones that are on do not. */
static void test_virtual_functions(void **state)
{
	static const struct fake_device pf = { .bdf = "0000:41:00.0" };
	static const struct fake_device vf = { .bdf = "0000:41:10.0" };

	(void)state;
	fakesys_device(root, &pf);
	fakesys_device(root, &vf);
	fakesys_link(root, "sys/bus/pci/devices/0000:41:10.0/physfn", "../0000:41:00.0");
	give(0, 0, "0000:41:00.0");
	config.vm[0].hostdev[0].vf = 0;
	prepare();
	assert_null(strstr(calls, "override"));
	assert_non_null(strstr(calls, "probe 0000:41:00.0;"));
	assert_null(strstr(calls, "probe 0000:41:10.0;"));
}

static void test_unmanaged(void **state)
{
	(void)state;
	give(0, 0, "0000:00:03.0");
	config.vm[0].hostdev[0].managed = false;
	prepare();
	assert_string_equal(calls, "autoprobe off;");
}

/* Disks of VMs that start by themselves are waited for. */
static void test_disks(void **state)
{
	struct disk_config *disk = config.vm[3].disk;

	(void)state;
	prepare();
	assert_true(disks_there);
	str_copy(config.vm[3].name, sizeof(config.vm[3].name), "demo");
	str_copy(disk[0].path, sizeof(disk[0].path), "/dev/null");
	str_copy(disk[1].path, sizeof(disk[1].path), "/dev/sda7");
	prepare();
	assert_false(disks_there);
	config.vm[3].autostart = false;
	prepare();
	assert_true(disks_there);
	config.vm[3].autostart = true;
	fakesys_file(root, "dev/sda7", "");
	prepare();
	assert_true(disks_there);
}

static void test_is_needed(void **state)
{
	struct vm_config *vm = &config.vm[0];

	(void)state;
	str_copy(vm->hostdev[0].bdf, SYS_BDF, "0000:41:00.0");
	assert_false(host_is_needed(&config.host, vm));
	/* Whose disk the state partition is on must be told first. */
	str_copy(config.host.state_partlabel, sizeof(config.host.state_partlabel), "state");
	assert_true(host_is_needed(&config.host, vm));
	config.host.state_partlabel[0] = '\0';
	vm->hostdev[0].vf = 0;
	assert_true(host_is_needed(&config.host, vm));
	vm->hostdev[0].vf = HV_NONE;
	vm->uefi_vars = VM_UEFI_VARS_KEEP;
	assert_true(host_is_needed(&config.host, vm));
	vm->uefi_vars = VM_UEFI_VARS_VOLATILE;
	str_copy(vm->disk[0].path, sizeof(vm->disk[0].path), "/dev/sda7");
	assert_true(host_is_needed(&config.host, vm));
	vm->disk[0].path[0] = '\0';
	str_copy(vm->net[0].bridge, sizeof(vm->net[0].bridge), "lan");
	assert_true(host_is_needed(&config.host, vm));
}

static void test_nothing_to_do(void **state)
{
	(void)state;
	prepare();
	assert_string_equal(calls, "autoprobe off;probe 0000:00:03.0;");
}

static void test_bound_already(void **state)
{
	static const struct fake_device device = { .bdf = "0000:05:00.0", .driver = "pcieport" };

	(void)state;
	fakesys_device(root, &device);
	prepare();
	assert_null(strstr(calls, "0000:05:00.0"));
}

/* Whoever wrote a device into a slot without a name did not mean it for the host. */
static void test_unused_vm(void **state)
{
	(void)state;
	give(1, 0, "0000:00:03.0");
	config.vm[1].name[0] = '\0';
	prepare();
	assert_string_equal(calls, "autoprobe off;override 0000:00:03.0 vfio-pci;");
}

/* A VM that is not started still keeps its device from the host's drivers. */
static void test_not_started(void **state)
{
	(void)state;
	give(7, 15, "0000:00:03.0");
	config.vm[7].autostart = false;
	prepare();
	assert_string_equal(calls, "autoprobe off;override 0000:00:03.0 vfio-pci;");
}

static void test_missing_module(void **state)
{
	(void)state;
	str_copy(config.host.modules, sizeof(config.host.modules), "missing nvme");
	prepare();
	assert_finding(&diag, DIAG_MODULE_LOAD, "HOST_MODULES", "load missing: No such file");
	assert_non_null(strstr(calls, "load nvme;"));
}

static void test_long_module(void **state)
{
	(void)state;
	memset(config.host.modules, 'x', 200);
	prepare();
	assert_finding(&diag, DIAG_MODULE_LOAD, "HOST_MODULES", "name too long");
	assert_null(strstr(calls, "load"));
}

static void test_no_autoprobe(void **state)
{
	(void)state;
	autoprobe_error = ENOENT;
	prepare();
	assert_finding(&diag, DIAG_AUTOPROBE, "host", "turn driver autoprobe off");
}

static void test_no_override(void **state)
{
	(void)state;
	give(0, 0, "0000:00:03.0");
	override_error = EIO;
	prepare();
	assert_finding(&diag, DIAG_AUTOPROBE, "0000:00:03.0", "write driver_override");
	assert_null(strstr(calls, "probe 0000:00:03.0;load"));
}

#define HOST_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOST_CASE("reserve, then load, then probe", test_order),
		HOST_CASE("no VM and no module", test_nothing_to_do),
		HOST_CASE("the order of it all", test_larger_steps),
		HOST_CASE("virtual functions", test_virtual_functions),
		HOST_CASE("a device that is not to be bound", test_unmanaged),
		HOST_CASE("disks are waited for", test_disks),
		HOST_CASE("who needs the host", test_is_needed),
		HOST_CASE("a device that has a driver", test_bound_already),
		HOST_CASE("a slot of no VM", test_unused_vm),
		HOST_CASE("a VM that is not started", test_not_started),
		HOST_CASE("a module that is not there", test_missing_module),
		HOST_CASE("a module's name that is too long", test_long_module),
		HOST_CASE("autoprobe cannot be turned off", test_no_autoprobe),
		HOST_CASE("an override that fails", test_no_override),
	};

	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
