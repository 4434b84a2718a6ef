/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Widths, edges, marks, and no blanks at the ends of lines. */
#include "unit.h"

#include <stdlib.h>

#include "table.h"

static const struct table_column columns[] = { { "NR", true }, { "NAME", false }, { "X", true } };

static struct table table;

static void assert_prints(const char *want)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	table_print(&table, out);
	fclose(out);
	assert_string_equal(text, want);
	free(text);
}

static int setup(void **state)
{
	(void)state;
	table_begin(&table, columns, ARRAY_SIZE(columns));
	return 0;
}

static void row(const char *nr, const char *name, const char *x, char mark)
{
	table_row(&table);
	table_cell(&table, mark, "%s", nr);
	table_cell(&table, mark, "%s", name);
	table_cell(&table, mark, "%s", x);
}

static void test_empty(void **state)
{
	(void)state;
	assert_prints("  NR  NAME  X\n");
}

static void test_widths(void **state)
{
	(void)state;
	row("1", "a", "10", '\0');
	row("100", "longer", "9", '\0');
	assert_prints("   NR  NAME     X\n"
		      "    1  a       10\n"
		      "  100  longer   9\n");
}

static void test_marks(void **state)
{
	(void)state;
	row("1", "a", "2", '*');
	row("1", "long", "2", '\0');
	assert_prints("  NR  NAME  X\n"
		      "   1* a*    2*\n"
		      "   1  long  2\n");
}

/* Cells that are missing or empty leave their room, but nothing at the end of the line. */
static void test_gaps(void **state)
{
	(void)state;
	row("", "a", "", '\0');
	table_row(&table);
	table_cell(&table, '\0', "7");
	assert_prints("  NR  NAME  X\n"
		      "      a\n"
		      "   7\n");
}

static void test_too_much(void **state)
{
	char wide[TABLE_CELL + 10];

	(void)state;
	memset(wide, 'w', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	table_cell(&table, '\0', "before any row");
	assert_int_equal(table.rows, 0);
	for (unsigned i = 0; i < TABLE_ROWS + 1; i++)
		row("1", wide, "1", '\0');
	table_cell(&table, '\0', "a fourth");
	assert_int_equal(table.rows, TABLE_ROWS);
	assert_int_equal(strlen(table.text[0][1]), TABLE_CELL - 1);
}

#define TABLE_CASE(title, function) FIXTURE(title, function, setup, NULL, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_CASE("titles alone", test_empty),
		TABLE_CASE("columns grow", test_widths),
		TABLE_CASE("marks stand in the gap", test_marks),
		TABLE_CASE("gaps", test_gaps),
		TABLE_CASE("too wide, too long, too many", test_too_much),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
