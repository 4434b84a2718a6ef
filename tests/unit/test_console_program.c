/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs in a person's place: on the machine, and in a guest. */
#include "fakedesk.h"

enum { PROGRAM = 1 }; /* its screen: the first is a person's */

static void close_other_end(unsigned terminal)
{
	terms[terminal]->tty.fd = -1;
	terms[terminal]->gone(terms[terminal]->arg);
}

/* screens[] ends with a string's NUL, as an answer does before its digit. */
static void assert_answer(unsigned terminal, const char *text, enum command_result result)
{
	const char *shown_there = screens[terminal];

	if (strcmp(shown_there, text) != 0)
		fail_msg("answered:\n%s", shown_there);
	assert_int_equal(answered(terminal), '0' + (int)result);
}

static int setup_program(void **state)
{
	setup(state);
	assert_int_equal(console_add_program(DESK_FD), 0);
	return 0;
}

static int setup_guest(void **state)
{
	setup(state);
	assert_int_equal(console_add_guest(0, DESK_FD), 0);
	return 0;
}

static void test_done(void **state)
{
	(void)state;
	type_at(PROGRAM, "start demo\n");
	assert_string_equal(commands, "start 0;");
	assert_answer(PROGRAM, "", COMMAND_DONE);
	assert_int_equal(terms[PROGRAM]->tty.fd, -1);
	assert_string_equal(screen, "");
}

static void test_in_pieces(void **state)
{
	(void)state;
	type_at(PROGRAM, "stop");
	type_at(PROGRAM, " de");
	assert_string_equal(commands, "");
	type_at(PROGRAM, "mo\nstop other\n");
	assert_string_equal(commands, "stop 0;");
}

static void test_refused(void **state)
{
	(void)state;
	refusal = "it is started already";
	type_at(PROGRAM, "start demo\n");
	assert_answer(PROGRAM, "hvinit: demo: it is started already\n", COMMAND_REFUSED);
}

static void test_no_vm(void **state)
{
	(void)state;
	type_at(PROGRAM, "start nobody\n");
	assert_answer(PROGRAM, "hvinit: nobody: no such VM; see 'status'\n", COMMAND_REFUSED);
}

static void test_wrong_words(void **state)
{
	(void)state;
	type_at(PROGRAM, "start\n");
	assert_answer(PROGRAM, "hvinit: usage: start VM\n", COMMAND_USAGE);
}

static void test_only_at_a_console(void **state)
{
	(void)state;
	type_at(PROGRAM, "console demo\n");
	assert_answer(PROGRAM, "hvinit: console: only at a console\n", COMMAND_REFUSED);
}

static void test_child_done(void **state)
{
	(void)state;
	type_at(PROGRAM, "status --json\n");
	finish_child();
	assert_answer(PROGRAM, "the status of 8, for programs\n", COMMAND_DONE);
}

static void test_child_refused(void **state)
{
	(void)state;
	type_at(PROGRAM, "metrics\n");
	finish_child();
	assert_answer(PROGRAM, "figures\n", COMMAND_REFUSED);
}

/* Who does not wait for the answer leaves nothing behind. */
static void test_goes_away(void **state)
{
	(void)state;
	type_at(PROGRAM, "manifest\n");
	close_other_end(PROGRAM);
	assert_int_equal(console_add_program(DESK_FD), 0);
	finish_child();
	for (unsigned i = 0; i < CONSOLE_PROGRAMS - 1; i++)
		assert_int_equal(console_add_program(DESK_FD), 0);
	assert_int_equal(console_add_program(DESK_FD), -ENOSPC);
}

static void test_goes_away_early(void **state)
{
	(void)state;
	type_at(PROGRAM, "sta");
	close_other_end(PROGRAM);
	for (unsigned i = 0; i < CONSOLE_PROGRAMS; i++)
		assert_int_equal(console_add_program(DESK_FD), 0);
	assert_int_equal(console_add_program(DESK_FD), -ENOSPC);
}

/* Half a command is none: it may be the beginning of another one. */
static void test_stops_early(void **state)
{
	(void)state;
	type_at(PROGRAM, "stop demo");
	terms[PROGRAM]->input(terms[PROGRAM]->arg, "", 0);
	assert_string_equal(commands, "");
	assert_int_equal(terms[PROGRAM]->tty.fd, -1);
}

static void test_says_no_more(void **state)
{
	(void)state;
	type_at(PROGRAM, "devices\n");
	terms[PROGRAM]->input(terms[PROGRAM]->arg, "", 0);
	finish_child();
	assert_answer(PROGRAM, "the devices\n", COMMAND_DONE);
}

/* What has not been read keeps the session open. */
static void test_reads_slowly(void **state)
{
	(void)state;
	behind = true;
	type_at(PROGRAM, "version\n");
	assert_int_equal(terms[PROGRAM]->tty.fd, DESK_FD);
	behind = false;
	terms[PROGRAM]->room(terms[PROGRAM]->arg);
	assert_int_equal(terms[PROGRAM]->tty.fd, -1);
}

