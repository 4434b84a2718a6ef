/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual functions, with a kernel that makes them when it is told and has its rules about it. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "fakesys.h"
#include "manifest.h"
#include "net.h"
#include "sriov.h"
#include "sys.h"

#define PF "0000:41:00.0"
#define PF_DIR "sys/bus/pci/devices/" PF

static struct config config;
static struct diag diag;
static int root = -1;
static char writes[512];
static const char *broken; /* attribute that cannot be written */
static unsigned on; /* virtual functions of PF */

int __wrap_sys_pci_write(int dir, const char *bdf, const char *attr, const char *text);

static void make_vfs(unsigned n)
{
	char path[64];
	char target[64];

	for (; on < n; on++) {
		str_format(path, sizeof(path), PF_DIR "/virtfn%u", on);
		str_format(target, sizeof(target), "../0000:41:10.%u", on);
		fakesys_link(root, path, target);
	}
	while (on > n) {
		str_format(path, sizeof(path), PF_DIR "/virtfn%u", --on);
		fakesys_remove(root, path);
	}
	str_format(target, sizeof(target), "%u\n", n);
	fakesys_file(root, PF_DIR "/sriov_numvfs", target);
}

int __wrap_sys_pci_write(int dir, const char *bdf, const char *attr, const char *text)
{
	assert_int_equal(dir, root);
	str_format(writes + strlen(writes), sizeof(writes) - strlen(writes), "%s %s=%s;", bdf + 5,
		   attr, text);
	if (broken && strcmp(attr, broken) == 0)
		return -EIO;
	if (strcmp(attr, "sriov_numvfs") == 0) {
		/* drivers/pci/iov.c: not from one number to another. */
		if (on && strcmp(text, "0") != 0)
			return -EBUSY;
		make_vfs((unsigned)strtoul(text, NULL, 10));
	}
	return 0;
}

int __wrap_net_set_up(int dir, const char *bdf);

int __wrap_net_set_up(int dir, const char *bdf)
{
	assert_int_equal(dir, root);
	str_format(writes + strlen(writes), sizeof(writes) - strlen(writes), "%s up;", bdf + 5);
	return broken && strcmp(broken, "up") == 0 ? -ENETDOWN : 0;
}

