/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which manifest a machine has, in invented images. */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "fakesys.h"
#include "select.h"
#include "sha256.h"

#define UUID "00112233-4455-6677-8899-aabbccddeeff"
#define UPPER "00112233-4455-6677-8899-AABBCCDDEEFF"
#define TURNED "33221100-5544-7766-8899-aabbccddeeff"
#define OTHER "11111111-2222-3333-4444-555555555555"
#define HEAD "# hvinit manifest 1\n"
#define HASH_OF(salt)                                 \
	"$6$" salt "$"                                \
	"0123456789012345678901234567890123456789012" \
	"0123456789012345678901234567890123456789012"

static struct diag diag;
static int root = -1;

/* The name that a manifest has by its content. */
static const char *addon_path(const char *host, const char *text)
{
	static char path[256];
	char hex[SHA256_HEX];

	sha256_hex(text, strlen(text), hex);
	str_format(path, sizeof(path), "etc/hvinit/addons/%s/%.16s.manifest", host, hex);
	return path;
}

static void addon(const char *host, const char *text)
{
	fakesys_file(root, addon_path(host, text), text);
}

static void built_in(const char *uuid)
{
	char path[256];

	str_format(path, sizeof(path), "etc/hvinit/hosts/%s.manifest", uuid);
	fakesys_file(root, path, HEAD "built in\n");
}

static void machine(const char *uuid)
{
	char text[64];

	str_format(text, sizeof(text), "%s\n", uuid);
	fakesys_file(root, "sys/class/dmi/id/product_uuid", text);
}

static const struct selected *look(void)
{
	memset(&diag, 0, sizeof(diag));
	return select_manifest(root, &diag);
}

static void assert_selected(enum select_from from, const char *path)
{
	const struct selected *selected = look();

	assert_int_equal(selected->from, from);
	assert_string_equal(selected->path, path);
	assert_ptr_equal(selected, select_look());
}

static void assert_fails(enum diag_code code, const char *part)
{
	assert_selected(SELECT_NONE, "");
	assert_finding(&diag, code, "manifest", part);
	assert_int_equal(diag_failures(&diag, DIAG_HOST), 1);
}

static void assert_warning(enum diag_code code, const char *part)
{
	assert_finding(&diag, code, "manifest", part);
	assert_int_equal(diag_failures(&diag, DIAG_HOST), 0);
}

