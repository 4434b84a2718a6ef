/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of an image's files: only whole lines count, and a list that cannot be read is a fault. */
#include "unit.h"

#include <stdlib.h>

#include "filelist.h"

static struct filelist list;
static struct diag diag;

static bool load(const char *text, size_t len)
{
	char path[] = "/tmp/hvinit-list-XXXXXX";
	int fd = mkstemp(path);
	bool ok;

	memset(&diag, 0, sizeof(diag));
	assert_int_equal(write(fd, text, len), len);
	close(fd);
	ok = filelist_load(path, &list, &diag);
	unlink(path);
	return ok;
}

static void test_lines(void **state)
{
	static const char text[] = "/init\n/usr/bin/qemu\n/etc/last";

	(void)state;
	assert_true(load(text, sizeof(text) - 1));
	assert_no_finding(&diag);
	assert_true(filelist_has(&list, "/init"));
	assert_true(filelist_has(&list, "/usr/bin/qemu"));
	assert_true(filelist_has(&list, "/etc/last"));
	assert_false(filelist_has(&list, "/usr/bin"));
	assert_false(filelist_has(&list, "/bin/qemu"));
	assert_false(filelist_has(&list, "/ini"));
	assert_false(filelist_has(&list, ""));
}

static void test_modules(void **state)
{
	static const char text[] = "/usr/lib/modules/7.3.4/kernel/xe-vfio-pci.ko\n/init\n/a/b.kom\n"
				   "/usr/lib/modules/7.3.4/kernel/mlx5_vfio_pci.ko";

	(void)state;
	assert_true(load(text, sizeof(text) - 1));
	assert_true(filelist_has_module(&list, "xe_vfio_pci"));
	assert_true(filelist_has_module(&list, "xe-vfio-pci"));
	assert_true(filelist_has_module(&list, "mlx5_vfio_pci"));
	assert_false(filelist_has_module(&list, "vfio_pci"));
	assert_false(filelist_has_module(&list, "xe_vfio"));
	assert_false(filelist_has_module(&list, "init"));
	assert_false(filelist_has_module(&list, "b"));
}

static void test_empty(void **state)
{
	(void)state;
	assert_true(load("", 0));
	assert_false(filelist_has(&list, "/init"));
}

static void test_too_large(void **state)
{
	static char text[FILELIST_MAX];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_false(load(text, sizeof(text)));
	assert_int_equal(diag.count, 1);
	assert_int_equal(diag.finding[0].code, DIAG_FILES_READ);
	assert_true(load(text, sizeof(text) - 3));
}

static void test_missing(void **state)
{
	(void)state;
	memset(&diag, 0, sizeof(diag));
	assert_false(filelist_load("/nonexistent/list", &list, &diag));
	assert_finding(&diag, DIAG_FILES_READ, "/nonexistent/list", "No such file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("whole lines", test_lines, NULL),
		CASE("modules", test_modules, NULL),
		CASE("an empty list", test_empty, NULL),
		CASE("a list that is too large", test_too_large, NULL),
		CASE("no list", test_missing, NULL),
	};

	return cmocka_run_group_tests_name("filelist", tests, NULL, NULL);
}
