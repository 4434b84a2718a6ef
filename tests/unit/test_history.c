/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The history keeps the last ends, and counts all of them. */
#include "unit.h"

#include "history.h"

static struct history history;

static int setup(void **state)
{
	(void)state;
	memset(&history, 0xff, sizeof(history));
	history_init(&history);
	return 0;
}

static void add(uint64_t at_ms, enum end_cause cause, const char *text)
{
	history_add(&history, (struct history_entry){ .at_ms = at_ms, .cause = cause }, text);
}

static void test_empty(void **state)
{
	(void)state;
	assert_null(history_back(&history, 0));
	assert_int_equal(history_since(&history, 0), 0);
	assert_int_equal(history.tally[END_CRASH], 0);
	assert_int_equal(history.resets, 0);
}

static void test_order(void **state)
{
	(void)state;
	add(10, END_CRASH, "first");
	add(20, END_SHUTDOWN, "second");
	assert_string_equal(history_back(&history, 0)->text, "second");
	assert_string_equal(history_back(&history, 1)->text, "first");
	assert_null(history_back(&history, 2));
}

static void test_full(void **state)
{
	char text[HISTORY_TEXT + 8];

	(void)state;
	for (unsigned i = 0; i < 2 * HISTORY_ENTRIES + 3; i++) {
		str_format(text, sizeof(text), "%u", i);
		add(i, END_CRASH, text);
	}
	assert_int_equal(history.count, 2 * HISTORY_ENTRIES + 3);
	assert_int_equal(history.tally[END_CRASH], history.count);
	assert_string_equal(history_back(&history, 0)->text, "202");
	assert_string_equal(history_back(&history, HISTORY_ENTRIES - 1)->text, "103");
	assert_null(history_back(&history, HISTORY_ENTRIES));
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	add(0, END_EXIT, text);
	assert_int_equal(strlen(history_back(&history, 0)->text), HISTORY_TEXT - 1);
}

/* What somebody asked for is no trouble, however often. */
static void test_since(void **state)
{
	(void)state;
	add(10, END_CRASH, "");
	add(20, END_STOPPED, "");
	add(20, END_KILLED, "");
	add(20, END_SHUTDOWN, "");
	add(30, END_HUNG, "");
	assert_int_equal(history_since(&history, 0), 3);
	assert_int_equal(history_since(&history, 20), 2);
	assert_int_equal(history_since(&history, 31), 0);
}

static void test_words(void **state)
{
	(void)state;
	for (unsigned cause = 0; cause < END_CAUSES; cause++)
		assert_non_null(history_cause(cause));
	assert_string_equal(history_cause(END_OOM), "oom-kill");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE("nothing yet", test_empty, setup, NULL, NULL),
		FIXTURE("newest first", test_order, setup, NULL, NULL),
		FIXTURE("more than are kept", test_full, setup, NULL, NULL),
		FIXTURE("how many since", test_since, setup, NULL, NULL),
		FIXTURE("words", test_words, setup, NULL, NULL),
	};

	return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