static int setup(void **state)
{
	(void)state;
	root = fakesys_new();
	machine(UUID);
	fakesys_file(root, "etc/hvinit/manifest", HEAD "default\n");
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

/* Each comes before all that were there before it. */
static void test_order(void **state)
{
	char path[256];

	(void)state;
	assert_selected(SELECT_DEFAULT, MANIFEST_PATH);
	assert_no_finding(&diag);
	built_in(UUID);
	built_in(OTHER);
	assert_selected(SELECT_BUILT_IN, SELECT_HOSTS "/" UUID ".manifest");
	assert_no_finding(&diag);
	addon("any", HEAD "any\n");
	str_format(path, sizeof(path), "/%s", addon_path("any", HEAD "any\n"));
	assert_selected(SELECT_ADDON_ANY, path);
	assert_no_finding(&diag);
	addon(UUID, HEAD "mine\n");
	str_format(path, sizeof(path), "/%s", addon_path(UUID, HEAD "mine\n"));
	assert_selected(SELECT_ADDON, path);
	assert_no_finding(&diag);
	assert_string_equal(select_look()->built_in, SELECT_HOSTS "/" UUID ".manifest");
	assert_string_equal(select_look()->uuid, UUID);
}

/* That it is missing, manifest_load() tells. */
static void test_no_default(void **state)
{
	(void)state;
	fakesys_remove(root, "etc/hvinit/manifest");
	assert_selected(SELECT_DEFAULT, MANIFEST_PATH);
	assert_no_finding(&diag);
}

static void test_other(void **state)
{
	(void)state;
	addon(OTHER, HEAD "other\n");
	assert_selected(SELECT_DEFAULT, MANIFEST_PATH);
	assert_warning(DIAG_ADDON_OTHER, "(1), as for \"" OTHER "\"; this one is " UUID);
	addon(UUID, HEAD "mine\n");
	assert_int_equal(look()->from, SELECT_ADDON);
	assert_warning(DIAG_ADDON_OTHER, OTHER);
}

/* A fleet's addons in one folder: nothing is kept of them, and one line tells of all. */
static void test_fleet(void **state)
{
	char uuid[SYS_MACHINE_UUID];

	(void)state;
	for (unsigned n = 0; n < 500; n++) {
		str_format(uuid, sizeof(uuid), "%08x-2222-3333-4444-555555555555", n);
		addon(uuid, HEAD "other\n");
	}
	addon(UUID, HEAD "mine\n");
	assert_int_equal(look()->from, SELECT_ADDON);
	assert_warning(DIAG_ADDON_OTHER, "(500)");
}

static void test_two(void **state)
{
	(void)state;
	addon(UUID, HEAD "one\n");
	addon(UUID, HEAD "two\n");
	built_in(UUID);
	assert_fails(DIAG_ADDON_TWO, "for this host: there are 2: ");
	/* Who is to have one of his own gets none for any host. */
	addon("any", HEAD "any\n");
	assert_fails(DIAG_ADDON_TWO, "for this host");
}

/* A host's own comes first, so that two for any do not matter to it. */
static void test_two_for_any(void **state)
{
	(void)state;
	addon("any", HEAD "one\n");
	addon("any", HEAD "two\n");
	addon("any", HEAD "three\n");
	assert_fails(DIAG_ADDON_TWO, "for any host: there are 3: ");
	addon(UUID, HEAD "mine\n");
	assert_int_equal(look()->from, SELECT_ADDON);
	assert_no_finding(&diag);
}

/* Capitals are no other host, so these are two for one. */
static void test_capitals(void **state)
{
	(void)state;
	machine(UPPER);
	built_in(UUID);
	assert_selected(SELECT_BUILT_IN, SELECT_HOSTS "/" UUID ".manifest");
	addon(UPPER, HEAD "one\n");
	assert_int_equal(look()->from, SELECT_ADDON);
	addon(UUID, HEAD "two\n");
	assert_fails(DIAG_ADDON_TWO, "there are 2: ");
}

static void test_damaged(void **state)
{
	const char *path = addon_path(UUID, HEAD "mine\n");
	_cleanup_fd_ int fd = -1;

	(void)state;
	built_in(UUID);
	fakesys_file(root, path, HEAD "mine!\n");
	assert_fails(DIAG_ADDON_BAD, "its name says ");
	fakesys_remove(root, path);
	assert_fails(DIAG_ADDON_BAD, "take it from an addon for this host: there is none");
	mkdirat(root, path, 0755);
	assert_fails(DIAG_ADDON_BAD, "Invalid argument");
	unlinkat(root, path, AT_REMOVEDIR);
	assert_int_equal(mkfifoat(root, path, 0600), 0);
	assert_fails(DIAG_ADDON_BAD, "Invalid argument");
	fakesys_remove(root, path);
	fakesys_link(root, path, "nowhere");
	assert_fails(DIAG_ADDON_BAD, "No such file");
	fakesys_remove(root, path);
	fd = openat(root, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, MANIFEST_MAX), 0);
	assert_fails(DIAG_ADDON_BAD, "too large");
}

static void test_name(void **state)
{
	static const char *const names[] = {
		"manifest",
		"0123456789abcdef.manifes",
		"0123456789abcde.manifest",
		"0123456789ABCDEF.manifest",
		"0123456789abcdef0.manifest",
		"0123456789abcdef.manifest-which-has-a-name-that-is-longer-than-any-that-counts",
	};
	char path[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		str_format(path, sizeof(path), "etc/hvinit/addons/any/%s", names[i]);
		fakesys_file(root, path, HEAD);
		assert_fails(DIAG_ADDON_BAD, "for any host: its name is not 16");
		fakesys_remove(root, path);
	}
}

static void test_no_folders(void **state)
{
	(void)state;
	fakesys_file(root, "etc/hvinit/addons/" UUID, "a file");
	assert_fails(DIAG_ADDON_BAD, "Not a directory");
	fakesys_remove(root, "etc/hvinit/addons/" UUID);
	unlinkat(root, "etc/hvinit/addons", AT_REMOVEDIR);
	fakesys_file(root, "etc/hvinit/addons", "a file");
	assert_fails(DIAG_ADDON_BAD, "Not a directory");
}

