/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event loop, each test in a child of its own: loop_run() does not come back. */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop.h"

static struct source one = { .fd = -1 };
static struct source two = { .fd = -1 };
static struct source timer = { .fd = -1 };
static int pipes[2][2];
static unsigned calls;

/* Runs the loop in a child until a ready function ends it; 0 means that all went well. */
static void run(void (*prepare)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		alarm(20);
		if (loop_init() || pipe2(pipes[0], O_NONBLOCK) || pipe2(pipes[1], O_NONBLOCK))
			_exit(90);
		prepare();
		loop_run();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void leave(void *arg, uint32_t events)
{
	_exit(arg == &one && events == EPOLLIN ? 0 : 91);
}

static void prepare_ready(void)
{
	if (loop_add(&one, pipes[0][0], EPOLLIN, leave, &one) || write(pipes[0][1], "x", 1) != 1)
		_exit(92);
}

static void test_ready(void **state)
{
	(void)state;
	run(prepare_ready);
}

static void fail_if_called(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	_exit(93);
}

static void check_and_leave(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	_exit(timer_fired(&timer) ? 0 : 94);
}

/* The first source closes the second one, which is ready as well. */
static void close_other(void *arg, uint32_t events)
{
	(void)events;
	loop_close(arg);
	loop_close(arg);
	calls++;
	loop_close(arg == &one ? &two : &one);
	if (one.fd != -1 || two.fd != -1 || calls > 1)
		_exit(95);
	timer_set(&timer, 20);
}

static void prepare_close(void)
{
	if (timer_add(&timer, check_and_leave, NULL) ||
	    loop_add(&one, pipes[0][0], EPOLLIN, close_other, &two) ||
	    loop_add(&two, pipes[1][0], EPOLLIN, close_other, &one) ||
	    write(pipes[0][1], "x", 1) != 1 || write(pipes[1][1], "x", 1) != 1)
		_exit(96);
}

static void test_close(void **state)
{
	(void)state;
	run(prepare_close);
}

/* A child that still has the open file must not keep a closed source in the set. */
static void prepare_shared(void)
{
	if (timer_add(&timer, check_and_leave, NULL) || dup(pipes[0][0]) < 0 ||
	    loop_add(&one, pipes[0][0], EPOLLIN, fail_if_called, NULL))
		_exit(97);
	loop_close(&one);
	if (write(pipes[0][1], "x", 1) != 1)
		_exit(98);
	timer_set(&timer, 20);
}

static void test_shared(void **state)
{
	(void)state;
	run(prepare_shared);
}

static void prepare_want(void)
{
	if (timer_add(&timer, check_and_leave, NULL) ||
	    loop_add(&one, pipes[0][0], EPOLLIN, fail_if_called, NULL))
		_exit(97);
	loop_want(&one, 0);
	loop_want(&two, EPOLLIN); /* closed: nothing happens */
	if (write(pipes[0][1], "x", 1) != 1)
		_exit(98);
	timer_set(&timer, 20);
}

static void test_want(void **state)
{
	(void)state;
	run(prepare_want);
}

/* A timer that is stopped does not run out, and one that is set anew does so once. */
static void prepare_timers(void)
{
	static struct source stopped = { .fd = -1 };

	if (timer_add(&timer, check_and_leave, NULL) || timer_add(&stopped, fail_if_called, NULL) ||
	    timer_fired(&timer))
		_exit(99);
	timer_set(&stopped, 1);
	timer_set(&stopped, 0);
	timer_set(&timer, 100000);
	timer_set(&timer, 30);
}

static void test_timers(void **state)
{
	(void)state;
	run(prepare_timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE("a source is ready", test_ready, NULL),
		CASE("a ready source is closed by another", test_close, NULL),
		CASE("a closed source whose file is still open", test_shared, NULL),
		CASE("a source that wants nothing", test_want, NULL),
		CASE("timers", test_timers, NULL),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
