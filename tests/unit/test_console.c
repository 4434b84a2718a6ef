/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line on its way to a command, who has the terminal, and children. */
#include "fakedesk.h"

struct edit {
	const char *keys;
	const char *command; /* what the VMs are told */
};

static const struct edit edits[] = {
	{ "start demo\r", "start 0;" },
	{ "start demo\n", "start 0;" },
	{ "  start   demo  \r", "start 0;" },
	{ "startt\b demo\r", "start 0;" },
	{ "startx\x7f demo\r", "start 0;" },
	{ "stop nonsense\x17"
	  "demo\r",
	  "stop 0;" },
	{ "stop nonsense  \x17"
	  "demo\r",
	  "stop 0;" },
	{ "kill demo\x15stop demo\r", "stop 0;" },
	{ "kill demo\x03stop demo\r", "stop 0;" },
	{ "st\033[2~op d\033[5;5~emo\033OP\r", "stop 0;" },
	{ "stop d\x07\x1e\xc3\xa9"
	  "emo\r",
	  "stop 0;" },
	{ "\b\b\x17\x15stop demo\r", "stop 0;" },
	{ "start demo\rstop other\r", "start 0;stop 1;" },
	{ "kill demo", "" },
	{ "\r\r\r", "" },
};

static void test_edit(void **state)
{
	const struct edit *edit = *state;

	type(edit->keys);
	assert_string_equal(commands, edit->command);
}

static void test_edit_byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		commands[0] = '\0';
		for (const char *c = edits[i].keys; *c; c++)
			key(*c);
		assert_string_equal(commands, edits[i].command);
		key(CTRL_U);
		clear();
	}
}

static void test_long_line(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2000; i++)
		key('x');
	clear();
	key('\r');
	assert_shows("no such command");
	assert_prompt();
}

static void test_ahead(void **state)
{
	(void)state;
	type("plan\rplan --json\rstart demo\rst");
	assert_string_equal(commands, "");
	finish_child();
	assert_shows("the plan\n");
	assert_string_equal(commands, "");
	finish_child();
	assert_shows("the plan, for programs\n");
	assert_string_equal(commands, "start 0;");
	type("op demo\r");
	assert_string_equal(commands, "start 0;stop 0;");
}

static void test_far_ahead(void **state)
{
	(void)state;
	type("plan\r");
	for (unsigned i = 0; i < 1000; i++)
		type("kill!");
	assert_shows("\a");
	key(CTRL_C);
	type("start demo\r");
	finish_child();
	assert_string_equal(commands, "start 0;");
}

static void test_interrupt(void **state)
{
	(void)state;
	type("kill demo");
	key(CTRL_C);
	assert_shows("^C\n");
	assert_prompt();
	key('\r');
	assert_string_equal(commands, "");
}

/* A message comes between: the line that is being typed is shown again below it. */
static void test_message(void **state)
{
	(void)state;
	type("stop de");
	clear();
	console_line("demo: something");
	assert_string_equal(screen, "\r               \rdemo: something\nhvinit> stop de");
	type("mo\r");
	assert_string_equal(commands, "stop 0;");
}

/* --- children --- */

/* Options that come together, one of them with a value, wherever they stand. */
static void test_options(void **state)
{
	static const char sum[] =
		"0123456789abcdef0123456789abcdef0123456789ABCDEF0123456789abcdef";
	char line[160];

	(void)state;
	str_format(line, sizeof(line), "update --sha256 %s /a\r", sum);
	type(line);
	finish_child();
	str_format(line, sizeof(line), "updated: /a, %s, 0", sum);
	assert_shows(line);
	clear();
	str_format(line, sizeof(line), "update /a --force --sha256 %s\r", sum);
	type(line);
	finish_child();
	str_format(line, sizeof(line), "updated: /a, %s, 1", sum);
	assert_shows(line);
	clear();
	type("update\r");
	finish_child();
	assert_shows("updated: , , 0");
}

/* The machine goes down: a command is ended, and an update is not begun. */
static void test_goes_down(void **state)
{
	(void)state;
	assert_false(console_has_child());
	type("manifest\r");
	assert_true(console_has_child());
	console_kill_children();
	finish_child();
	assert_false(console_has_child());
	assert_shows("the command ended by signal 9");
	clear();
	type("reboot\rupdate\r");
	assert_false(console_has_child());
	assert_shows("hvinit: update: the machine is going down");
}

static void test_child(void **state)
{
	(void)state;
	type("argv other\r");
	assert_shows_not("hvinit> ");
	finish_child();
	assert_shows("the argv of 1\n");
	assert_prompt();
	type("plan\r");
	finish_child();
	assert_shows("the plan\n");
	assert_prompt();
}

/* The output may end before the child does, and the other way round. */
static void test_child_order(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	type("devices\r");
	pid = waitpid(-1, &status, 0);
	while (child_output->fd >= 0)
		child_output->ready(child_output->arg, 1);
	assert_shows("the devices\n");
	assert_shows_not("hvinit> ");
	assert_true(console_reaped(pid, status));
	assert_prompt();
}

/* On a slow line a command's output waits; none of it is dropped. */
static void test_child_waits(void **state)
{
	(void)state;
	behind = true;
	type("devices\r");
	child_output->ready(child_output->arg, 1);
	assert_int_equal(child_wanted, 0);
	behind = false;
	room();
	assert_int_not_equal(child_wanted, 0);
	finish_child();
	assert_shows("the devices\n");
	assert_prompt();
}

