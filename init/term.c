/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Raw mode and an output buffer of fixed size. */
#include "term.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "util.h"

enum { IN = 512 };

static struct term *terms; /* all of them, for the last words */

static void want(struct term *term)
{
	bool types = !term->lent && !term->ended && !term->paused;

	bool writes = term->used || term->awaited;

	loop_want(&term->tty, (types ? EPOLLIN : 0) | (writes ? (uint32_t)EPOLLOUT : 0));
}

static void flush_out(struct term *term)
{
	while (term->used > 0) {
		ssize_t n = write(term->tty.fd, term->out, term->used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			n = (ssize_t)term->used; /* the line is gone: there is nobody to tell */
		if (n <= 0)
			break;
		term->used -= (size_t)n;
		memmove(term->out, term->out + n, term->used);
	}
	if (term->dropped && !term_is_behind(term)) {
		char note[80];
		size_t lost = term->dropped;

		term->dropped = 0;
		str_format(note, sizeof(note),
			   "\n[%zu bytes of output dropped: the line is slow]\n", lost);
		term_puts(term, note);
	}
}

/* Hung up: it would be ready for ever. */
static void hang_up(struct term *term)
{
	loop_close(&term->tty);
	term->used = 0;
	if (term->gone)
		term->gone(term->arg);
}

static void read_typed(struct term *term)
{
	char data[IN];
	ssize_t n = read(term->tty.fd, data, sizeof(data));

	if (n > 0) {
		term->input(term->arg, data, (size_t)n);
	} else if (n == 0 && term->is_plain && !term->ended) {
		term->ended = true;
		term->input(term->arg, data, 0);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		hang_up(term);
	}
}

static void tty_ready(void *arg, uint32_t events)
{
	struct term *term = arg;

	if (events & EPOLLOUT)
		flush_out(term);
	if (events & EPOLLHUP && term->lent)
		loop_close(&term->tty); /* by the end of the session that has it */
	else if (events & EPOLLHUP && (term->ended || term->paused))
		hang_up(term);
	else if (events & (EPOLLIN | EPOLLHUP) && !term->lent)
		read_typed(term);
	if (term->tty.fd < 0)
		return;
	if (!term_is_behind(term)) {
		term->awaited = false;
		term->room(term->arg);
	}
	want(term);
}

static void set_raw(struct term *term)
{
	struct termios raw = term->ordinary;

	if (!term->is_tty)
		return;
	cfmakeraw(&raw);
	raw.c_cflag |= CLOCAL;
	tcsetattr(term->tty.fd, TCSANOW, &raw);
}

static void set_speed(struct termios *modes, unsigned baud)
{
	static const struct {
		unsigned baud;
		speed_t speed;
	} speeds[] = {
		{ 9600, B9600 },     { 19200, B19200 },	  { 38400, B38400 },
		{ 57600, B57600 },   { 115200, B115200 }, { 230400, B230400 },
		{ 460800, B460800 }, { 921600, B921600 }, { 1500000, B1500000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(speeds); i++) {
		if (speeds[i].baud != baud)
			continue;
		cfsetispeed(modes, speeds[i].speed);
		cfsetospeed(modes, speeds[i].speed);
	}
}

int term_init(struct term *term, int fd, unsigned baud)
{
	int error = loop_add(&term->tty, fd, EPOLLIN, tty_ready, term);
	const struct term *known = terms;

	while (known && known != term)
		known = known->next;
	if (!known) {
		term->next = terms;
		terms = term;
	}
	term->lent = term->ended = term->paused = term->awaited = false;
	term->used = term->dropped = 0;
	term->is_tty = tcgetattr(fd, &term->ordinary) == 0;
	set_speed(&term->ordinary, baud);
	set_raw(term);
	return error;
}

void term_lend(struct term *term)
{
	term->lent = true;
	flush_out(term);
	if (term->is_tty)
		tcsetattr(term->tty.fd, TCSANOW, &term->ordinary);
	want(term);
}

void term_take_back(struct term *term, int fd)
{
	term->lent = false;
	if (fd >= 0) {
		loop_close(&term->tty);
		loop_add(&term->tty, fd, EPOLLIN, tty_ready, term);
	}
	set_raw(term);
	want(term);
}

void term_pause(struct term *term, bool paused)
{
	term->paused = paused;
	want(term);
}

bool term_is_behind(const struct term *term)
{
	return term->used > TERM_OUT / 2;
}

void term_await(struct term *term)
{
	term->awaited = true;
	want(term);
}

size_t term_pending(const struct term *term)
{
	return term->used;
}

void term_write(struct term *term, const char *data, size_t len)
{
	if (term->tty.fd < 0 || term->lent)
		return;
	if (len > sizeof(term->out) - term->used)
		flush_out(term);
	if (len > sizeof(term->out) - term->used) {
		term->dropped += len;
		return;
	}
	memcpy(term->out + term->used, data, len);
	term->used += len;
	flush_out(term);
	want(term);
}

void term_text(struct term *term, const char *data, size_t len)
{
	while (len > 0) {
		const char *eol = memchr(data, '\n', len);
		size_t n = eol ? (size_t)(eol - data) : len;

		if (n)
			term_write(term, data, n);
		if (!eol)
			return;
		term_write(term, term->is_plain ? "\n" : "\r\n", term->is_plain ? 1 : 2);
		data += n + 1;
		len -= n + 1;
	}
}

void term_puts(struct term *term, const char *text)
{
	term_text(term, text, strlen(text));
}

void term_restore(void)
{
	for (const struct term *term = terms; term; term = term->next)
		if (term->is_tty)
			tcsetattr(term->tty.fd, TCSANOW, &term->ordinary);
}
