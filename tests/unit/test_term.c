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
static unsigned inputs;
static unsigned gone;

static void on_input(void *arg, const char *data, size_t len)
{
	assert_ptr_equal(arg, &rooms);
	inputs++;
	str_format(typed, sizeof(typed), "%.*s", (int)len, data);
}

static void on_room(void *arg)
{
	assert_ptr_equal(arg, &rooms);
	rooms++;
}

static void on_gone(void *arg)
{
	assert_ptr_equal(arg, &rooms);
	gone++;
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
	inputs = gone = 0;
	term.is_plain = false;
	term.gone = NULL;
	return term_init(&term, line[0], 0);
}

/* A program is at the other end. */
static int setup_plain(void **state)
{
	int error = setup(state);

	term.is_plain = true;
	term.gone = on_gone;
	return error;
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

/* The other end is closed, with all that it had. */
static void close_other(void)
{
	close(line[1]);
	line[1] = open("/dev/null", O_RDONLY);
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
	close_other();
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

/* --- a program's --- */

static void test_plain_text(void **state)
{
	(void)state;
	term_puts(&term, "a\n\nb\n");
	term_text(&term, "c\nd", 3);
	take(100);
	assert_string_equal(got, "a\n\nb\nc\nd");
}

/* It says no more, as a pipe's end does, but waits for the answer. */
static void test_plain_end(void **state)
{
	(void)state;
	assert_int_equal(write(line[1], "status", 6), 6);
	shutdown(line[1], SHUT_WR);
	tty->ready(tty->arg, EPOLLIN);
	assert_string_equal(typed, "status");
	tty->ready(tty->arg, EPOLLIN);
	assert_string_equal(typed, "");
	assert_int_equal(inputs, 2);
	/* An end of file can be read again and again: nobody waits for it any more. */
	assert_int_equal(wanted, 0);
	term_puts(&term, "answer\n");
	take(100);
	assert_string_equal(got, "answer\n");
	assert_int_equal(inputs, 2);
	assert_int_equal(gone, 0);
}

/* More of an answer than the line takes at once. */
static void test_plain_end_slow(void **state)
{
	(void)state;
	shutdown(line[1], SHUT_WR);
	tty->ready(tty->arg, EPOLLIN);
	for (unsigned i = 0; i < 5000; i++)
		term_puts(&term, "12345\n");
	assert_int_equal(wanted, EPOLLOUT);
	drain();
	assert_int_equal(strlen(got), 30000);
	assert_int_equal(inputs, 1);
	assert_int_equal(wanted, 0);
}

static void test_plain_gone(void **state)
{
	(void)state;
	close_other();
	tty->ready(tty->arg, EPOLLIN | EPOLLHUP);
	assert_string_equal(typed, "");
	assert_int_equal(gone, 0);
	tty->ready(tty->arg, EPOLLHUP);
	assert_int_equal(inputs, 1);
	assert_int_equal(gone, 1);
	assert_int_equal(tty->fd, -1);
	assert_int_equal(term_pending(&term), 0);
	term_puts(&term, "to nobody");
	assert_int_equal(term_pending(&term), 0);
}

/* It does not even read what it was told: the kernel calls that a reset. */
static void test_plain_reset(void **state)
{
	(void)state;
	term_puts(&term, "to nobody");
	close_other();
	tty->ready(tty->arg, EPOLLIN | EPOLLHUP);
	assert_int_equal(inputs, 0);
	assert_int_equal(gone, 1);
	assert_int_equal(tty->fd, -1);
}

static void test_pause(void **state)
{
	(void)state;
	term_pause(&term, true);
	assert_int_equal(wanted, 0);
	assert_int_equal(write(line[1], "later\n", 6), 6);
	term_puts(&term, "answer\n");
	take(100);
	assert_string_equal(got, "answer\n");
	assert_int_equal(wanted, 0);
	assert_int_equal(inputs, 0);
	term_pause(&term, false);
	assert_int_equal(wanted, EPOLLIN);
	tty->ready(tty->arg, EPOLLIN);
	assert_string_equal(typed, "later\n");
	assert_int_equal(inputs, 1);
}

/* The line has room again while it is paused: that lets nothing in. */
static void test_pause_slow(void **state)
{
	(void)state;
	term_pause(&term, true);
	assert_int_equal(write(line[1], "later\n", 6), 6);
	for (unsigned i = 0; i < 5000; i++)
		term_puts(&term, "12345\n");
	assert_int_equal(wanted, EPOLLOUT);
	drain();
	assert_int_equal(strlen(got), 30000);
	assert_int_equal(wanted, 0);
	assert_int_equal(inputs, 0);
}

/* Whoever does not listen to it must notice all the same: a hang-up cannot be waited away. */
static void test_pause_gone(void **state)
{
	(void)state;
	term_pause(&term, true);
	assert_int_equal(write(line[1], "later\n", 6), 6);
	close_other();
	tty->ready(tty->arg, EPOLLHUP);
	assert_int_equal(inputs, 0);
	assert_int_equal(gone, 1);
	assert_int_equal(tty->fd, -1);
}

/* What one program has left behind is not the next one's. */
static void test_plain_next(void **state)
{
	(void)state;
	shutdown(line[1], SHUT_WR);
	tty->ready(tty->arg, EPOLLIN);
	term_pause(&term, true);
	loop_close(tty);
	close(line[1]);
	assert_int_equal(setup_plain(state), 0);
	assert_int_equal(write(line[1], "status\n", 7), 7);
	term_puts(&term, "");
	tty->ready(tty->arg, EPOLLIN);
	assert_string_equal(typed, "status\n");
	assert_int_equal(wanted, EPOLLIN);
}

#define TERM_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)
#define PLAIN_CASE(title, function) FIXTURE(title, function, setup_plain, teardown, NULL)

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
		PLAIN_CASE("a program's newlines", test_plain_text),
		PLAIN_CASE("a program's last word", test_plain_end),
		PLAIN_CASE("a program's last word, and a long answer", test_plain_end_slow),
		PLAIN_CASE("a program goes away", test_plain_gone),
		PLAIN_CASE("a program goes away without listening", test_plain_reset),
		PLAIN_CASE("paused", test_pause),
		PLAIN_CASE("paused on a slow line", test_pause_slow),
		PLAIN_CASE("a program goes away while it is paused", test_pause_gone),
		PLAIN_CASE("a program comes after another", test_plain_next),
	};

	signal(SIGPIPE, SIG_IGN); /* PID 1 blocks it */
	return cmocka_run_group_tests_name("term", tests, NULL, NULL);
}
