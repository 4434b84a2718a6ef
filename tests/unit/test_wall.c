/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of walls. */
#include "unit.h"

#include "wall.h"

static void test_names(void **state)
{
	char text[WALL_NAMES];

	(void)state;
	assert_string_equal(wall_names(0, text), "");
	assert_string_equal(wall_names(1U << WALL_NET, text), "net");
	assert_string_equal(wall_names(1U << WALL_SECCOMP | 1U << WALL_ROOT, text),
			    "root, seccomp");
}

/* The text must never be cut: it is what somebody has to do without. */
static void test_all_fit(void **state)
{
	const wall_set all = (1U << WALLS) - 1;
	char text[WALL_NAMES];

	(void)state;
	assert_non_null(strstr(wall_names(all, text), wall_name(WALLS - 1)));
	for (unsigned i = 0; i < WALLS; i++)
		assert_non_null(strstr(text, wall_name(i)));
}

static void test_symbols(void **state)
{
	(void)state;
	assert_string_equal(kernel_symbol_name(wall_symbol(WALL_LANDLOCK)), "SECURITY_LANDLOCK");
	assert_int_equal(wall_symbol(WALL_MDWE), KERNEL_SYMBOLS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("names", test_names, NULL),
		CASE("all names fit", test_all_fit, NULL),
		CASE("what the kernel needs for them", test_symbols, NULL),
	};

	return cmocka_run_group_tests_name("wall", tests, NULL, NULL);
}
