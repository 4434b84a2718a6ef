/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The line editor, by what is on a screen that knows only carriage return and backspace. */
#include "unit.h"

#include "edit.h"

#define PROMPT "hvinit> "

static struct edit edit;
static struct edit_past past;
static char row[EDIT_COLUMNS + 1];
static size_t column;
static unsigned bells;

/* The cursor must never come to the last column's end: terminals differ in what happens there. */
static void put(void *arg, const char *data, size_t len)
{
	assert_ptr_equal(arg, &edit);
	for (; len > 0; data++, len--) {
		if (*data == '\r') {
			column = 0;
		} else if (*data == '\b') {
			assert_true(column > 0);
			column--;
		} else if (*data == '\a') {
			bells++;
		} else {
			assert_in_range(*data, ' ', '~');
			assert_true(column < EDIT_COLUMNS - 1);
			row[column++] = *data;
		}
	}
}

static int setup(void **state)
{
	(void)state;
	edit = (struct edit){ .prompt = PROMPT, .past = &past, .put = put, .arg = &edit };
	past.count = 0;
	memset(row, ' ', EDIT_COLUMNS);
	column = bells = 0;
	edit_init(&edit);
	edit_show(&edit);
	return 0;
}

/* The row without the blanks at its end, except those of the prompt. */
static const char *screen(void)
{
	static char text[EDIT_COLUMNS + 1];
	size_t n = EDIT_COLUMNS;

	memcpy(text, row, EDIT_COLUMNS);
	while (n > strlen(PROMPT) && text[n - 1] == ' ')
		n--;
	text[n] = '\0';
	return text;
}

static enum edit_wish type(const char *keys)
{
	enum edit_wish wish = EDIT_NOTHING;

	for (; *keys; keys++)
		wish = edit_key(&edit, *keys);
	return wish;
}

#define assert_screen(text, at)                                  \
	do {                                                     \
		assert_string_equal(screen(), PROMPT text);      \
		assert_int_equal(column, strlen(PROMPT) + (at)); \
	} while (0)

static void test_typing(void **state)
{
	(void)state;
	assert_int_equal(type("statsu"), EDIT_NOTHING);
	assert_screen("statsu", 6);
	type("\x7f\b");
	assert_screen("stat", 4);
	assert_int_equal(type("us\r"), EDIT_ENTER);
	assert_string_equal(edit_take(&edit), "status");
	assert_string_equal(edit_take(&edit), "");
	assert_int_equal(bells, 0);
}

/* Enter is CR, LF or both, whatever sends it. */
static void test_line_ends(void **state)
{
	(void)state;
	assert_int_equal(type("a\r"), EDIT_ENTER);
	edit_take(&edit);
	assert_int_equal(type("\n"), EDIT_NOTHING);
	assert_int_equal(type("\n"), EDIT_ENTER);
	edit_take(&edit);
	assert_int_equal(type("\n"), EDIT_ENTER);
	edit_take(&edit);
	assert_int_equal(type("\r"), EDIT_ENTER);
	edit_take(&edit);
	assert_int_equal(type("x\n"), EDIT_ENTER);
	assert_string_equal(edit_take(&edit), "x");
}

static void test_moving(void **state)
{
	(void)state;
	type("start demo");
	type("\001");
	assert_screen("start demo", 0);
	type("\006\006\033[C");
	assert_screen("start demo", 3);
	type("\002\033[D\033OD");
	assert_screen("start demo", 0);
	type("\033[D\002");
	assert_screen("start demo", 0);
	type("re");
	assert_screen("restart demo", 2);
	type("\005");
	assert_screen("restart demo", 12);
	type("\033[C\033[1~");
	assert_screen("restart demo", 0);
	type("\033[4~\033[H\033OF");
	assert_screen("restart demo", 12);
}

static void test_cutting(void **state)
{
	(void)state;
	type("kill one  two  ");
	type("\027");
	assert_screen("kill one", 10);
	type("\002\002\002\013");
	assert_screen("kill on", 7);
	type("\001\004");
	assert_screen("ill on", 0);
	type("\033[3~\006\025");
	assert_screen("l on", 0);
	type("\005\004\033[3~");
	assert_screen("l on", 4);
	assert_int_equal(bells, 1);
	type("\025");
	assert_screen("", 0);
	type("\025\027\x7f\013");
	assert_int_equal(bells, 5);
	assert_int_equal(type("\004"), EDIT_END);
}

static void test_abort(void **state)
{
	(void)state;
	assert_int_equal(type("kill demo\003"), EDIT_ABORT);
	assert_string_equal(edit_take(&edit), "");
	assert_int_equal(past.count, 0);
}

static void enter(const char *line)
{
	type(line);
	assert_int_equal(type("\r"), EDIT_ENTER);
	edit_take(&edit);
	memset(row, ' ', EDIT_COLUMNS);
	column = 0;
	edit_show(&edit);
}

