/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Modules and what they need, in the order that modules.dep asks for. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "fakesys.h"
#include "module.h"

#define FOLDER "usr/lib/modules/1.2.3"

static int root = -1;
static char loaded[256];
static int load_error;
static const char *fails; /* base name of the module that load_error is for */

long __wrap_syscall(long number, int fd, const char *options, int flags);
int __wrap_sys_kernel_release(char *buf, size_t size);

int __wrap_sys_kernel_release(char *buf, size_t size)
{
	return str_copy(buf, size, "1.2.3") ? 0 : -ENAMETOOLONG;
}

/* finit_module(): each file here holds its own name. */
long __wrap_syscall(long number, int fd, const char *options, int flags)
{
	char name[64];
	ssize_t n = read(fd, name, sizeof(name) - 1);
	size_t used = strlen(loaded);

	assert_int_equal(number, SYS_finit_module);
	assert_string_equal(options, "");
	assert_int_equal(flags, 0);
	assert_true(n > 0);
	name[n] = '\0';
	if (fails && strcmp(name, fails) == 0) {
		errno = load_error;
		return -1;
	}
	str_format(loaded + used, sizeof(loaded) - used, "%s ", name);
	return 0;
}

static int setup(void **state)
{
	static const char *const modules[] = { "nvme", "nvme-core", "nvme_auth", "igb" };
	char path[128];

	(void)state;
	loaded[0] = '\0';
	fails = NULL;
	root = fakesys_new();
	for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
		str_format(path, sizeof(path), FOLDER "/kernel/drivers/%s.ko", modules[i]);
		fakesys_file(root, path, modules[i]);
	}
	fakesys_file(root, FOLDER "/modules.dep",
		     "kernel/drivers/nvme-core.ko: kernel/drivers/nvme_auth.ko\n"
		     "kernel/drivers/nvme_auth.ko:\n"
		     "kernel/drivers/nvme.ko: kernel/drivers/nvme-core.ko "
		     "kernel/drivers/nvme_auth.ko\n"
		     "kernel/drivers/gone.ko:\n"
		     "kernel/drivers/igb.ko:");
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static void test_alone(void **state)
{
	(void)state;
	assert_int_equal(module_load(root, "nvme_auth"), 0);
	assert_string_equal(loaded, "nvme_auth ");
}

static void test_dependencies(void **state)
{
	(void)state;
	assert_int_equal(module_load(root, "nvme"), 0);
	assert_string_equal(loaded, "nvme_auth nvme-core nvme ");
}

static void test_dashes(void **state)
{
	(void)state;
	assert_int_equal(module_load(root, "nvme_core"), 0);
	assert_string_equal(loaded, "nvme_auth nvme-core ");
}

static void test_last_line(void **state)
{
	(void)state;
	assert_int_equal(module_load(root, "igb"), 0);
	assert_string_equal(loaded, "igb ");
}

static void test_unknown(void **state)
{
	static const char *const names[] = { "nvm", "nvme2", "", "nvmeXcore", "kernel/drivers/nvme",
					     ".ko" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(module_load(root, names[i]), -ENOENT);
	assert_string_equal(loaded, "");
}

static void test_no_file(void **state)
{
	(void)state;
	assert_int_equal(module_load(root, "gone"), -ENOENT);
}

static void test_there_already(void **state)
{
	(void)state;
	fails = "nvme_auth";
	load_error = EEXIST;
	assert_int_equal(module_load(root, "nvme"), 0);
	assert_string_equal(loaded, "nvme-core nvme ");
}

/* What a module needs failed: it is not even tried. */
static void test_dependency_fails(void **state)
{
	(void)state;
	fails = "nvme-core";
	load_error = ENOEXEC;
	assert_int_equal(module_load(root, "nvme"), -ENOEXEC);
	assert_string_equal(loaded, "nvme_auth ");
}

static void test_no_modules(void **state)
{
	(void)state;
	fakesys_remove(root, FOLDER "/modules.dep");
	assert_int_equal(module_load(root, "nvme"), -ENOENT);
}

#define MODULE_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MODULE_CASE("a module alone", test_alone),
		MODULE_CASE("what it needs comes first", test_dependencies),
		MODULE_CASE("- and _ are alike", test_dashes),
		MODULE_CASE("the last line without a newline", test_last_line),
		MODULE_CASE("unknown names", test_unknown),
		MODULE_CASE("a line without its file", test_no_file),
		MODULE_CASE("loaded already", test_there_already),
		MODULE_CASE("a dependency fails", test_dependency_fails),
		MODULE_CASE("no modules.dep", test_no_modules),
	};

	return cmocka_run_group_tests_name("module", tests, NULL, NULL);
}
