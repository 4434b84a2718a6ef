/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's files that tell of the machine itself, at their edges. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "fakesys.h"
#include "sys_machine.h"

static int root = -1;
static char seen[256];

static int setup(void **state)
{
	(void)state;
	seen[0] = '\0';
	root = fakesys_new();
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static int note(void *arg, const char *name)
{
	(void)arg;
	str_format(seen + strlen(seen), sizeof(seen) - strlen(seen), "%s;", name);
	return 0;
}

static void test_nodes(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(sys_watchdog_open(root), -ENOENT);
	assert_int_equal(sys_input_open(root, "event0"), -ENOENT);
	fakesys_file(root, "dev/watchdog", "");
	fakesys_file(root, "dev/input/event7", "");
	fakesys_file(root, "dev/input/mouse0", "");
	sys_input_each(root, note, NULL);
	assert_string_equal(seen, "event7;");
	fd = sys_watchdog_open(root);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	fd = sys_input_open(root, "event7");
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
}

static void test_variable(void **state)
{
	char path[SYS_EFI_PATH];
	char text[32];

	(void)state;
	assert_true(sys_efi_path("HvinitX", SYS_EFI_OURS, path));
	assert_int_equal(sys_efi_read(root, path, text, sizeof(text)), -ENOENT);
	assert_int_equal(sys_efi_write(root, path, SYS_EFI_KEPT, 4), -ENOENT);
	fakesys_file(root, "sys/firmware/efi/efivars/Other", "");
	/* The attributes' string has a NUL of its own behind it. */
	assert_int_equal(sys_efi_write(root, path, SYS_EFI_KEPT "abc\n", 8), 0);
	assert_int_equal(sys_efi_read(root, path, text, sizeof(text)), 3);
	assert_string_equal(text, "abc");
	assert_int_equal(sys_efi_remove(root, path), 0);
	assert_int_equal(sys_efi_remove(root, path), -ENOENT);
	fakesys_file(root, path, "xy");
	assert_int_equal(sys_efi_read(root, path, text, sizeof(text)), -EBADMSG);
	assert_false(sys_efi_path("a-name-that-is-so-long-that-the-path-would-not-hold-it-at-all-"
				  "whatever-else-is-in-it",
				  SYS_EFI_OURS, path));
}

static void test_pstore(void **state)
{
	char text[32];

	(void)state;
	assert_int_equal(sys_pstore_each(root, note, NULL), -ENOENT);
	fakesys_file(root, "sys/fs/pstore/dmesg-efi_pstore-1", "words");
	fakesys_file(root, "sys/fs/pstore/console-efi-1", "");
	sys_pstore_each(root, note, NULL);
	assert_string_equal(seen, "dmesg-efi_pstore-1;");
	assert_int_equal(sys_pstore_read(root, "dmesg-efi_pstore-1", text, sizeof(text)), 5);
	assert_int_equal(sys_pstore_remove(root, "dmesg-efi_pstore-1"), 0);
	assert_int_equal(sys_pstore_remove(root, "dmesg-efi_pstore-1"), -ENOENT);
}

static void test_below(void **state)
{
	(void)state;
	fakesys_link(root, "sys/bus/pci/devices/0000:41:00.0",
		     "../../../devices/pci0000:40/0000:40:00.0/0000:41:00.0");
	assert_true(sys_pci_is_below(root, "0000:41:00.0", "0000:40:00.0"));
	assert_false(sys_pci_is_below(root, "0000:41:00.0", "0000:41:00.0"));
	assert_false(sys_pci_is_below(root, "0000:42:00.0", "0000:40:00.0"));
}

static void test_process(void **state)
{
	(void)state;
	fakesys_file(root, "proc/70/status", "Name:\tx\nTgid:\t69\nPid:\t70\n");
	fakesys_file(root, "proc/71/status", "Name:\tTgid: 5\n");
	assert_int_equal(sys_process_of(root, 70), 69);
	assert_int_equal(sys_process_of(root, 71), -EBADMSG);
	assert_int_equal(sys_process_of(root, 72), -ENOENT);
}

static void test_uuid(void **state)
{
	static const char path[] = "sys/class/dmi/id/product_uuid";
	char uuid[SYS_MACHINE_UUID] = "x";

	(void)state;
	assert_int_equal(sys_machine_uuid(root, uuid), -ENOENT);
	assert_string_equal(uuid, "");
	fakesys_file(root, path, "00112233-4455-6677-8899-AABBCCDDEEFF\n");
	assert_int_equal(sys_machine_uuid(root, uuid), 0);
	assert_string_equal(uuid, "00112233-4455-6677-8899-aabbccddeeff");
	fakesys_file(root, path, "00000000-0000-0000-0000-000000000000\n");
	assert_int_equal(sys_machine_uuid(root, uuid), -ENODATA);
	assert_string_equal(uuid, "");
	fakesys_file(root, path, "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF\n");
	assert_int_equal(sys_machine_uuid(root, uuid), -ENODATA);
	fakesys_file(root, path, "00112233-4455-6677-8899-AABBCCDDEEFF-more\n");
	assert_int_equal(sys_machine_uuid(root, uuid), -ENODATA);
	fakesys_file(root, path, "not settable\n");
	assert_int_equal(sys_machine_uuid(root, uuid), -ENODATA);
}

#define SYS_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SYS_CASE("watchdog and input devices", test_nodes),
		SYS_CASE("a firmware variable", test_variable),
		SYS_CASE("a panic's records", test_pstore),
		SYS_CASE("what is below a port", test_below),
		SYS_CASE("a thread's process", test_process),
		SYS_CASE("the machine's UUID", test_uuid),
	};

	return cmocka_run_group_tests_name("sys_machine", tests, NULL, NULL);
}
