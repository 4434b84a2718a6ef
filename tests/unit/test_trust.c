/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Secure Boot, lockdown, and words that somebody else has put on the command line. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <linux/magic.h>

#include "fakesys.h"
#include "manifest.h"
#include "sys_machine.h"
#include "trust.h"

#define VARIABLE                    \
	"sys/firmware/efi/efivars/" \
	"SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define LOCKDOWN "sys/kernel/security/lockdown"
#define SIGNED "etc/hvinit/certificate.pem"

static int root = -1;
static struct diag diag;
static bool is_efivarfs;

int __wrap_fstatfs(int fd, struct statfs *fs);

int __wrap_fstatfs(int fd, struct statfs *fs)
{
	assert_true(fd >= 0);
	memset(fs, 0, sizeof(*fs));
	fs->f_type = is_efivarfs ? EFIVARFS_MAGIC : SYSFS_MAGIC;
	return 0;
}

static int setup(void **state)
{
	(void)state;
	memset(&diag, 0, sizeof(diag));
	is_efivarfs = true;
	root = fakesys_new();
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

/* The variable as efivarfs has it: attributes, and a byte. */
static void firmware(const char *value, size_t size)
{
	int fd;

	fakesys_file(root, VARIABLE, "");
	fd = openat(root, VARIABLE, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, value, size), size);
	close(fd);
}

static void machine(const char *value, const char *lockdown)
{
	firmware(value, 5);
	fakesys_file(root, LOCKDOWN, lockdown);
}

#define ON "\6\0\0\0\1"
#define OFF "\6\0\0\0\0"

static void test_secure_boot(void **state)
{
	(void)state;
	assert_int_equal(sys_secure_boot(root), 0); /* no EFI */
	firmware(ON, 5);
	assert_int_equal(sys_secure_boot(root), 1);
	firmware(OFF, 5);
	assert_int_equal(sys_secure_boot(root), 0);
	fakesys_remove(root, VARIABLE);
	assert_int_equal(sys_secure_boot(root), 0); /* firmware that has none */
}

/* What cannot be told is no "off": the kernel's words could have brought it about. */
static void test_untold(void **state)
{
	struct trust trust;

	(void)state;
	firmware(OFF, 5);
	is_efivarfs = false;
	assert_int_equal(sys_secure_boot(root), -ENODEV);
	is_efivarfs = true;
	firmware(OFF, 4);
	assert_int_equal(sys_secure_boot(root), -EBADMSG);
	firmware("\6\0\0\0\0\0", 6);
	assert_true(sys_secure_boot(root) < 0);
	trust_look(root, &trust);
	assert_false(trust_cmdline(&trust));
	fakesys_remove(root, VARIABLE);
	assert_int_equal(unlinkat(root, "sys/firmware/efi/efivars", AT_REMOVEDIR), 0);
	assert_int_equal(sys_secure_boot(root), -ENOENT);
}

static void test_lockdown(void **state)
{
	char word[16];

	(void)state;
	assert_int_equal(sys_lockdown(root, word, sizeof(word)), -ENOENT);
	assert_string_equal(word, "");
	fakesys_file(root, LOCKDOWN, "none [integrity] confidentiality\n");
	assert_int_equal(sys_lockdown(root, word, sizeof(word)), 0);
	assert_string_equal(word, "integrity");
	fakesys_file(root, LOCKDOWN, "[none] integrity confidentiality\n");
	assert_int_equal(sys_lockdown(root, word, sizeof(word)), 0);
	assert_string_equal(word, "none");
	assert_int_equal(sys_lockdown(root, word, 4), -ENAMETOOLONG);
	fakesys_file(root, LOCKDOWN, "none [integrity\n");
	assert_int_equal(sys_lockdown(root, word, sizeof(word)), -EBADMSG);
	fakesys_file(root, LOCKDOWN, "none [] integrity\n");
	assert_int_equal(sys_lockdown(root, word, sizeof(word)), -EBADMSG);
	fakesys_file(root, LOCKDOWN, "none integrity\n");
	assert_int_equal(sys_lockdown(root, word, sizeof(word)), -EBADMSG);
}

static void look(const char *cmdline)
{
	memset(&diag, 0, sizeof(diag));
	trust_check(trust_begin(root), cmdline, &diag);
}

static void assert_told(const char *text)
{
	char told[TRUST_TEXT];

	assert_string_equal(trust_text(trust_get(), told), text);
}

