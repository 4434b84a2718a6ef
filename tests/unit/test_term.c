/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal, on a pseudo terminal and on a line that is too slow. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <termios.h>

#include "loop.h"
#include "term.h"

static struct source *tty;
static uint32_t wanted;
static char typed[64];

int loop_add(struct source *source, int fd, uint32_t events, void (*ready)(void *, uint32_t),
	     void *arg)
{
	source->fd = fd;
	source->ready = ready;
	source->arg = arg;
	tty = source;
	wanted = events;
	return 0;
}

void loop_want(struct source *source, uint32_t events)
{
	assert_ptr_equal(source, tty);
	wanted = events;
}

void loop_close(struct source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}

static unsigned rooms;

static void on_input(void *arg, const char *data, size_t len)
{
	assert_ptr_equal(arg, &rooms);
	str_format(typed, sizeof(typed), "%.*s", (int)len, data);
}

static void on_room(void *arg)
{
	assert_ptr_equal(arg, &rooms);
	rooms++;
}

static struct term term = { .input = on_input, .room = on_room, .arg = &rooms };
static int line[2]; /* ours, the other end */

/* The other end of a line with a small buffer. */
static int setup(void **state)
{
	const int small = 4096;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, line), 0);
	setsockopt(line[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	typed[0] = '\0';
	return term_init(&term, line[0], 0);
}

static char got[512 * 1024];

/* Takes what has come, as a fast or slow terminal does. */
static size_t take(size_t most)
{
	size_t used = 0;
	ssize_t n;

	while (used < most && (n = read(line[1], got + used, most - used)) > 0)
		used += (size_t)n;
	got[used] = '\0';
	return used;
}

/* Lets the line carry all that waits for it. */
static void drain(void)
{
	size_t used = 0;

	do {
		ssize_t n;

		while ((n = read(line[1], got + used, sizeof(got) - 1 - used)) > 0)
			used += (size_t)n;
		if (wanted & EPOLLOUT)
			tty->ready(tty->arg, EPOLLOUT);
		else if (n < 0)
			break;
	} while (tty->fd >= 0);
	got[used] = '\0';
}

static int teardown(void **state)
{
	(void)state;
	drain();
	loop_close(tty);
	close(line[1]);
	return 0;
}

static void test_write(void **state)
{
	(void)state;
	term_write(&term, "a\nb", 3);
	take(100);
	assert_string_equal(got, "a\nb");
	assert_int_equal(wanted, EPOLLIN);
}

static void test_text(void **state)
{
	(void)state;
	term_puts(&term, "a\n\nb\n");
	term_text(&term, "c\nd", 3);
	take(100);
	assert_string_equal(got, "a\r\n\r\nb\r\nc\r\nd");
}

static void test_input(void **state)
{
	(void)state;
	assert_int_equal(write(line[1], "help\r", 5), 5);
	tty->ready(tty->arg, EPOLLIN);
	assert_string_equal(typed, "help\r");
}

/* Everything arrives, in order, as long as it fits into the buffer. */
static void test_slow(void **state)
{
	char text[16];

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		str_format(text, sizeof(text), "%05u\n", i);
		term_write(&term, text, 6);
	}
	assert_true(wanted & EPOLLOUT);
	drain();
	assert_int_equal(strlen(got), 30000);
	for (unsigned i = 0; i < 5000; i++)
		assert_int_equal(strtoul(got + (size_t)6 * i, NULL, 10), i);
	assert_int_equal(wanted, EPOLLIN);
}

/* What does not fit is dropped, counted and told; PID 1 never waits for it. */
static void test_too_slow(void **state)
{
	static const char text[] =
		"0123456789012345678901234567890123456789012345678901234567890\n";

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		term_write(&term, text, sizeof(text) - 1);
	drain();
	assert_non_null(strstr(got, "bytes of output dropped: the line is slow]"));
	term_puts(&term, "after");
	take(100);
	assert_string_equal(got, "after");
}

/* Whoever has much to say can wait until the line has carried half of it. */
static void test_room(void **state)
{
	(void)state;
	rooms = 0;
	assert_false(term_is_behind(&term));
	for (unsigned i = 0; i < 5000 && !term_is_behind(&term); i++)
		term_write(&term, "0123456789012345678901234567890", 31);
	assert_true(term_is_behind(&term));
	assert_int_equal(rooms, 0);
	drain();
	assert_false(term_is_behind(&term));
	assert_true(rooms > 0);
	assert_null(strstr(got, "dropped"));
}

static void test_hung_up(void **state)
{
	(void)state;
	close(line[1]);
	line[1] = open("/dev/null", O_RDONLY);
	term_puts(&term, "to nobody");
	tty->ready(tty->arg, EPOLLHUP);
	assert_int_equal(tty->fd, -1);
	term_puts(&term, "to nobody");
	term_lend(&term);
	term_take_back(&term, -1);
	term_restore();
}

static void test_lend(void **state)
{
	(void)state;
	term_puts(&term, "before");
	term_lend(&term);
	assert_int_equal(wanted & EPOLLIN, 0);
	term_puts(&term, "not shown");
	term_take_back(&term, -1);
	assert_true(wanted & EPOLLIN);
	term_puts(&term, "after");
	take(100);
	assert_string_equal(got, "beforeafter");
}

/* The session that has borrowed it ends, and the kernel hangs it up. */
static void test_hung_up_while_lent(void **state)
{
	int other[2];

	(void)state;
	term_lend(&term);
	tty->ready(tty->arg, EPOLLHUP);
	assert_int_equal(tty->fd, -1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, other), 0);
	close(line[1]);
	line[1] = other[1];
	term_take_back(&term, other[0]);
	term_puts(&term, "again");
	take(100);
	assert_string_equal(got, "again");
}

/* A real terminal is raw while it is ours, and as it was before for others. */
static void test_modes(void **state)
{
	struct termios before;
	struct termios now;
	int master;
	int slave;

	(void)state;
	assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
	assert_int_equal(tcgetattr(slave, &before), 0);
	assert_true(before.c_lflag & ICANON);
	assert_int_equal(term_init(&term, slave, 57600), 0);
	assert_int_equal(tcgetattr(slave, &now), 0);
	assert_false(now.c_lflag & (ICANON | ECHO | ISIG));
	assert_int_equal(cfgetospeed(&now), B57600);
	term_lend(&term);
	assert_int_equal(tcgetattr(slave, &now), 0);
	assert_int_equal(now.c_lflag, before.c_lflag);
	term_take_back(&term, -1);
	assert_int_equal(tcgetattr(slave, &now), 0);
	assert_false(now.c_lflag & ICANON);
	term_restore();
	assert_int_equal(tcgetattr(slave, &now), 0);
	assert_int_equal(now.c_lflag, before.c_lflag);
	loop_close(tty);
	close(master);
}

#define TERM_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TERM_CASE("bytes as they are", test_write),
		TERM_CASE("newlines of text", test_text),
		TERM_CASE("input", test_input),
		TERM_CASE("a slow line", test_slow),
		TERM_CASE("a line that is too slow", test_too_slow),
		TERM_CASE("room on a slow line", test_room),
		TERM_CASE("a line that hangs up", test_hung_up),
		TERM_CASE("lent", test_lend),
		TERM_CASE("hung up while it is lent", test_hung_up_while_lent),
		CASE("modes of a terminal", test_modes, NULL),
	};

	signal(SIGPIPE, SIG_IGN); /* PID 1 blocks it */
	return cmocka_run_group_tests_name("term", tests, NULL, NULL);
}
