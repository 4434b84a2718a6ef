/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's console has the terminal, or a log is followed. */
#include "fakedesk.h"

static void test_attach(void **state)
{
	(void)state;
	ring_write(&guest_ring, "\nkept\n", 6);
	type("console demo\r");
	assert_shows("demo's console; leave with Ctrl-]\n");
	assert_shows("kept\n");
	clear();
	guest_prints("\033[1mraw");
	assert_string_equal(screen, "\033[1mraw");
	console_more(&words_ring);
	assert_string_equal(screen, "\033[1mraw");
	type("ls\r\003");
	assert_string_equal(guest_got, "ls\r\003");
	assert_string_equal(commands, "");
	key(CTRL_RBRACKET);
	assert_prompt();
	guest_prints("unseen");
	assert_prompt();
	type("stop demo\r");
	assert_string_equal(commands, "stop 0;");
}

/* All in one burst, as a paste or a test sends it. */
static void test_attach_in_one(void **state)
{
	(void)state;
	type("console demo\rls\r\x1dstop demo\r");
	assert_string_equal(guest_got, "ls\r");
	assert_string_equal(commands, "stop 0;");
}

static void test_attach_held(void **state)
{
	(void)state;
	type("console demo\r");
	clear();
	console_line("a message");
	console_line("another");
	assert_string_equal(screen, "");
	key(CTRL_RBRACKET);
	assert_shows("2 lines came meanwhile");
	assert_prompt();
}

static void test_attach_ends(void **state)
{
	(void)state;
	type("console demo\r");
	console_guest_ended(1);
	guest_prints("last words");
	console_guest_ended(0);
	assert_shows("last words");
	assert_shows("its console is closed");
	assert_prompt();
}

static void test_attach_deaf(void **state)
{
	(void)state;
	guest_is_deaf = true;
	type("console demo\r");
	clear();
	type("x");
	assert_string_equal(screen, "\a");
	key(CTRL_RBRACKET);
	assert_prompt();
}

/* Of what a guest floods a slow line with only a little waits for the line, and the rest is counted. */
static void test_attach_slow(void **state)
{
	(void)state;
	guest_ring.total = 0;
	type("console demo\r");
	clear();
	behind = true;
	for (unsigned i = 0; i < 100; i++)
		guest_prints("a line of one hundred characters .............................."
			     ".................................................");
	assert_string_equal(screen, "");
	behind = false;
	room();
	assert_shows("bytes dropped: the line is slow]");
	assert_true(shown > guest_ring.size && shown < guest_ring.size + 100);
	key(CTRL_RBRACKET);
	assert_prompt();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONSOLE_CASE("a guest's console", test_attach, NULL),
		CONSOLE_CASE("there and back in one burst", test_attach_in_one, NULL),
		CONSOLE_CASE("messages meanwhile", test_attach_held, NULL),
		CONSOLE_CASE("the guest ends", test_attach_ends, NULL),
		CONSOLE_CASE("a guest that does not read", test_attach_deaf, NULL),
		CONSOLE_CASE("a guest on a slow line", test_attach_slow, NULL),
	};

	return cmocka_run_group_tests_name("console_guest", tests, group_setup, NULL);
}
