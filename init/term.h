/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operator's terminal: raw bytes in, buffered bytes out; never blocks, never waits. */
#ifndef HVINIT_TERM_H
#define HVINIT_TERM_H

#include <stdbool.h>
#include <stddef.h>

/* Takes over the terminal fd (non-blocking). input is called with what was typed. */
int term_init(int fd, void (*input)(const char *data, size_t len));

/* Lends the terminal, in its ordinary mode, to a child; takes it back, in raw mode. */
void term_lend(void);
void term_take_back(void);

/* True while a slow line is so far behind that who can wait should. */
bool term_is_behind(void);
/* Who waits: called when the line has caught up. */
void term_on_room(void (*room)(void));

/* Bytes as they are. What does not fit into the buffer of a slow line is dropped. */
void term_write(const char *data, size_t len);
/* Text: a newline becomes carriage return and newline. */
void term_text(const char *data, size_t len);
void term_puts(const char *text);

/* For the last words only: puts the terminal into its ordinary mode. Async-signal-safe. */
void term_restore(void);

#endif
