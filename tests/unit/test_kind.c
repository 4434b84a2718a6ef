/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words for classes: exact ones before general ones, and one for everything. */
#include "unit.h"

#include "kind.h"

struct row {
	uint32_t class;
	const char *kind;
};

static const struct row rows[] = {
	{ 0x010802, "NVMe" },	    { 0x010801, "storage" },	{ 0x010000, "SCSI" },
	{ 0x020000, "Ethernet" },   { 0x020700, "InfiniBand" }, { 0x028000, "network" },
	{ 0x030000, "VGA" },	    { 0x030200, "GPU" },	{ 0x030100, "display" },
	{ 0x060400, "PCI bridge" }, { 0x0c0330, "USB" },	{ 0x120000, "accelerator" },
	{ 0x000000, "other" },	    { 0xff0000, "other" },	{ UINT32_MAX, "other" },
};

static void test_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(kind_of(rows[i].class), rows[i].kind);
}

static void test_length(void **state)
{
	(void)state;
	for (uint32_t class = 0; class < 0x1000000; class += 0x80)
		assert_true(strlen(kind_of(class)) < KIND_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests_name("kind", tests, NULL, NULL);
}