/* Where nobody is told from others, what is for all of them counts, and a name guessed by luck does not. */
static void test_no_uuid(void **state)
{
	static const char *const none[] = { "",
					    "00000000-0000-0000-0000-000000000000",
					    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
					    "any",
					    "../../../../etc/hvinit/addons/any/xx",
					    "00112233-4455-6677-8899-aabbccddeef",
					    "00112233-4455-6677-8899-aabbccddeeff0",
					    "00112233-4455-6677-8899xaabbccddeeff" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		machine(none[i]);
		assert_selected(SELECT_DEFAULT, MANIFEST_PATH);
		assert_no_finding(&diag);
		assert_string_equal(select_look()->uuid, "");
	}
	fakesys_remove(root, "sys/class/dmi/id/product_uuid");
	assert_selected(SELECT_DEFAULT, MANIFEST_PATH);
	assert_no_finding(&diag);
	built_in(UUID);
	assert_selected(SELECT_DEFAULT, MANIFEST_PATH);
	assert_warning(DIAG_MACHINE_UUID, "the firmware gives no UUID");
	addon("any", HEAD "any\n");
	assert_int_equal(look()->from, SELECT_ADDON_ANY);
	addon("00000000-0000-0000-0000-000000000000", HEAD "zero\n");
	machine("00000000-0000-0000-0000-000000000000");
	assert_int_equal(look()->from, SELECT_ADDON_ANY);
	assert_int_equal(diag.count, 2);
	assert_int_equal(diag.finding[0].code, DIAG_ADDON_OTHER);
	assert_non_null(strstr(diag.finding[0].text, "without a UUID"));
	assert_int_equal(diag.finding[1].code, DIAG_MACHINE_UUID);
}

/* By a program that shows the bytes of the first fields the other way round. */
static void test_byte_order(void **state)
{
	(void)state;
	built_in(TURNED);
	assert_selected(SELECT_DEFAULT, MANIFEST_PATH);
	assert_warning(DIAG_MACHINE_UUID, "there is one for " TURNED ", but this is " UUID);
	addon(TURNED, HEAD "mine\n");
	assert_selected(SELECT_DEFAULT, MANIFEST_PATH);
	assert_int_equal(diag.count, 2);
	assert_int_equal(diag.finding[1].code, DIAG_MACHINE_UUID);
}

/* One that reads the same both ways is not told of as its own other way. */
static void test_palindrome(void **state)
{
	(void)state;
	machine(OTHER);
	built_in(OTHER);
	assert_int_equal(look()->from, SELECT_BUILT_IN);
	assert_no_finding(&diag);
}

static void make_manifest(const char *path, const char *body)
{
	char hex[SHA256_HEX];
	char text[1024];

	sha256_hex(body, strlen(body), hex);
	str_format(text, sizeof(text), HEAD "# sha256 %s\n%s", hex, body);
	fakesys_file(root, path, text);
}

/* Whoever can break an addon does not get in by that. */
static void test_door(void **state)
{
	static struct config config;

	(void)state;
	make_manifest("etc/hvinit/manifest",
		      "HOST_SHELL=y\nHOST_CONSOLE_PASSWORD=\"" HASH_OF("default") "\"\n");
	addon(UUID, HEAD "one\n");
	addon(UUID, HEAD "two\n");
	manifest_defaults(&config);
	assert_int_equal(look()->from, SELECT_NONE);
	select_keep_door(root, &config);
	assert_string_equal(config.host.console_password, HASH_OF("default"));
	assert_true(config.host.shell);

	make_manifest("etc/hvinit/hosts/" UUID ".manifest",
		      "HOST_CONSOLE_PASSWORD=\"" HASH_OF("mine") "\"\n");
	manifest_defaults(&config);
	look();
	select_keep_door(root, &config);
	assert_string_equal(config.host.console_password, HASH_OF("mine"));
	assert_false(config.host.shell);

	/* One that was read counts. */
	str_copy(config.host.console_password, sizeof(config.host.console_password),
		 HASH_OF("own"));
	config.host.shell = true;
	select_keep_door(root, &config);
	assert_string_equal(config.host.console_password, HASH_OF("own"));
	assert_true(config.host.shell);
}

static void test_words(void **state)
{
	(void)state;
	for (enum select_from from = SELECT_ADDON; from <= SELECT_NONE; from++) {
		assert_true(strlen(select_words(from)) > 0);
		assert_null(strchr(select_word(from), ' '));
	}
	assert_string_equal(select_words(SELECT_ADDON), "from an addon for this host");
	assert_string_equal(select_word(SELECT_NONE), "none");
}

#define SELECT_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SELECT_CASE("which comes before which", test_order),
		SELECT_CASE("no default", test_no_default),
		SELECT_CASE("an addon for another host", test_other),
		SELECT_CASE("addons of a fleet", test_fleet),
		SELECT_CASE("two addons", test_two),
		SELECT_CASE("two addons for any host", test_two_for_any),
		SELECT_CASE("capitals", test_capitals),
		SELECT_CASE("a damaged addon", test_damaged),
		SELECT_CASE("names of manifests", test_name),
		SELECT_CASE("what is no folder", test_no_folders),
		SELECT_CASE("a machine without a UUID", test_no_uuid),
		SELECT_CASE("another order of bytes", test_byte_order),
		SELECT_CASE("a UUID that has one order only", test_palindrome),
		SELECT_CASE("the console's door", test_door),
		CASE("words", test_words, NULL),
	};

	return cmocka_run_group_tests_name("select", tests, NULL, NULL);
}
