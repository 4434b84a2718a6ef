/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A line that is being typed: cursor, earlier lines, and what of it is on the screen. Nothing is
 * asked of the terminal but carriage return, backspace and bell, so that a dumb one at 9600 baud
 * will do; of a line that is longer than the screen is wide a part is shown.
 */
#ifndef HVINIT_EDIT_H
#define HVINIT_EDIT_H

#include <stdbool.h>
#include <stddef.h>

enum {
	EDIT_LINE = 512,
	EDIT_PAST = 32, /* earlier lines */
	EDIT_COLUMNS = 80,
};

/* Earlier lines, the last one first; those of several terminals may be the same. */
struct edit_past {
	char line[EDIT_PAST][EDIT_LINE];
	unsigned count;
};

/* What a key asks of the line's owner. */
enum edit_wish {
	EDIT_NOTHING,
	EDIT_ENTER, /* the line is complete; edit_take() gives it */
	EDIT_ABORT, /* Ctrl-C; the line is empty again */
	EDIT_END, /* Ctrl-D on an empty line */
	EDIT_COMPLETE, /* Tab */
};

struct edit {
	const char *prompt; /* in ASCII, shorter than the screen is wide */
	bool secret; /* what is typed is neither shown nor kept */
	struct edit_past *past; /* or NULL */
	/* What is to be shown: bytes as they are. */
	void (*put)(void *arg, const char *data, size_t len);
	void *arg;

	/* The rest is edit.c's own. */
	char line[EDIT_LINE];
	char mine[EDIT_LINE]; /* the line itself while an earlier one is looked at */
	size_t used;
	size_t at; /* the cursor */
	size_t from; /* the first character that is shown */
	size_t shown; /* characters on the screen, prompt included */
	unsigned back; /* how many lines back; 0: the line itself */
	unsigned number; /* in an escape sequence */
	enum { EDIT_PLAIN, EDIT_ESCAPE, EDIT_SEQUENCE } state;
	bool after_return; /* a newline now is a part of it */
};

/* prompt, past, put and arg are kept, the line is empty; shows nothing. */
void edit_init(struct edit *edit);

/* Shows prompt and line on an empty line of the screen, or takes them away again. */
void edit_show(struct edit *edit);
void edit_wipe(struct edit *edit);

/* A byte that was typed. */
enum edit_wish edit_key(struct edit *edit, char key);

/*
 * The complete line, which is valid until the next key; the line is empty then, and the line before
 * counts as one of the past.
 */
char *edit_take(struct edit *edit);

/* The line up to the cursor. */
void edit_before(const struct edit *edit, char text[EDIT_LINE]);

/* Puts text in at the cursor, as if it were typed; what does not fit is left out. */
void edit_insert(struct edit *edit, const char *text);

#endif
