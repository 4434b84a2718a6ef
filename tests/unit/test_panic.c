/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A panic's last words, on an invented machine; the kernel log is a file. */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>

#include "fakesys.h"
#include "panic.h"
#include "sys_machine.h"

static int root = -1;
static int kmsg = -1;

int __wrap_sys_kmsg_open(void);

int __wrap_sys_kmsg_open(void)
{
	return dup(kmsg);
}

static void test_copy(void **state)
{
	char text[2048];
	ssize_t n;

	(void)state;
	root = fakesys_new();
	assert_false(panic_is_kept(root));
	fakesys_file(root, "log", "");
	kmsg = openat(root, "log", O_RDWR);
	assert_int_equal(panic_copy(&root), 0);
	fakesys_file(root, "sys/fs/pstore/dmesg-efi_pstore-99", "Panic#2 Part9\nold\n");
	fakesys_file(
		root, "sys/fs/pstore/dmesg-efi_pstore-101",
		"Panic#1 Part1\n<0>[ 9.1] Kernel panic - not syncing: x\n\n<0>last \033[2Jword");
	fakesys_file(root, "sys/fs/pstore/dmesg-efi_pstore-102", "Panic#1 Part2\n<6>first\n");
	assert_true(panic_is_kept(root));
	assert_int_equal(panic_copy(&root), 0);
	assert_false(panic_is_kept(root));
	n = pread(kmsg, text, sizeof(text) - 1, 0);
	text[n] = '\0';
	assert_string_equal(text, "<15>hvinit: host: panic before this boot: <6>first\n"
				  "<12>hvinit: host: panic before this boot: "
				  "<0>[ 9.1] Kernel panic - not syncing: x\n"
				  "<15>hvinit: host: panic before this boot: <0>last word\n"
				  "<15>hvinit: host: panic before this boot: old\n");
	close(kmsg);
	close(root);
	fakesys_teardown(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("records are copied in order, and removed", test_copy, NULL),
	};

	return cmocka_run_group_tests_name("panic", tests, NULL, NULL);
}
