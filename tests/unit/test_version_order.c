/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The examples of the specification, and what the boot loader's order of names rests on. */
#include "unit.h"

#include "version_order.h"

static const struct pair {
	const char *older;
	const char *newer;
} pairs[] = {
	{ "", "1" },
	{ "11", "122" },
	{ "1.1", "1.2" },
	{ "1.9", "1.10" },
	{ "1.0", "1.0.1" },
	{ "122.1", "123~rc1-1" },
	{ "123~rc1-1", "123" },
	{ "123", "123-a" },
	{ "123-a", "123-a.1" },
	{ "123-a.1", "123-1" },
	{ "123-1", "123-1.1" },
	{ "123-1.1", "123^post1" },
	{ "123^post1", "123.a-1" },
	{ "123.a-1", "123.1-1" },
	{ "123.1-1", "123a-1" },
	{ "123a-1", "124-1" },
	{ "1.0~", "1.0" },
	{ "1.0a", "1.0b" },
	{ "A", "a" },
	{ "1.a", "1.1" },
	{ "99999999999999999999998", "99999999999999999999999" },
	{ "hvinit_0.1.0.efi", "hvinit_0.1.0r2.efi" },
	{ "hvinit_0.1.0r2.efi", "hvinit_0.1.0r10.efi" },
	{ "hvinit_0.1.0r2.efi", "hvinit_0.1.1.efi" },
};

static void test_pair(void **state)
{
	const struct pair *pair = *state;

	assert_true(version_order(pair->older, pair->newer) < 0);
	assert_true(version_order(pair->newer, pair->older) > 0);
	assert_int_equal(version_order(pair->older, pair->older), 0);
	assert_int_equal(version_order(pair->newer, pair->newer), 0);
}

static const struct pair equals[] = {
	{ "", "" }, { "1.01", "1.1" }, { "1_.0", "1.0" }, { "1.0+", "1.0" }, { "00", "0" },
};

static void test_equal(void **state)
{
	const struct pair *pair = *state;

	assert_int_equal(version_order(pair->older, pair->newer), 0);
	assert_int_equal(version_order(pair->newer, pair->older), 0);
}

int main(void)
{
	static char titles[ARRAY_SIZE(pairs) + ARRAY_SIZE(equals)][80];
	struct CMUnitTest tests[ARRAY_SIZE(titles)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++, n++) {
		snprintf(titles[n], sizeof(titles[n]), "%s is before %s", pairs[i].older,
			 pairs[i].newer);
		tests[n] = CASE(titles[n], test_pair, &pairs[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(equals); i++, n++) {
		snprintf(titles[n], sizeof(titles[n]), "%s = %s", equals[i].older, equals[i].newer);
		tests[n] = CASE(titles[n], test_equal, &equals[i]);
	}
	return cmocka_run_group_tests_name("version_order", tests, NULL, NULL);
}
