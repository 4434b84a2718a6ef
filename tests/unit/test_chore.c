/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small work in children. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

#include "chore.h"

enum { NONE = 1 };

static int result = NONE;
static int secret = -1;

static void done(int error)
{
	result = error;
}

static int answer(const void *arg)
{
	return *(const int *)arg;
}

/* What PID 1 has open is not there. */
static int look(const void *arg)
{
	(void)arg;
	return fcntl(secret, F_GETFD) < 0 ? 0 : -EBADF;
}

static int die(const void *arg)
{
	(void)arg;
	_exit(128);
}

static void finish(void)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);

	assert_true(pid > 0);
	result = NONE;
	assert_true(chore_reaped(pid, status));
	assert_false(chore_reaped(pid, status));
}

static void test_errors(void **state)
{
	static const int errors[] = { 0, -EPERM, -ENOSPC };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		assert_int_equal(chore_start(answer, &errors[i], done), 0);
		finish();
		assert_int_equal(result, errors[i]);
	}
	assert_int_equal(chore_start(answer, &errors[1], NULL), 0);
	finish();
	assert_int_equal(result, NONE);
	assert_false(chore_reaped(0, 0));
}

static void test_descriptors(void **state)
{
	(void)state;
	secret = open("/dev/null", O_RDONLY);
	assert_true(secret > STDERR_FILENO);
	assert_int_equal(chore_start(look, NULL, done), 0);
	finish();
	assert_int_equal(result, 0);
	close(secret);
}

static void test_killed(void **state)
{
	(void)state;
	assert_int_equal(chore_start(die, NULL, done), 0);
	waitpid(-1, NULL, 0);
	assert_false(chore_reaped(1, SIGKILL));
}

static int hang(const void *arg)
{
	(void)arg;
	return pause();
}

/* Whether any is left, for who wants to leave nothing half written. */
static void test_end(void **state)
{
	static const int none;

	(void)state;
	assert_false(chore_any());
	assert_int_equal(chore_start(hang, NULL, done), 0);
	assert_int_equal(chore_start(answer, &none, NULL), 0);
	assert_true(chore_any());
	chore_kill();
	for (unsigned n = 0; n < 2; n++) {
		int status;
		pid_t pid = waitpid(-1, &status, 0);

		assert_true(chore_any());
		assert_true(chore_reaped(pid, status));
	}
	assert_false(chore_any());
	assert_int_equal(result, -EINTR);
}

static void test_many(void **state)
{
	static const int none;
	unsigned n = 0;

	(void)state;
	while (chore_start(answer, &none, NULL) == 0)
		n++;
	assert_true(n >= 16 && n < 64);
	assert_int_equal(chore_start(answer, &none, NULL), -EAGAIN);
	while (n--)
		finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("what could not be done", test_errors, NULL),
		CASE("nothing of PID 1's is open", test_descriptors, NULL),
		CASE("the end of all", test_end, NULL),
		CASE("too many", test_many, NULL),
		CASE("another child", test_killed, NULL),
	};

	return cmocka_run_group_tests_name("chore", tests, NULL, NULL);
}
