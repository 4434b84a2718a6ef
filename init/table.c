/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Columns are two blanks apart; a mark takes the first of them. */
#include "table.h"

#include "util.h"

void table_begin(struct table *table, const struct table_column *column, unsigned columns)
{
	memset(table, 0, sizeof(*table));
	table->column = column;
	table->columns = columns;
}

void table_row(struct table *table)
{
	if (table->rows < TABLE_ROWS)
		table->rows++;
	table->cells = 0;
}

void table_cell(struct table *table, char mark, const char *fmt, ...)
{
	unsigned row = table->rows - 1;
	va_list ap;

	if (table->rows == 0 || table->cells == table->columns)
		return;
	va_start(ap, fmt);
	vsnprintf(table->text[row][table->cells], TABLE_CELL, fmt, ap);
	va_end(ap);
	table->mark[row][table->cells++] = mark;
}

static int width(const struct table *table, unsigned column)
{
	size_t width = strlen(table->column[column].title);

	for (unsigned row = 0; row < table->rows; row++)
		if (strlen(table->text[row][column]) > width)
			width = strlen(table->text[row][column]);
	return (int)width;
}

/* Blanks are owed until something follows them, so that no line ends in one. */
static void print_cell(const struct table *table, unsigned column, const char *text, char mark,
		       int *owed, FILE *out)
{
	int blanks = width(table, column) - (int)strlen(text);
	bool right = table->column[column].right;

	*owed += right ? blanks : 0;
	if (text[0])
		fprintf(out, "%*s%s", *owed, "", text);
	*owed = (text[0] ? 0 : *owed) + (right ? 0 : blanks) + 2;
	if (mark) {
		fputc(mark, out);
		(*owed)--;
	}
}

void table_print(const struct table *table, FILE *out)
{
	int owed = 2;

	for (unsigned i = 0; i < table->columns; i++)
		print_cell(table, i, table->column[i].title, '\0', &owed, out);
	fputc('\n', out);
	for (unsigned row = 0; row < table->rows; row++) {
		owed = 2;
		for (unsigned i = 0; i < table->columns; i++)
			print_cell(table, i, table->text[row][i], table->mark[row][i], &owed, out);
		fputc('\n', out);
	}
}
