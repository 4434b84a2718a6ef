/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which configuration is read, and what its lines say. */
#include "unit.h"

#include "fakesys.h"
#include "kernel.h"

static enum kernel_state state_of[KERNEL_SYMBOLS];

static void test_lines(void **state)
{
	int root = fakesys_new();

	(void)state;
	fakesys_file(root, "boot/config-7.3.4",
		     "#\n# CONFIG_IOMMUFD is not set\nCONFIG_VFIO=y\nCONFIG_VFIO_PCI=m\n"
		     "CONFIG_VFIO_PCI_DMABUF=\"y\"\nCONFIG_KVM=yes\nCONFIG_NUMA\nXCONFIG_TUN=y\n"
		     "CONFIG_BRIDGE=y");
	kernel_read(root, "7.3.4", state_of);
	close(root);
	assert_int_equal(state_of[KERNEL_IOMMUFD], KERNEL_NO);
	assert_int_equal(state_of[KERNEL_VFIO], KERNEL_YES);
	assert_int_equal(state_of[KERNEL_VFIO_PCI], KERNEL_MODULE);
	assert_int_equal(state_of[KERNEL_VFIO_PCI_DMABUF], KERNEL_NO);
	assert_int_equal(state_of[KERNEL_VFIO_GROUP], KERNEL_NO);
	assert_int_equal(state_of[KERNEL_KVM], KERNEL_NO);
	assert_int_equal(state_of[KERNEL_NUMA], KERNEL_NO);
	assert_int_equal(state_of[KERNEL_TUN], KERNEL_NO);
	assert_int_equal(state_of[KERNEL_BRIDGE], KERNEL_YES);
}

/* The image's own says what its kernel is; a distribution's lies in one of two places. */
static void test_places(void **state)
{
	int root = fakesys_new();

	(void)state;
	kernel_read(root, "7.3.4", state_of);
	assert_int_equal(state_of[KERNEL_TUN], KERNEL_UNKNOWN);
	fakesys_file(root, "boot/config-", "CONFIG_TUN=y\n");
	kernel_read(root, "", state_of);
	assert_int_equal(state_of[KERNEL_TUN], KERNEL_UNKNOWN);
	fakesys_file(root, "usr/lib/modules/7.3.4/config", "CONFIG_TUN=y\n");
	kernel_read(root, "7.3.4", state_of);
	assert_int_equal(state_of[KERNEL_TUN], KERNEL_YES);
	fakesys_file(root, "boot/config-7.3.4", "CONFIG_TUN=m\n");
	kernel_read(root, "7.3.4", state_of);
	assert_int_equal(state_of[KERNEL_TUN], KERNEL_MODULE);
	fakesys_file(root, "usr/lib/hvinit/kernel.config", "CONFIG_BRIDGE=y\n");
	kernel_read(root, "7.3.4", state_of);
	assert_int_equal(state_of[KERNEL_TUN], KERNEL_NO);
	assert_int_equal(state_of[KERNEL_BRIDGE], KERNEL_YES);
	close(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("lines", test_lines, NULL),
		CASE("places", test_places, NULL),
	};

	return cmocka_run_group_tests_name("kernel", tests, NULL, fakesys_teardown);
}