static void test_past(void **state)
{
	(void)state;
	type("\020\016");
	assert_int_equal(bells, 2);
	enter("first");
	enter("second");
	enter("second");
	enter("");
	type("mine");
	type("\033[A");
	assert_screen("second", 6);
	type("\020");
	assert_screen("first", 5);
	type("\020");
	assert_screen("first", 5);
	assert_int_equal(bells, 3);
	type("\033[B\033[B");
	assert_screen("mine", 4);
	type("\033OA!");
	assert_screen("second!", 7);
	enter("");
	assert_string_equal(past.line[0], "second!");
	for (unsigned i = 0; i < EDIT_PAST + 5; i++) {
		char line[16];

		str_format(line, sizeof(line), "line %u", i);
		enter(line);
	}
	assert_int_equal(past.count, EDIT_PAST);
	for (unsigned i = 0; i < EDIT_PAST; i++)
		type("\020");
	assert_screen("line 5", 6);
}

static void test_secret(void **state)
{
	(void)state;
	edit.secret = true;
	type("s3cret\002\002\x7f\x7f\020");
	assert_screen("", 0);
	assert_int_equal(type("\r"), EDIT_ENTER);
	assert_string_equal(edit_take(&edit), "s3et");
	assert_int_equal(past.count, 0);
	/* A password is bytes; what has no place on the screen needs none. */
	type("schl\xc3\xbcssel\r");
	assert_string_equal(edit_take(&edit), "schl\xc3\xbcssel");
}

/* Those who come later look at the same past. */
static void test_hash(void **state)
{
	(void)state;
	enter("set HOST_CONSOLE_PASSWORD=$6$salt$hash");
	enter("$5$");
	assert_int_equal(past.count, 0);
}

static void test_insert(void **state)
{
	char text[2 * EDIT_LINE];

	(void)state;
	type("st demo\001\006\006");
	edit_insert(&edit, "art");
	assert_screen("start demo", 5);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	edit_insert(&edit, text);
	assert_int_equal(bells, 0);
	type("y");
	assert_int_equal(bells, 1);
	type("\r");
	assert_int_equal(strlen(edit_take(&edit)), EDIT_LINE - 1);
}

static void test_strange_keys(void **state)
{
	(void)state;
	type("a\033[99999999999~\033[1;5D\033[?25h\033x\033\033b");
	assert_screen("ba", 1);
	assert_int_equal(type("\033\r"), EDIT_ENTER);
	edit_take(&edit);
	assert_int_equal(type("\033[\r"), EDIT_ENTER);
	edit_take(&edit);
	assert_int_equal(bells, 0);
	type("\xc3\xa4\007\036");
	assert_int_equal(bells, 4);
	assert_int_equal(edit_key(&edit, '\0'), EDIT_NOTHING);
	assert_int_equal(type("\t"), EDIT_COMPLETE);
}

/* What is on the screen must be what the line is, whatever was typed. */
static void check_screen(void)
{
	size_t room = EDIT_COLUMNS - 1 - strlen(PROMPT);
	size_t n = edit.used - edit.from < room ? edit.used - edit.from : room;
	char wanted[EDIT_COLUMNS + 1];

	memset(wanted, ' ', EDIT_COLUMNS);
	memcpy(wanted, PROMPT, strlen(PROMPT));
	memcpy(wanted + strlen(PROMPT), edit.line + edit.from, n);
	assert_memory_equal(row, wanted, EDIT_COLUMNS);
	assert_int_equal(column, strlen(PROMPT) + edit.at - edit.from);
}

static void test_any_keys(void **state)
{
	static const char *const keys[] = {
		"a",
		"word ",
		"\001",
		"\002",
		"\004",
		"\005",
		"\006",
		"\b",
		"\013",
		"\014",
		"\016",
		"\020",
		"\025",
		"\027",
		"\033[A",
		"\033[B",
		"\033[C",
		"\033[D",
		"\033[3~",
		"a text that is longer than others, so that lines become as long as they can be",
		"b",
		"c",
		" d ",
		"\002\002\002\002\002\002\002\002\002\002\002\002\002\002\002",
	};
	unsigned seed = 1;

	(void)state;
	enter("one of the past that is longer than the screen is wide, which is eighty columns or so");
	for (unsigned i = 0; i < 20000; i++) {
		seed = seed * 1103515245 + 12345;
		type(keys[(seed >> 16) % ARRAY_SIZE(keys)]);
		check_screen();
	}
	edit_wipe(&edit);
	assert_string_equal(screen() + strlen(PROMPT), "");
	assert_int_equal(column, 0);
}

#define EDIT_CASE(title, function) FIXTURE(title, function, setup, NULL, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EDIT_CASE("a password's hash", test_hash),
		EDIT_CASE("typing", test_typing),
		EDIT_CASE("ends of lines", test_line_ends),
		EDIT_CASE("moving", test_moving),
		EDIT_CASE("cutting", test_cutting),
		EDIT_CASE("giving up", test_abort),
		EDIT_CASE("the past", test_past),
		EDIT_CASE("a secret", test_secret),
		EDIT_CASE("inserting", test_insert),
		EDIT_CASE("strange keys", test_strange_keys),
		EDIT_CASE("any keys", test_any_keys),
	};

	return cmocka_run_group_tests_name("edit", tests, NULL, NULL);
}
