/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far words are from each other. */
#include "unit.h"

#include <limits.h>

#include "nearest.h"

struct pair {
	const char *a;
	const char *b;
	unsigned distance;
};

static const struct pair pairs[] = {
	{ "", "", 0 },		{ "stop", "stop", 0 },	   { "", "stop", 4 },
	{ "stop", "", 4 },	{ "statsu", "status", 1 }, { "stpo", "stop", 1 },
	{ "stp", "stop", 1 },	{ "stoop", "stop", 1 },	   { "stip", "stop", 1 },
	{ "start", "stop", 3 }, { "ca", "abc", 3 },	   { "reboot", "robot", 2 },
};

static void test_distance(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		assert_int_equal(nearest_distance(pairs[i].a, pairs[i].b), pairs[i].distance);
		assert_int_equal(nearest_distance(pairs[i].b, pairs[i].a), pairs[i].distance);
	}
}

static void test_long(void **state)
{
	static const char long_word[] = "abcdefghijklmnopqrstuvwxyzabcdef";

	(void)state;
	assert_int_equal(nearest_distance(long_word, long_word), 0);
	assert_int_equal(nearest_distance(long_word, "abcdefghijklmnopqrstuvwxyzabcdefg"),
			 UINT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