static void test_child_dies(void **state)
{
	(void)state;
	type("check\r");
	finish_child();
	assert_shows("ended by signal 6");
	assert_prompt();
	type("stop demo\r");
	assert_string_equal(commands, "stop 0;");
}

static void test_child_interrupted(void **state)
{
	(void)state;
	type("manifest\r");
	type("kill demo\r"); /* typed ahead: for nobody */
	key(CTRL_C);
	finish_child();
	assert_shows("ended by signal 9");
	assert_prompt();
	assert_string_equal(commands, "");
}

static void test_other_child(void **state)
{
	(void)state;
	assert_false(console_reaped(4242, 0));
	type("devices\r");
	assert_false(console_reaped(4242, 0));
	finish_child();
}

/* --- two consoles --- */

static void test_two(void **state)
{
	(void)state;
	assert_int_equal(console_add(DESK_FD, "/dev/tty0", 0), 0);
	console_ready();
	clear();
	type("stat");
	type_at(1, "version\r");
	assert_string_equal(screens[0], "stat");
	assert_non_null(strstr(screens[1], "Linux 7.3\nhvinit> "));
	clear();
	console_line("for all");
	assert_non_null(strstr(screens[0], "for all\nhvinit> stat"));
	assert_non_null(strstr(screens[1], "for all\nhvinit> "));
	type_at(1, "console demo\r");
	clear();
	/* Who has the guest's console has seen its line. */
	console_echo(0, "demo| a line");
	assert_non_null(strstr(screens[0], "demo| a line"));
	assert_string_equal(screens[1], "");
	type("us\r");
	assert_non_null(strstr(screens[0], "up "));
	type_at(1, "x\x1d");
	assert_string_equal(guest_got, "x");
	assert_null(strstr(screens[1], "came meanwhile"));
	/* The past is everybody's. */
	clear();
	type_at(1, "\020");
	assert_non_null(strstr(screens[1], "status"));
}

static void test_two_children(void **state)
{
	struct source *first;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(console_add(DESK_FD, "/dev/tty0", 0), 0);
	console_ready();
	clear();
	type("manifest\r");
	first = child_output;
	type_at(1, "plan\r");
	pid = waitpid(-1, &status, 0);
	assert_true(console_reaped(pid, status));
	while (child_output->fd >= 0)
		child_output->ready(child_output->arg, 1);
	assert_non_null(strstr(screens[1], "the plan\nhvinit> "));
	assert_null(strstr(screens[0], "the plan"));
	key(CTRL_C);
	child_output = first;
	finish_child();
	assert_shows("ended by signal 9");
	assert_prompt();
}

static void test_too_many(void **state)
{
	(void)state;
	for (unsigned i = 1; i < CONSOLES; i++)
		assert_int_equal(console_add(DESK_FD, "/dev/tty", 0), 0);
	assert_int_equal(console_add(DESK_FD, "/dev/tty", 0), -ENOSPC);
}

/* --- the shell --- */

static void test_shell(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	config.host.shell = true;
	type("shell\r");
	assert_true(lent);
	type("stop demo\r");
	console_line("a message");
	assert_string_equal(commands, "");
	pid = waitpid(-1, &status, 0);
	assert_true(console_reaped(pid, status));
	assert_false(lent);
	assert_shows("1 lines came meanwhile");
	assert_prompt();
}

static void test_no_console(void **state)
{
	(void)state;
	console_init(&config);
	console_line("nobody sees it");
	console_echo(0, "nobody sees it");
	console_reply("nobody sees it");
	assert_string_equal(screen, "");
}

int main(void)
{
	static char titles[ARRAY_SIZE(edits)][48];
	static struct CMUnitTest tests[ARRAY_SIZE(titles) + 32];
	const struct CMUnitTest others[] = {
		CONSOLE_CASE("editing byte by byte", test_edit_byte_by_byte, NULL),
		CONSOLE_CASE("a line that is too long", test_long_line, NULL),
		CONSOLE_CASE("several lines at once", test_ahead, NULL),
		CONSOLE_CASE("too many lines at once", test_far_ahead, NULL),
		CONSOLE_CASE("Ctrl-C", test_interrupt, NULL),
		CONSOLE_CASE("a message while typing", test_message, NULL),
		CONSOLE_CASE("a command's child", test_child, NULL),
		CONSOLE_CASE("options with values", test_options, NULL),
		CONSOLE_CASE("its output ends first", test_child_order, NULL),
		CONSOLE_CASE("its output waits for the line", test_child_waits, NULL),
		CONSOLE_CASE("a child that crashes", test_child_dies, NULL),
		CONSOLE_CASE("a child is interrupted", test_child_interrupted, NULL),
		CONSOLE_CASE("a child of somebody else", test_other_child, NULL),
		CONSOLE_CASE("two consoles", test_two, NULL),
		CONSOLE_CASE("two commands at a time", test_two_children, NULL),
		CONSOLE_CASE("too many consoles", test_too_many, NULL),
		CONSOLE_CASE("the machine goes down", test_goes_down, NULL),
		CONSOLE_CASE("the shell", test_shell, NULL),
		CONSOLE_CASE("no console at all", test_no_console, NULL),
	};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(edits); i++, n++) {
		str_format(titles[n], sizeof(titles[n]), "editing %zu", i);
		tests[n] = CONSOLE_CASE(titles[n], test_edit, &edits[i]);
	}
	memcpy(&tests[n], others, sizeof(others));
	return _cmocka_run_group_tests("console", tests, n + ARRAY_SIZE(others), group_setup, NULL);
}
