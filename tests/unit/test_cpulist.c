/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of CPUs. */
#include "unit.h"

#include "cpulist.h"

static void comes_back(const char *text, const char *want)
{
	struct cpulist list;
	char printed[CPULIST_TEXT];

	assert_true(cpulist_parse(text, &list));
	assert_string_equal(cpulist_print(&list, printed), want);
}

static void lists_come_back(void **state)
{
	(void)state;
	comes_back("", "");
	comes_back("0", "0");
	comes_back("0-3,8", "0-3,8");
	comes_back("8,3,2,1", "1-3,8");
	comes_back("5-5", "5");
	comes_back("62-65", "62-65");
	comes_back("0-1023", "0-1023");
}

static void others_are_refused(void **state)
{
	static const char *const wrong[] = { " ",  ",",	  "1,",	  ",1",	    "1-",
					     "-1", "3-2", "1024", "0-1024", "99999999999999999999",
					     "a",  "1;2" };
	struct cpulist list;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_false(cpulist_parse(wrong[i], &list));
}

static void a_long_list_is_cut(void **state)
{
	struct cpulist list = { 0 };
	char printed[CPULIST_TEXT];

	(void)state;
	for (unsigned i = 0; i < sizeof(list.bit) / sizeof(list.bit[0]); i++)
		list.bit[i] = UINT64_C(0x5555555555555555);
	cpulist_print(&list, printed);
	assert_true(strlen(printed) < CPULIST_TEXT);
	assert_memory_equal(printed, "0,2,4", 5);
	assert_string_equal(printed + strlen(printed) - strlen("…"), "…");
}

static void members_are_found(void **state)
{
	struct cpulist a;
	struct cpulist b;

	(void)state;
	assert_true(cpulist_parse("4,64-66,1000", &a));
	assert_true(cpulist_parse("5,66,1001", &b));
	assert_int_equal(cpulist_count(&a), 5);
	assert_true(cpulist_has(&a, 64));
	assert_false(cpulist_has(&a, 63));
	assert_false(cpulist_has(&a, CPULIST_MAX));
	assert_int_equal(cpulist_nth(&a, 0), 4);
	assert_int_equal(cpulist_nth(&a, 4), 1000);
	assert_int_equal(cpulist_nth(&a, 5), -1);
	assert_int_equal(cpulist_common(&a, &b), 66);
	assert_int_equal(cpulist_missing(&a, &b), 4);
	assert_int_equal(cpulist_missing(&b, &a), 5);
	assert_true(cpulist_parse("1", &b));
	assert_int_equal(cpulist_common(&a, &b), -1);
	assert_int_equal(cpulist_missing(&a, &a), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_come_back),
		cmocka_unit_test(others_are_refused),
		cmocka_unit_test(a_long_list_is_cut),
		cmocka_unit_test(members_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