static int setup(void **state)
{
	static const struct fake_device pf = { .bdf = PF, .driver = "igb" };

	(void)state;
	manifest_defaults(&config);
	memset(&diag, 0, sizeof(diag));
	writes[0] = '\0';
	broken = NULL;
	on = 0;
	root = fakesys_new();
	fakesys_device(root, &pf);
	make_vfs(0);
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static struct hostdev_config *give(unsigned vm, unsigned slot, int64_t vf)
{
	struct hostdev_config *hostdev = &config.vm[vm].hostdev[slot];

	str_format(config.vm[vm].name, sizeof(config.vm[vm].name), "vm%u", vm);
	str_copy(hostdev->bdf, sizeof(hostdev->bdf), PF);
	hostdev->vf = vf;
	return hostdev;
}

static void test_none(void **state)
{
	(void)state;
	give(0, 0, HV_NONE); /* the whole device */
	give(1, 0, 3);
	config.vm[1].name[0] = '\0';
	sriov_turn_on(root, &config, &diag);
	assert_no_finding(&diag);
	assert_string_equal(writes, "");
	assert_false(sriov_is_wanted(&config, PF));
}

/* As many as the largest number needs, once; no host driver may see one. */
static void test_turn_on(void **state)
{
	(void)state;
	give(0, 0, 2);
	str_copy(give(1, 0, 0)->driver, 64, "igb-vfio-pci");
	give(1, 1, 1)->managed = false;
	sriov_turn_on(root, &config, &diag);
	assert_no_finding(&diag);
	assert_string_equal(writes, "41:00.0 sriov_drivers_autoprobe=0;41:00.0 sriov_numvfs=3;"
				    "41:00.0 up;"
				    "41:10.2 driver_override=vfio-pci;"
				    "41:10.0 driver_override=igb-vfio-pci;");
	assert_true(sriov_is_wanted(&config, PF));
	assert_false(sriov_is_wanted(&config, "0000:42:00.0"));
}

static void test_number_by_hand(void **state)
{
	(void)state;
	give(0, 0, 0);
	give(1, 0, 1)->vfs = 7;
	sriov_turn_on(root, &config, &diag);
	assert_no_finding(&diag);
	assert_non_null(strstr(writes, "sriov_numvfs=7;"));
}

static void test_on_already(void **state)
{
	(void)state;
	make_vfs(2);
	give(0, 0, 1);
	sriov_turn_on(root, &config, &diag);
	assert_no_finding(&diag);
	assert_string_equal(writes, "41:00.0 up;41:10.1 driver_override=vfio-pci;");
}

static void test_another_number(void **state)
{
	(void)state;
	make_vfs(4);
	give(0, 0, 1);
	sriov_turn_on(root, &config, &diag);
	assert_no_finding(&diag);
	assert_non_null(strstr(writes, "sriov_numvfs=0;41:00.0 sriov_numvfs=2;"));
}

static void test_in_use(void **state)
{
	static const struct fake_device vf = { .bdf = "0000:41:10.3", .driver = "igbvf" };

	(void)state;
	make_vfs(4);
	fakesys_device(root, &vf);
	give(0, 0, 1);
	sriov_turn_on(root, &config, &diag);
	assert_finding(&diag, DIAG_VF_MAKE, "VM0_HOSTDEV0_VF",
		       "virtual function 1 of " PF ": change their number while a driver has one");
	assert_int_equal(diag.finding[0].vm, 0);
	assert_string_equal(writes, "");
}

static void test_no_sriov(void **state)
{
	(void)state;
	fakesys_remove(root, PF_DIR "/sriov_numvfs");
	give(3, 5, 0);
	sriov_turn_on(root, &config, &diag);
	assert_finding(&diag, DIAG_VF_MAKE, "VM3_HOSTDEV5_VF", "read sriov_numvfs: No such file");
}

static void test_write_fails(void **state)
{
	static const char *const attrs[] = { "sriov_drivers_autoprobe", "sriov_numvfs",
					     "driver_override" };

	(void)state;
	give(0, 0, 0);
	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++) {
		char text[64];

		diag.count = 0;
		broken = attrs[i];
		make_vfs(0);
		sriov_turn_on(root, &config, &diag);
		str_format(text, sizeof(text), "write %s: Input/output error", attrs[i]);
		assert_finding(&diag, DIAG_VF_MAKE, "VM0_HOSTDEV0_VF", text);
	}
}

static void test_link_stays_down(void **state)
{
	(void)state;
	give(0, 0, 0);
	broken = "up";
	sriov_turn_on(root, &config, &diag);
	assert_finding(&diag, DIAG_VF_MAKE, "VM0_HOSTDEV0_VF",
		       "set the physical one's interface up: Network is down");
}

/* Not all that were asked for came, so one VM has its own and the other has not. */
static void test_too_few(void **state)
{
	(void)state;
	make_vfs(1);
	fakesys_file(root, PF_DIR "/sriov_numvfs", "2\n");
	give(0, 0, 0);
	give(1, 0, 1);
	sriov_turn_on(root, &config, &diag);
	assert_finding(&diag, DIAG_VF_MAKE, "VM1_HOSTDEV0_VF", "find it: No such file");
	assert_int_equal(diag.finding[0].vm, 1);
}

static void test_optional(void **state)
{
	(void)state;
	give(0, 0, 0)->optional = true;
	str_copy(config.vm[0].hostdev[0].bdf, SYS_BDF, "0000:99:00.0");
	sriov_turn_on(root, &config, &diag);
	assert_no_finding(&diag);
}

#define SRIOV_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SRIOV_CASE("nobody wants one", test_none),
		SRIOV_CASE("as many as are wanted", test_turn_on),
		SRIOV_CASE("a number by hand", test_number_by_hand),
		SRIOV_CASE("on already", test_on_already),
		SRIOV_CASE("another number is on", test_another_number),
		SRIOV_CASE("another number, in use", test_in_use),
		SRIOV_CASE("a device without SR-IOV", test_no_sriov),
		SRIOV_CASE("the kernel refuses", test_write_fails),
		SRIOV_CASE("the link stays down", test_link_stays_down),
		SRIOV_CASE("too few came", test_too_few),
		SRIOV_CASE("a device one can do without", test_optional),
	};

	return cmocka_run_group_tests_name("sriov", tests, NULL, NULL);
}
