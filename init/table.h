/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small table whose columns are as wide as what stands in them. */
#ifndef HVINIT_TABLE_H
#define HVINIT_TABLE_H

#include <stdbool.h>
#include <stdio.h>

enum { TABLE_ROWS = 20, TABLE_COLUMNS = 10, TABLE_CELL = 64 };

struct table_column {
	const char *title;
	bool right; /* numbers stand at the right edge */
};

struct table {
	unsigned columns;
	const struct table_column *column; /* the caller's */
	unsigned rows;
	unsigned cells; /* of the last row */
	char text[TABLE_ROWS][TABLE_COLUMNS][TABLE_CELL];
	char mark[TABLE_ROWS][TABLE_COLUMNS];
};

/* Empties the table. column must have at most TABLE_COLUMNS elements, and outlive it. */
void table_begin(struct table *table, const struct table_column *column, unsigned columns);

/* Begins a row; those beyond TABLE_ROWS overwrite the last. */
void table_row(struct table *table);

/*
 * The next cell of the row; what is longer than a cell is cut. mark is a character that stands
 * behind it without changing the column's edge, or '\0'.
 */
void table_cell(struct table *table, char mark, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Prints the titles and the rows, all two columns from the left edge. */
void table_print(const struct table *table, FILE *out);

#endif
