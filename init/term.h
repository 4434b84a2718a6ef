/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An operator's terminal: raw bytes in, buffered bytes out; never blocks, never waits. */
#ifndef HVINIT_TERM_H
#define HVINIT_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "loop.h"

enum { TERM_OUT = 64 * 1024 };

struct term {
	/*
	 * What was typed, and nothing (len 0) when a program has said that this is all; and, once the
	 * line has caught up, that there is room for more.
	 */
	void (*input)(void *arg, const char *data, size_t len);
	void (*room)(void *arg);
	void (*gone)(void *arg); /* a program has closed the other end; NULL: it is no program's */
	void *arg;
	bool is_plain; /* a program's: newlines stay as they are, and who says no more may still listen */

	/* The rest is term.c's own. */
	struct source tty;
	struct termios ordinary;
	struct term *next;
	bool is_tty;
	bool lent;
	bool ended; /* nothing more will be typed */
	bool paused;
	bool awaited; /* somebody waits for room */
	size_t used;
	size_t dropped;
	char out[TERM_OUT];
};

/*
 * Takes over the terminal fd (non-blocking), which it owns from now on; input, room and arg are set.
 * baud is its speed; one that it cannot have, as 0, leaves it as it is. 0 or a negative errno.
 */
int term_init(struct term *term, int fd, unsigned baud);

/*
 * Lends the terminal, in its ordinary mode, to a child; takes it back, in raw mode. When a session
 * ends the kernel hangs up its terminal for all who have it open, so fd is the same one, opened anew;
 * negative: it could not be.
 */
void term_lend(struct term *term);
void term_take_back(struct term *term, int fd);

/* What is typed stays with the kernel until it is let in again. */
void term_pause(struct term *term, bool paused);

/* True while a slow line is so far behind that who can wait should. */
bool term_is_behind(const struct term *term);
/* room is to be called, by the loop, as soon as that is over, whoever has made the line catch up. */
void term_await(struct term *term);
/* Bytes that wait for the line. */
size_t term_pending(const struct term *term);

/* Bytes as they are. What does not fit into the buffer of a slow line is dropped. */
void term_write(struct term *term, const char *data, size_t len);
/* Text: a newline becomes carriage return and newline. */
void term_text(struct term *term, const char *data, size_t len);
void term_puts(struct term *term, const char *text);

/* For the last words only: puts all terminals into their ordinary mode. Async-signal-safe. */
void term_restore(void);

#endif
