/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The door before the prompt. */
#include "fakedesk.h"

#include "password.h"

/* Of "open sesame". */
#define HASH                       \
	"$6$rounds=1000$saltsalt$" \
	"/IiX/CoEcxCZ9SksEXnbjfCT1LGvD4z5OpJkaFYl/T37OAwuKZ8I8BixDhruhPLkw6lS7dw/6wQWgQnGo7lLg/"

static int setup_locked(void **state)
{
	setup(state);
	str_copy(config.host.console_password, sizeof(config.host.console_password), HASH);
	desk_open();
	return 0;
}

static void finish_check(void)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);

	assert_true(console_reaped(pid, status));
}

static void log_in(void)
{
	type("open sesame\r");
	finish_check();
	assert_prompt();
	clear();
}

static void test_right(void **state)
{
	(void)state;
	assert_shows("Password: ");
	assert_shows_not("hvinit> ");
	type("open sesame\r");
	assert_shows_not("sesame");
	finish_check();
	assert_prompt();
	assert_shows("demo             running");
	assert_said("login: /dev/ttyAMA0: somebody has logged in");
	/* Nor has the past kept it. */
	clear();
	key(0x10);
	assert_shows_not("sesame");
	type("stop demo\r");
	assert_string_equal(commands, "stop 0;");
}

static void test_wrong(void **state)
{
	(void)state;
	type("start demo\r");
	finish_check();
	assert_string_equal(commands, "");
	assert_shows("the password is wrong\n");
	assert_said("login: /dev/ttyAMA0: wrong password, 1 in a row");
	clear();
	type("open sesame\r");
	assert_string_equal(screen, "");
	run_out();
	assert_string_equal(screen, "Password: ");
	log_in();
}

static void test_delay(void **state)
{
	static const uint64_t delays[] = { 1000, 2000, 4000, 8000, 16000, 32000, 32000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(delays); i++) {
		type("wrong\r");
		finish_check();
		assert_int_equal(timer_ms, delays[i]);
		run_out();
	}
	log_in();
	type("logout\rwrong\r");
	finish_check();
	assert_int_equal(timer_ms, delays[0]);
}

/* What is typed while a password is looked at is no command, and no password either. */
static void test_ahead(void **state)
{
	(void)state;
	type("wrong\ropen sesame\rkill demo\r");
	finish_check();
	run_out();
	assert_string_equal(commands, "");
	assert_string_equal(screen + shown - 10, "Password: ");
}

static void test_lines(void **state)
{
	(void)state;
	type("ope");
	clear();
	console_line("a message");
	assert_shows("a message\nPassword: ");
	console_echo(0, "demo| a secret");
	assert_shows_not("a secret");
	type("n sesame\r");
	finish_check();
	assert_prompt();
	console_echo(0, "demo| a line");
	assert_shows("demo| a line");
}

static void test_lock(void **state)
{
	(void)state;
	log_in();
	type("logout\r");
	assert_shows("Password: ");
	type("open sesame\r");
	finish_check();
	clear();
	key(CTRL_D);
	assert_shows("Password: ");
	type("\x03\x04\t");
	assert_shows_not("hvinit> ");
}

static void test_no_password(void **state)
{
	(void)state;
	config.host.console_password[0] = '\0';
	desk_open();
	assert_prompt();
	type("logout\r");
	assert_shows("there is no password");
	key(CTRL_D);
	assert_shows_not("Password");
}

/* A shell is behind the door; it comes back to the prompt, not to a door that is open to all. */
static void test_before_ready(void **state)
{
	(void)state;
	terminals = 0;
	clear();
	console_init(&config);
	assert_int_equal(console_add(DESK_FD, "/dev/ttyAMA0", 0), 0);
	type("stop demo\ropen sesame\r");
	console_line("a message");
	assert_shows("a message\n");
	assert_shows_not("Password");
	assert_string_equal(commands, "");
	console_ready();
	assert_shows("Password: ");
	finish_check();
	assert_string_equal(commands, "");
}

static void test_hashes(void **state)
{
	(void)state;
	assert_true(password_fits(HASH, "open sesame"));
	assert_false(password_fits(HASH, "open sesam"));
	assert_false(password_fits(HASH, ""));
	assert_false(password_fits("", ""));
	assert_false(password_fits("*", "*"));
	assert_false(password_fits("$9$salt$hash", "x"));
}

#define LOGIN_CASE(title, function) FIXTURE(title, function, setup_locked, NULL, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOGIN_CASE("the right password", test_right),
		LOGIN_CASE("a wrong one", test_wrong),
		LOGIN_CASE("the delay", test_delay),
		LOGIN_CASE("typed ahead", test_ahead),
		LOGIN_CASE("lines meanwhile", test_lines),
		LOGIN_CASE("locked again", test_lock),
		LOGIN_CASE("no password", test_no_password),
		LOGIN_CASE("typed before all is known", test_before_ready),
		LOGIN_CASE("hashes", test_hashes),
	};

	return cmocka_run_group_tests_name("console_login", tests, group_setup, NULL);
}
