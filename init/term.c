/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw mode and an output buffer of fixed size. */
#include "term.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <termios.h>

#include "loop.h"
#include "util.h"

enum { OUT = 64 * 1024, IN = 512 };

static struct source tty = { .fd = -1 };
static struct termios ordinary;
static bool is_tty;
static bool lent;
static void (*on_input)(const char *data, size_t len);
static void (*on_room)(void);

static char out[OUT];
static size_t out_used;
static size_t dropped;

static void want(void)
{
	loop_want(&tty, (lent ? 0 : EPOLLIN) | (out_used ? (uint32_t)EPOLLOUT : 0));
}

static void flush_out(void)
{
	while (out_used > 0) {
		ssize_t n = write(tty.fd, out, out_used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			n = (ssize_t)out_used; /* the line is gone: there is nobody to tell */
		if (n <= 0)
			break;
		out_used -= (size_t)n;
		memmove(out, out + n, out_used);
	}
	if (dropped && out_used < OUT / 2) {
		char note[80];
		size_t lost = dropped;

		dropped = 0;
		str_format(note, sizeof(note),
			   "\n[%zu bytes of output dropped: the line is slow]\n", lost);
		term_puts(note);
	}
}

static void tty_ready(void *arg, uint32_t events)
{
	char data[IN];
	ssize_t n;

	(void)arg;
	if (events & EPOLLOUT)
		flush_out();
	if (events & (EPOLLIN | EPOLLHUP) && !lent) {
		n = read(tty.fd, data, sizeof(data));
		if (n > 0)
			on_input(data, (size_t)n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			loop_close(&tty); /* hung up: it would be ready for ever */
	}
	if (on_room && !term_is_behind())
		on_room();
	want();
}

static void set_raw(void)
{
	struct termios raw = ordinary;

	if (!is_tty)
		return;
	cfmakeraw(&raw);
	raw.c_cflag |= CLOCAL;
	tcsetattr(tty.fd, TCSANOW, &raw);
}

int term_init(int fd, void (*input)(const char *data, size_t len))
{
	int error;

	on_input = input;
	error = loop_add(&tty, fd, EPOLLIN, tty_ready, NULL);
	is_tty = tcgetattr(fd, &ordinary) == 0;
	set_raw();
	return error;
}

void term_lend(void)
{
	lent = true;
	flush_out();
	term_restore();
	want();
}

void term_take_back(void)
{
	lent = false;
	set_raw();
	want();
}

bool term_is_behind(void)
{
	return out_used > OUT / 2;
}

void term_on_room(void (*room)(void))
{
	on_room = room;
}

void term_write(const char *data, size_t len)
{
	if (tty.fd < 0 || lent)
		return;
	if (len > sizeof(out) - out_used)
		flush_out();
	if (len > sizeof(out) - out_used) {
		dropped += len;
		return;
	}
	memcpy(out + out_used, data, len);
	out_used += len;
	flush_out();
	want();
}

void term_text(const char *data, size_t len)
{
	while (len > 0) {
		const char *eol = memchr(data, '\n', len);
		size_t n = eol ? (size_t)(eol - data) : len;

		if (n)
			term_write(data, n);
		if (!eol)
			return;
		term_write("\r\n", 2);
		data += n + 1;
		len -= n + 1;
	}
}

void term_puts(const char *text)
{
	term_text(text, strlen(text));
}

void term_restore(void)
{
	if (is_tty)
		tcsetattr(tty.fd, TCSANOW, &ordinary);
}
