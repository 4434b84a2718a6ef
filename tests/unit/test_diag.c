/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The catalogue is complete, and findings stay inside their memory. */
#include "unit.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>

static void test_catalogue(void **state)
{
	(void)state;
	for (unsigned i = 0; i < DIAG_CODES; i++) {
		const char *code = diag_code_text((enum diag_code)i);

		assert_non_null(code);
		for (const char *c = code; *c; c++)
			assert_true(isupper(*c) || isdigit(*c) || *c == '-');
		assert_true(strlen(diag_code_remedy((enum diag_code)i)) > 0);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(code, diag_code_text((enum diag_code)j));
	}
}

static void test_one_write(void **state)
{
	(void)state;
	assert_true(sizeof(struct finding) < PIPE_BUF);
}

static void test_counts(void **state)
{
	struct diag diag = { 0 };

	(void)state;
	diag_add(&diag, 1, DIAG_DEV_NONE, "VM1_X", "a");
	diag_add(&diag, DIAG_HOST, DIAG_MANIFEST_LINE, "manifest", "b");
	diag_add(&diag, DIAG_HOST, DIAG_MODULE_LOAD, "HOST_MODULES", "a warning");
	assert_int_equal(diag_failures(&diag, 0), 0);
	assert_int_equal(diag_failures(&diag, 1), 1);
	assert_int_equal(diag_failures(&diag, DIAG_HOST), 1);
}

/* What only foretells a refusal fails like the rest, unless whoever adds it knows better. */
static void test_refused(void **state)
{
	struct diag diag = { 0 };

	(void)state;
	assert_int_equal(diag_code_severity(DIAG_SMMU_ATS), DIAG_REFUSED);
	diag_add(&diag, 0, DIAG_SMMU_ATS, "VM0_VSMMU0_ATS", "a failure");
	assert_int_equal(diag.finding[0].severity, DIAG_FAIL);
	assert_int_equal(diag_failures(&diag, 0), 1);
	diag_warn(&diag, 0, DIAG_SMMU_ATS, "VM0_VSMMU0_ATS", "a warning");
	assert_int_equal(diag.finding[1].severity, DIAG_WARN);
	assert_int_equal(diag_failures(&diag, 0), 1);
	for (unsigned i = 0; i < DIAG_MAX; i++)
		diag_warn(&diag, 0, DIAG_SMMU_ATS, "VM0_VSMMU0_ATS", "dropped in the end");
	assert_int_equal(diag_failures(&diag, 0), 1);
}

static void test_full(void **state)
{
	struct diag diag = { 0 };

	(void)state;
	for (unsigned i = 0; i < DIAG_MAX + 3; i++)
		diag_add(&diag, 0, DIAG_DEV_NONE, "VM0", "%u", i);
	assert_int_equal(diag.count, DIAG_MAX);
	assert_int_equal(diag.dropped, 3);
	assert_string_equal(diag.finding[DIAG_MAX - 1].text, "47");
}

/* A failure that was dropped may concern any VM: none is clean then. A warning does not. */
static void test_full_of_warnings(void **state)
{
	struct diag diag = { 0 };

	(void)state;
	for (unsigned i = 0; i < DIAG_MAX + 1; i++)
		diag_add(&diag, DIAG_HOST, DIAG_CMDLINE_OVERRIDE, "x", "a warning");
	assert_int_equal(diag_failures(&diag, 1), 0);
	diag_add(&diag, 1, DIAG_SYMBOL_VALUE, "VM1_CPUS", "bad");
	assert_int_equal(diag_failures(&diag, 1), 1);
	assert_int_equal(diag_failures(&diag, DIAG_HOST), 1);
}

static void test_cut(void **state)
{
	struct diag diag = { 0 };
	char text[2000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	diag_add(&diag, 0, DIAG_DEV_NONE, text, "%s", text);
	assert_int_equal(strlen(diag.finding[0].subject), DIAG_SUBJECT - 1);
	assert_int_equal(strlen(diag.finding[0].text), DIAG_TEXT - 1);
}

static void test_format(void **state)
{
	struct diag diag = { 0 };
	char line[128];

	(void)state;
	diag_add(&diag, 0, DIAG_DEV_NONE, "VM0_HOSTDEV0_BDF", "find %s: no such PCI device",
		 "0000:41:00.0");
	diag_format(&diag.finding[0], line, sizeof(line));
	assert_string_equal(line,
			    "VM0_HOSTDEV0_BDF: find 0000:41:00.0: no such PCI device [DEV-NONE]");
}

/* Findings quote manifests and QEMU: neither may steer the terminal they are shown on. */
static void test_control_characters(void **state)
{
	struct diag diag = { 0 };

	(void)state;
	diag_add(&diag, 0, DIAG_SYMBOL_VALUE, "VM0_\033X", "line 3: %s", "\033[2J\r\nx\xc3\xa9");
	assert_string_equal(diag.finding[0].subject, "VM0_?X");
	assert_string_equal(diag.finding[0].text, "line 3: ?[2J??x\xc3\xa9");
}

static void test_print(void **state)
{
	struct diag diag = { 0 };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	diag_add(&diag, 0, DIAG_QEMU_NONE, "demo", "start it: no such file");
	diag.dropped = 2;
	diag_print(&diag, out);
	fclose(out);
	assert_string_equal(text, "hvinit: demo: start it: no such file [QEMU-NONE]\n"
				  "hvinit: remedy: rebuild the image; the file list is in rootfs/\n"
				  "hvinit: 2 more findings not shown\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("every code is unique and has a remedy", test_catalogue, NULL),
		CASE("a finding fits into one write to a pipe", test_one_write, NULL),
		CASE("failures are counted for each VM", test_counts, NULL),
		CASE("a foretold refusal fails or warns", test_refused, NULL),
		CASE("a full list counts what it drops", test_full, NULL),
		CASE("dropped failures count for everybody", test_full_of_warnings, NULL),
		CASE("long texts are cut", test_cut, NULL),
		CASE("subject, text and code", test_format, NULL),
		CASE("control characters are replaced", test_control_characters, NULL),
		CASE("findings and remedies are printed", test_print, NULL),
	};

	return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
