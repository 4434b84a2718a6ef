/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state partition: found by its name, mounted once, and missed with the reason. */
#include "unit.h"

#include <errno.h>

#include "fakesys.h"
#include "manifest.h"
#include "module.h"
#include "state.h"
#include "sys_host.h"

static struct config config;
static struct diag diag;
static int root = -1;
static char calls[128];
static int module_error;
static int mount_error;

int __wrap_module_load(int dir, const char *name);
int __wrap_sys_state_mount(const char *node);

int __wrap_module_load(int dir, const char *name)
{
	assert_int_equal(dir, root);
	str_format(calls + strlen(calls), sizeof(calls) - strlen(calls), "load %s;", name);
	return -module_error;
}

int __wrap_sys_state_mount(const char *node)
{
	str_format(calls + strlen(calls), sizeof(calls) - strlen(calls), "mount %s;", node);
	return -mount_error;
}

static void block(const char *name, const char *uevent)
{
	char path[64];

	str_format(path, sizeof(path), "sys/class/block/%s/uevent", name);
	fakesys_file(root, path, uevent);
}

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	memset(&diag, 0, sizeof(diag));
	calls[0] = '\0';
	module_error = mount_error = 0;
	root = fakesys_new();
	block("vda", "MAJOR=254\nMINOR=0\nDEVNAME=vda\nDEVTYPE=disk\n");
	block("vda1", "DEVNAME=vda1\nDEVTYPE=partition\nPARTN=1\nPARTNAME=state two\n");
	block("vda2", "DEVNAME=vda2\nDEVTYPE=partition\nPARTN=2\nPARTNAME=state\n");
	str_copy(config.host.state_partlabel, sizeof(config.host.state_partlabel), "state");
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static void test_mount(void **state)
{
	(void)state;
	state_mount(root, &config, 0, &diag);
	assert_no_finding(&diag);
	assert_string_equal(calls, "load ext4;mount vda2;");
}

static void test_not_wanted(void **state)
{
	(void)state;
	config.host.state_partlabel[0] = '\0';
	state_mount(root, &config, 0, &diag);
	assert_no_finding(&diag);
	assert_string_equal(calls, "");
}

static void test_none(void **state)
{
	(void)state;
	str_copy(config.host.state_partlabel, sizeof(config.host.state_partlabel), "stat");
	state_mount(root, &config, 0, &diag);
	assert_finding(&diag, DIAG_STATE_MOUNT, "HOST_STATE_PARTLABEL",
		       "find the partition \"stat\": No such file");
	assert_string_equal(calls, "");
}

/* A second disk with a partition of that name must not decide by chance. */
static void test_two(void **state)
{
	(void)state;
	block("sda9", "DEVNAME=sda9\nPARTNAME=state\n");
	state_mount(root, &config, 0, &diag);
	assert_finding(&diag, DIAG_STATE_MOUNT, "HOST_STATE_PARTLABEL",
		       "there are two of that name");
	assert_string_equal(calls, "");
}

/* It may be built in, and mount() would tell. */
static void test_no_module(void **state)
{
	(void)state;
	module_error = ENOENT;
	state_mount(root, &config, 0, &diag);
	assert_no_finding(&diag);
	assert_string_equal(calls, "load ext4;mount vda2;");
}

static void test_fails(void **state)
{
	(void)state;
	module_error = ENOEXEC;
	mount_error = ENODEV;
	state_mount(root, &config, 0, &diag);
	assert_int_equal(diag.count, 2);
	assert_non_null(strstr(diag.finding[0].text, "load ext4 for \"state\": Exec format"));
	assert_non_null(strstr(diag.finding[1].text, "mount \"state\": No such device"));
}

#define STATE_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STATE_CASE("it is mounted", test_mount),
		STATE_CASE("none is wanted", test_not_wanted),
		STATE_CASE("none is there", test_none),
		STATE_CASE("two are there", test_two),
		STATE_CASE("no module", test_no_module),
		STATE_CASE("it cannot be mounted", test_fails),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
