/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which VFIO driver a device gets, of modules and of what is built in. */
#include "unit.h"

#include <fcntl.h>

#include "fakesys.h"
#include "variant.h"

#define BDF "0009:01:00.0"
#define MODULES "usr/lib/modules/7.3.4/"
#define PLAIN "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\n"

static struct facts facts;
static int root = -1;

static void put(const char *attr, const char *text)
{
	char path[128];

	str_format(path, sizeof(path), "sys/bus/pci/devices/" BDF "/%s", attr);
	fakesys_file(root, path, text);
}

static int setup(void **state)
{
	static const struct fake_device device = { .bdf = BDF, .class = "0x030200\n" };

	(void)state;
	root = fakesys_new();
	fakesys_device(root, &device);
	put("vendor", "0x10de\n");
	put("device", "0x2342\n");
	put("subsystem_vendor", "0x10de\n");
	put("subsystem_device", "0x16c1\n");
	fakesys_file(root, "proc/sys/kernel/osrelease", "7.3.4\n");
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static const char *variant(void)
{
	facts_discover(root, &facts);
	return facts_find(&facts, BDF)->variant;
}

static void test_none(void **state)
{
	(void)state;
	assert_string_equal(variant(), "vfio-pci");
	fakesys_file(root, MODULES "modules.alias",
		     "# comment\nalias\nalias vfio_pci:\nalias vfio_pci:v*\n" PLAIN
		     "alias vfio_pci:v00001AF4d*sv*sd*bc*sc*i* virtio_vfio_pci\n"
		     "alias pci:v000010DEd00002342sv*sd*bc*sc*i* nvidia\n");
	assert_string_equal(variant(), "vfio-pci");
	/* It could be had, if the device were there. */
	assert_true(facts_driver(&facts, "virtio_vfio_pci")->module);
	assert_null(facts_driver(&facts, "nvidia"));
	fakesys_file(root, "proc/sys/kernel/osrelease", "../../etc\n");
	assert_string_equal(variant(), "vfio-pci");
	assert_string_equal(facts.kernel, "");
}

/* The order of the lines does not matter, the number of stars does. */
static void test_best(void **state)
{
	(void)state;
	fakesys_file(root, MODULES "modules.alias",
		     PLAIN "alias vfio_pci:v000010DEd00002342sv*sd*bc*sc*i* nvgrace_gpu_vfio_pci\n"
			   "alias vfio_pci:v000010DEd*sv*sd*bc03sc*i* other_vfio_pci\n" PLAIN);
	assert_string_equal(variant(), "nvgrace_gpu_vfio_pci");
	assert_true(facts_driver(&facts, "nvgrace_gpu_vfio_pci")->module);
	/* A bridge gets no variant. */
	put("secondary_bus_number", "1\n");
	assert_string_equal(variant(), "vfio-pci");
}

/* The alias names the module; driver_override wants the driver's name. */
static void test_spelling(void **state)
{
	(void)state;
	fakesys_file(root, MODULES "modules.alias",
		     "alias vfio_pci:v000010DEd00002342sv*sd*bc*sc*i* nvgrace_gpu_vfio_pci\n");
	fakesys_driver(root, "nvgrace-gpu-vfio-pci");
	assert_string_equal(variant(), "nvgrace-gpu-vfio-pci");
	assert_false(facts_driver(&facts, "nvgrace-gpu-vfio-pci")->module);
}

static void write_modinfo(void)
{
	static const char text[] = "vfio_pci.license=GPL\0"
				   "nvgrace_gpu_vfio_pci.description=x\0"
				   "nvgrace_gpu_vfio_pci.alias="
				   "vfio_pci:v000010DEd00002342sv*sd*bc*sc*i*\0";
	int fd;

	fakesys_file(root, MODULES "modules.builtin.modinfo", "");
	fd = openat(root, MODULES "modules.builtin.modinfo", O_WRONLY);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
}

static void test_builtin(void **state)
{
	(void)state;
	write_modinfo();
	/* Its driver did not come up: there is nothing that could be loaded. */
	assert_string_equal(variant(), "vfio-pci");
	assert_null(facts_driver(&facts, "nvgrace_gpu_vfio_pci"));
	fakesys_driver(root, "nvgrace_gpu_vfio_pci");
	fakesys_file(root, MODULES "modules.alias", PLAIN);
	assert_string_equal(variant(), "nvgrace_gpu_vfio_pci");
}

static void test_same(void **state)
{
	(void)state;
	assert_true(variant_same("vfio-pci", "vfio_pci"));
	assert_true(variant_same("", ""));
	assert_false(variant_same("vfio", "vfio-pci"));
	assert_false(variant_same("vfio-pci", "vfio"));
	assert_false(variant_same("vfioxpci", "vfio-pci"));
}

#define VARIANT_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VARIANT_CASE("none", test_none),
		VARIANT_CASE("the best of several", test_best),
		VARIANT_CASE("a driver's name", test_spelling),
		VARIANT_CASE("built in", test_builtin),
		VARIANT_CASE("the same name", test_same),
	};

	return cmocka_run_group_tests_name("variant", tests, NULL, NULL);
}