static void test_all_is_well(void **state)
{
	(void)state;
	machine(ON, "none [integrity] confidentiality\n");
	fakesys_file(root, SIGNED, "");
	look("quiet lockdown=integrity --");
	assert_int_equal(diag.count, 0);
	assert_told("secure boot: on, lockdown: integrity");
	assert_true(trust_get()->is_signed);
	assert_false(trust_cmdline(trust_get()));
	/* The image as it is without a signature. */
	machine(OFF, "[none] integrity confidentiality\n");
	fakesys_remove(root, SIGNED);
	look("quiet");
	assert_int_equal(diag.count, 0);
	assert_told("secure boot: off, lockdown: none");
	assert_false(trust_get()->is_signed);
	assert_true(trust_cmdline(trust_get()));
}

static void test_not_locked_down(void **state)
{
	(void)state;
	machine(ON, "[none] integrity confidentiality\n");
	look("");
	assert_int_equal(diag.count, 1);
	assert_finding(&diag, DIAG_LOCKDOWN_NONE, "kernel", "lockdown is none");
	assert_int_equal(diag_failures(&diag, DIAG_HOST), 0);
	fakesys_remove(root, LOCKDOWN);
	look("");
	assert_finding(&diag, DIAG_LOCKDOWN_NONE, "kernel", "lockdown is not there");
	assert_told("secure boot: on, lockdown: unknown");
}

static void test_not_verified(void **state)
{
	(void)state;
	machine(OFF, "none [integrity] confidentiality\n");
	fakesys_file(root, SIGNED, "");
	look("");
	assert_int_equal(diag.count, 1);
	assert_finding(&diag, DIAG_SECURE_BOOT_OFF, "firmware", "Secure Boot is off");
	is_efivarfs = false;
	look("");
	assert_finding(&diag, DIAG_SECURE_BOOT_OFF, "firmware", "cannot be asked for");
	assert_told("secure boot: unknown, lockdown: integrity");
}

static void test_rest(void **state)
{
	(void)state;
	assert_string_equal(cmdline_rest("a --b -- c"), "-- c");
	assert_string_equal(cmdline_rest("-- c"), "-- c");
	assert_string_equal(cmdline_rest("a --"), "--");
	assert_string_equal(cmdline_rest("a\t--\nc -- d"), "--\nc -- d");
	assert_string_equal(cmdline_rest("a ---"), "");
	assert_string_equal(cmdline_rest("a b-- c"), "");
	assert_string_equal(cmdline_rest(""), "");
	machine(OFF, "[none] integrity confidentiality\n");
	look("quiet -- hvinit.safe");
	assert_int_equal(diag.count, 0);
	look("quiet -- rdinit=/bin/sh  hvinit.safe lsm=");
	assert_int_equal(diag.count, 1);
	assert_finding(&diag, DIAG_CMDLINE_REST, "kernel command line",
		       "2 words behind \"--\", the first is \"rdinit=/bin/sh\"");
	look("-- x");
	assert_finding(&diag, DIAG_CMDLINE_REST, "kernel command line", "1 word behind");
}

/* Neither many words nor a long one keep others from being told. */
static void test_flood(void **state)
{
	static char cmdline[4096];
	size_t used = 0;

	(void)state;
	machine(OFF, "[none] integrity confidentiality\n");
	used += (size_t)snprintf(cmdline, sizeof(cmdline), "-- ");
	memset(cmdline + used, 'x', 500);
	used += 500;
	while (used + 3 < sizeof(cmdline))
		used += (size_t)snprintf(cmdline + used, sizeof(cmdline) - used, " y");
	look(cmdline);
	assert_int_equal(diag.count, 1);
	assert_true(strlen(diag.finding[0].text) < 200);
}

/* Even behind "--" firmware can ask for safe mode: that is the one word that only takes away. */
static void test_safe(void **state)
{
	static struct config config;

	(void)state;
	manifest_defaults(&config);
	assert_true(manifest_cmdline("quiet -- hvinit.safe", false, &config, &diag));
	assert_int_equal(diag.count, 0);
}

#define TRUST_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TRUST_CASE("the firmware's variable", test_secure_boot),
		TRUST_CASE("a variable that cannot be read", test_untold),
		TRUST_CASE("the kernel's lockdown", test_lockdown),
		TRUST_CASE("signed and not signed", test_all_is_well),
		TRUST_CASE("Secure Boot without lockdown", test_not_locked_down),
		TRUST_CASE("a signed image that nobody verifies", test_not_verified),
		TRUST_CASE("words behind the end", test_rest),
		TRUST_CASE("a flood of words", test_flood),
		TRUST_CASE("safe mode", test_safe),
	};

	return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