static void test_long_line(void **state)
{
	static char line[2048];

	(void)state;
	memset(line, 'x', sizeof(line) - 2);
	type_at(PROGRAM, line);
	assert_int_equal(terms[PROGRAM]->tty.fd, DESK_FD);
	type_at(PROGRAM, "\n");
	assert_answer(PROGRAM, "", COMMAND_USAGE);
}

static void test_events(void **state)
{
	(void)state;
	ring_write(&events, "before\n", 7);
	type_at(PROGRAM, "events\n");
	assert_string_equal(screens[PROGRAM], "hello\n");
	clear();
	ring_write(&events, "{}\n", 3);
	console_more(&events);
	type_at(PROGRAM, "kill demo\n");
	console_line("is for persons");
	assert_string_equal(screens[PROGRAM], "{}\n");
	assert_string_equal(commands, "");
	close_other_end(PROGRAM);
	console_more(&events);
}

/* What begins in the middle of a line is no JSON. */
static void test_events_lost(void **state)
{
	char line[500];

	(void)state;
	events.total = 0;
	type_at(PROGRAM, "events\n");
	clear();
	behind = true;
	memset(line, '.', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	for (unsigned i = 0; i < 12; i++) {
		ring_write(&events, line, sizeof(line));
		console_more(&events);
	}
	behind = false;
	terms[PROGRAM]->room(terms[PROGRAM]->arg);
	assert_memory_equal(screens[PROGRAM], "{\"event\": \"lost\", \"bytes\": ", 27);
	assert_memory_equal(strchr(screens[PROGRAM], '\n') + 1, line, sizeof(line));
}

/* What is lost is told between lines, wherever the reader has stopped. */
static void test_events_whole(void **state)
{
	char line[500];

	(void)state;
	events.total = 0;
	type_at(PROGRAM, "events\n");
	clear();
	memset(line, '.', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	ring_write(&events, line, sizeof(line));
	ring_write(&events, line, 100);
	console_more(&events);
	assert_int_equal(strlen(screens[PROGRAM]), sizeof(line));
	behind = true;
	ring_write(&events, line + 100, sizeof(line) - 100);
	for (unsigned i = 0; i < 12; i++)
		ring_write(&events, line, sizeof(line));
	behind = false;
	console_more(&events);
	assert_memory_equal(screens[PROGRAM] + sizeof(line), "{\"event\": \"lost\"", 16);
}

/* --- in a guest --- */

static void test_guest_asks(void **state)
{
	(void)state;
	type_at(PROGRAM, "version\n");
	assert_non_null(strstr(screens[PROGRAM], "Linux 7.3\n"));
	assert_int_equal(answered(PROGRAM), '0');
	assert_int_equal(terms[PROGRAM]->tty.fd, DESK_FD);
}

static void test_guest_changes_nothing(void **state)
{
	static const char *const lines[] = {
		"start demo",
		"stop demo",
		"kill demo",
		"reset demo",
		"restart demo",
		"pause demo",
		"resume demo",
		"attach demo 0",
		"detach demo 0",
		"safe",
		"set HOST_LOG_LEVEL=7",
		"shell",
		"poweroff",
		"reboot",
		"console demo",
		"logout",
		"quarantine 0000:01:00.0",
		"release 0000:01:00.0",
		"manifest",
		"record --probe",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		clear();
		type_at(PROGRAM, lines[i]);
		type_at(PROGRAM, "\n");
		if (!strstr(screens[PROGRAM], ": not for a guest\n"))
			fail_msg("%s: %s", lines[i], screens[PROGRAM]);
		assert_int_equal(answered(PROGRAM), '1');
		run_out();
	}
	assert_string_equal(commands, "");
	assert_int_equal(shutdowns, 0);
}

/* A line that comes too soon waits, and what comes behind it stays outside. */
static void test_guest_is_paced(void **state)
{
	(void)state;
	type_at(PROGRAM, "version\nversion\nhelp version\n");
	assert_true(terms[PROGRAM]->paused);
	assert_true(timer_ms > 0);
	assert_null(strstr(strstr(screens[PROGRAM], "Linux") + 1, "Linux"));
	clear();
	run_out();
	assert_non_null(strstr(screens[PROGRAM], "Linux"));
	assert_null(strstr(screens[PROGRAM], "version of"));
	run_out();
	assert_non_null(strstr(screens[PROGRAM], "version of"));
	run_out();
	assert_false(terms[PROGRAM]->paused);
}

/* Nor is a guest asked what it wants next that has not read what it was told. */
static void test_guest_does_not_read(void **state)
{
	(void)state;
	type_at(PROGRAM, "version\nstatus\n");
	clear();
	behind = true;
	timer_ms = 0;
	run_out();
	assert_string_equal(screens[PROGRAM], "");
	assert_true(timer_ms > 0);
	behind = false;
	run_out();
	assert_non_null(strstr(screens[PROGRAM], "STATE"));
}

/* Whatever answer it is: what comes behind it stays outside. */
static void test_guest_is_always_paced(void **state)
{
	static char line[2048];

	(void)state;
	memset(line, 'x', sizeof(line) - 2);
	line[sizeof(line) - 2] = '\n';
	type_at(PROGRAM, line);
	assert_int_equal(answered(PROGRAM), '2');
	assert_true(terms[PROGRAM]->paused);
	run_out();
	type_at(PROGRAM, "events\n");
	assert_false(terms[PROGRAM]->paused);
	type_at(PROGRAM, "x");
	assert_true(terms[PROGRAM]->paused);
}

/* QEMU's end is seen on the socket before its child is reaped. */
static void test_guest_ends_while_paced(void **state)
{
	(void)state;
	type_at(PROGRAM, "version\n");
	assert_int_equal(timer->fd, TIMER_FD);
	close_other_end(PROGRAM);
	assert_int_equal(timer->fd, -1);
	console_lose_guest(0);
	assert_int_equal(console_add_guest(0, DESK_FD), 0);
	clear();
	type_at(PROGRAM, "version\n");
	assert_non_null(strstr(screens[PROGRAM], "Linux 7.3\n"));
}

/* A port has no end by which a program could say that it wants no more. */
static void test_guest_ends_events(void **state)
{
	(void)state;
	type_at(PROGRAM, "events\n");
	assert_false(terms[PROGRAM]->paused);
	clear();
	ring_write(&events, "{}\n", 3);
	console_more(&events);
	assert_string_equal(screens[PROGRAM], "{}\n");
	clear();
	type_at(PROGRAM, "version\n");
	assert_int_equal(answered(PROGRAM), '0');
	clear();
	run_out();
	assert_non_null(strstr(screens[PROGRAM], "Linux 7.3\n"));
	clear();
	ring_write(&events, "{}\n", 3);
	console_more(&events);
	assert_string_equal(screens[PROGRAM], "");
}

static void test_guest_is_lost(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	type_at(PROGRAM, "devices\n");
	console_lose_guest(1);
	assert_int_equal(terms[PROGRAM]->tty.fd, DESK_FD);
	console_lose_guest(0);
	assert_int_equal(child_output->fd, -1);
	/* Its next QEMU, before the child is reaped. */
	assert_int_equal(console_add_guest(0, DESK_FD), 0);
	pid = waitpid(-1, &status, 0);
	assert_false(console_reaped(pid, status));
	clear();
	type_at(PROGRAM, "version\n");
	assert_non_null(strstr(screens[PROGRAM], "Linux 7.3\n"));
}

#define PROGRAM_CASE(title, function) FIXTURE(title, function, setup_program, NULL, NULL)
#define GUEST_CASE(title, function) FIXTURE(title, function, setup_guest, NULL, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROGRAM_CASE("a command", test_done),
		PROGRAM_CASE("a line in pieces", test_in_pieces),
		PROGRAM_CASE("a refusal", test_refused),
		PROGRAM_CASE("a VM that is none", test_no_vm),
		PROGRAM_CASE("wrong words", test_wrong_words),
		PROGRAM_CASE("what needs a person", test_only_at_a_console),
		PROGRAM_CASE("a child", test_child_done),
		PROGRAM_CASE("a child that fails", test_child_refused),
		PROGRAM_CASE("nobody waits for the answer", test_goes_away),
		PROGRAM_CASE("nobody ends the line", test_goes_away_early),
		PROGRAM_CASE("a line without an end", test_stops_early),
		PROGRAM_CASE("an end of file behind the line", test_says_no_more),
		PROGRAM_CASE("the answer is read slowly", test_reads_slowly),
		PROGRAM_CASE("a line that is too long", test_long_line),
		PROGRAM_CASE("events", test_events),
		PROGRAM_CASE("events that are lost", test_events_lost),
		PROGRAM_CASE("events are whole lines", test_events_whole),
		GUEST_CASE("a guest asks", test_guest_asks),
		GUEST_CASE("a guest changes nothing", test_guest_changes_nothing),
		GUEST_CASE("a guest that asks often", test_guest_is_paced),
		GUEST_CASE("a guest that does not read", test_guest_does_not_read),
		GUEST_CASE("a guest after any answer", test_guest_is_always_paced),
		GUEST_CASE("a guest ends before its next line", test_guest_ends_while_paced),
		GUEST_CASE("a guest has had enough events", test_guest_ends_events),
		GUEST_CASE("a guest ends meanwhile", test_guest_is_lost),
	};

	return cmocka_run_group_tests_name("console_program", tests, group_setup, NULL);
}
