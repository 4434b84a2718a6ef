/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an image says of itself, and whether this machine may boot it. */
#include "unit.h"

#include <fcntl.h>

#include "fakeimage.h"
#include "update_image.h"
#include "version.h"

static struct update_image image;
static struct diag diag;

static bool look(const struct fake_image *fake, bool force)
{
	_cleanup_fd_ int fd = fakeimage_memory(fake);

	diag = (struct diag){ 0 };
	return update_image_look(fd, "file", force, &image, &diag);
}

static void test_newer(void **state)
{
	(void)state;
	assert_true(look(&(struct fake_image){ .version = "99.1~rc2+git" }, false));
	assert_no_finding(&diag);
	assert_string_equal(image.version, "99.1~rc2+git");
	assert_false(image.is_signed);
	assert_true(look(&(struct fake_image){ .version = "99", .is_signed = true }, false));
	assert_true(image.is_signed);
}

static void test_force(void **state)
{
	(void)state;
	assert_true(look(&(struct fake_image){ .version = HVINIT_VERSION }, true));
	assert_true(look(&(struct fake_image){ .version = "0.0.1" }, true));
	assert_no_finding(&diag);
}

static const struct bad {
	const char *title;
	struct fake_image fake;
	enum diag_code code;
	const char *part;
} bads[] = {
	{ "no program",
	  { .version = "99", .damage = FAKE_NO_PE },
	  DIAG_UPDATE_FORMAT,
	  "it is no EFI program" },
	{ "contradictory headers",
	  { .version = "99", .damage = FAKE_CONTRADICTION },
	  DIAG_UPDATE_FORMAT,
	  "they contradict each other" },
	{ "cut off",
	  { .version = "99", .damage = FAKE_CUT },
	  DIAG_UPDATE_CUT,
	  "shorter than they say" },
	{ "x86",
	  { .version = "99", .machine = 0x8664 },
	  DIAG_UPDATE_ARCH,
	  "its architecture is x86-64 (0x8664)" },
	{ "no known architecture",
	  { .version = "99", .machine = 0x1234 },
	  DIAG_UPDATE_ARCH,
	  "an unknown one (0x1234)" },
	{ "no kernel",
	  { .version = "99", .damage = FAKE_NO_KERNEL },
	  DIAG_UPDATE_FORMAT,
	  "one kernel and one os-release" },
	{ "no os-release",
	  { .version = "99", .damage = FAKE_NO_RELEASE },
	  DIAG_UPDATE_FORMAT,
	  "one kernel and one os-release" },
	{ "os-release twice",
	  { .version = "99", .damage = FAKE_TWO_RELEASES },
	  DIAG_UPDATE_FORMAT,
	  "one kernel and one os-release" },
	{ "a NUL in os-release",
	  { .version = "99\0x", .damage = FAKE_NUL },
	  DIAG_UPDATE_FORMAT,
	  "one kernel and one os-release" },
	{ "another system",
	  { .version = "99", .id = "debian" },
	  DIAG_UPDATE_FORMAT,
	  "no image of hvinit" },
	{ "ID twice",
	  { .version = "99", .more = "ID=hvinit\n" },
	  DIAG_UPDATE_FORMAT,
	  "no image of hvinit" },
	{ "another board",
	  { .version = "99", .board = "moonbase" },
	  DIAG_UPDATE_BOARD,
	  "it is for board \"moonbase\"" },
	{ "no board", { .version = "99", .board = "" }, DIAG_UPDATE_BOARD, "it is for board \"\"" },
	{ "no version", { .version = "" }, DIAG_UPDATE_VERSION, "\"\" is none" },
	{ "a folder in the version",
	  { .version = "../99" },
	  DIAG_UPDATE_VERSION,
	  "\"../99\" is none" },
	{ "a version with counters", { .version = "99+5" }, DIAG_UPDATE_VERSION, "is none" },
	{ "a blank in the version", { .version = "99 1" }, DIAG_UPDATE_VERSION, "is none" },
	{ "a long version",
	  { .version = "99.99999999999999999999999999999999999" },
	  DIAG_UPDATE_VERSION,
	  "is none" },
	{ "version twice",
	  { .version = "99", .more = "VERSION_ID=98\n" },
	  DIAG_UPDATE_VERSION,
	  "\"\" is none" },
	{ "the same version",
	  { .version = HVINIT_VERSION },
	  DIAG_UPDATE_OLD,
	  "which is the same as version " HVINIT_VERSION " that runs" },
	{ "older", { .version = "0.0.1" }, DIAG_UPDATE_OLD, "which is older than" },
};

static void test_bad(void **state)
{
	const struct bad *bad = *state;

	assert_false(look(&bad->fake, false));
	assert_finding(&diag, bad->code, "file", bad->part);
}

static void test_unreadable(void **state)
{
	(void)state;
	diag = (struct diag){ 0 };
	assert_false(update_image_look(-1, "file", false, &image, &diag));
	assert_finding(&diag, DIAG_UPDATE_READ, "file", "read it: Bad file descriptor");
}

static void test_release(void **state)
{
	static const char text[] = "NAME=\"a b\"\nIDX=1\nID='x'\n\nEMPTY=\nBAD=\"x\nLAST=z";
	char value[8];

	(void)state;
	assert_true(update_release_value(text, "NAME", value, sizeof(value)));
	assert_string_equal(value, "a b");
	assert_true(update_release_value(text, "ID", value, sizeof(value)));
	assert_string_equal(value, "x");
	assert_true(update_release_value(text, "EMPTY", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_true(update_release_value(text, "BAD", value, sizeof(value)));
	assert_string_equal(value, "\"x");
	assert_true(update_release_value(text, "LAST", value, sizeof(value)));
	assert_string_equal(value, "z");
	assert_false(update_release_value(text, "NAM", value, sizeof(value)));
	assert_false(update_release_value(text, "NAME", value, 3));
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(bads) + 4] = {
		CASE("newer", test_newer, NULL),
		CASE("forced", test_force, NULL),
		CASE("cannot be read", test_unreadable, NULL),
		CASE("os-release", test_release, NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(bads); i++)
		tests[4 + i] = CASE(bads[i].title, test_bad, &bads[i]);
	return cmocka_run_group_tests_name("update_image", tests, NULL, NULL);
}
