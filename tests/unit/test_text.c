/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest may not do to the operator's terminal. */
#include "unit.h"

#include "text.h"

struct row {
	const char *in;
	const char *out;
};

static const struct row rows[] = {
	{ "plain\ttext ~!\n", "plain\ttext ~!\n" },
	{ "caf\xc3\xa9", "caf\xc3\xa9" },
	{ "a\rb\ac\bd\x7f\x01", "abcd" },
	{ "\033[31mred\033[0m", "red" },
	{ "\033[2J\033[1;1Hx", "x" },
	{ "\033]0;title\ax", "x" },
	{ "\033]0;title\033\\x", "x" },
	{ "\033Pq#0\033\\x\033_y\033\\z", "xz" },
	{ "\033(Bx\033=y\0337z", "xyz" },
	{ "\033]0;never ended\nnext", "\nnext" },
	{ "\033[31\nnext", "\nnext" },
	{ "\033]a\033b\ac", "c" },
	{ "\xe2\x94\x94\xe2\x94\x80 \xf0\x9f\x90\x9f",
	  "\xe2\x94\x94\xe2\x94\x80 \xf0\x9f\x90\x9f" },
	{ "a\xc2\x9b"
	  "2Jb\xc2\x85"
	  "c",
	  "a2Jbc" },
	{ "a\x9b"
	  "2Jb\xff"
	  "c\xc0\x80",
	  "a?2Jb?c??" },
	{ "\xc3x\xe2\x94\n\xf0\x9f", "?x?\n" },
};

static void test_row(void **state)
{
	const struct row *row = *state;
	struct text_filter filter = { 0 };
	char out[64];
	size_t n = text_filter(&filter, row->in, strlen(row->in), out);

	out[n] = '\0';
	assert_string_equal(out, row->out);
}

/* The same must come out however the bytes are cut. */
static void test_split(void **state)
{
	(void)state;
	for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
		struct text_filter filter = { 0 };
		char out[64];
		size_t n = 0;

		for (const char *c = rows[r].in; *c; c++)
			n += text_filter(&filter, c, 1, out + n);
		out[n] = '\0';
		assert_string_equal(out, rows[r].out);
	}
}

static void test_in_place(void **state)
{
	struct text_filter filter = { 0 };
	char text[] = "a\033[1mb\rc";

	(void)state;
	text[text_filter(&filter, text, strlen(text), text)] = '\0';
	assert_string_equal(text, "abc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("text stays", test_row, &rows[0]),
		CASE("UTF-8 stays", test_row, &rows[1]),
		CASE("control characters go", test_row, &rows[2]),
		CASE("colours go", test_row, &rows[3]),
		CASE("cursor movements go", test_row, &rows[4]),
		CASE("titles ended by BEL go", test_row, &rows[5]),
		CASE("titles ended by ST go", test_row, &rows[6]),
		CASE("device strings go", test_row, &rows[7]),
		CASE("short sequences go", test_row, &rows[8]),
		CASE("a newline ends a string", test_row, &rows[9]),
		CASE("a newline ends a sequence", test_row, &rows[10]),
		CASE("ESC inside a string", test_row, &rows[11]),
		CASE("longer characters stay", test_row, &rows[12]),
		CASE("C1 control characters go", test_row, &rows[13]),
		CASE("bytes that are no character", test_row, &rows[14]),
		CASE("characters that are cut", test_row, &rows[15]),
		CASE("byte by byte", test_split, NULL),
		CASE("in place", test_in_place, NULL),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
