/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting: no event may be missed, and none may be waited for too long. */
#include "unit.h"

#include <errno.h>
#include <sys/socket.h>

#include "sys_host.h"
#include "wait.h"

static int ours = -1; /* the other end of the uevent socket */
static bool no_socket;
static unsigned looks; /* how often it was looked */
static unsigned appears; /* the look at which it is there */
static unsigned events_at; /* the look during which an event comes; 0: none does */

int sys_uevent_open(void)
{
	int fd[2];

	if (no_socket)
		return -EPERM;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fd), 0);
	ours = fd[0];
	return fd[1];
}

static bool look(void *arg)
{
	assert_ptr_equal(arg, &looks);
	looks++;
	/* Two at once are one reason to look again. */
	if (looks == events_at) {
		assert_int_equal(write(ours, "add@/x", 6), 6);
		assert_int_equal(write(ours, "add@/y", 6), 6);
	}
	return looks == appears;
}

static int setup(void **state)
{
	(void)state;
	looks = appears = events_at = 0;
	no_socket = false;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close_fdp(&ours);
	ours = -1;
	return 0;
}

static void test_there(void **state)
{
	(void)state;
	appears = 1;
	assert_true(wait_until(look, &looks, 0));
	assert_int_equal(looks, 1);
}

static void test_event(void **state)
{
	(void)state;
	events_at = 1;
	appears = 2;
	assert_true(wait_until(look, &looks, boottime_us() + 60 * 1000000));
	assert_int_equal(looks, 2);
}

static void test_deadline(void **state)
{
	uint64_t before = boottime_us();

	(void)state;
	events_at = 1;
	assert_false(wait_until(look, &looks, before + 20000));
	assert_int_equal(looks, 3); /* before, after the event, at the end */
	assert_true(boottime_us() >= before + 20000);
}

static void test_past(void **state)
{
	(void)state;
	assert_false(wait_until(look, &looks, 0));
	assert_int_equal(looks, 1);
}

static void test_no_socket(void **state)
{
	(void)state;
	no_socket = true;
	appears = 2;
	assert_true(wait_until(look, &looks, boottime_us() + 60 * 1000000));
}

#define WAIT_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WAIT_CASE("there already", test_there),
		WAIT_CASE("there after an event", test_event),
		WAIT_CASE("never there", test_deadline),
		WAIT_CASE("no time to wait", test_past),
		WAIT_CASE("no events to be had", test_no_socket),
	};

	return cmocka_run_group_tests_name("wait", tests, NULL, NULL);
}
