/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the rooms of the console: one operator at one terminal. */
#ifndef HVINIT_CONSOLE_PRIVATE_H
#define HVINIT_CONSOLE_PRIVATE_H

#include <sys/types.h>

#include "console.h"
#include "edit.h"
#include "term.h"
#include "text.h"

/* Bytes that are typed while a command runs, as when several lines are pasted. */
enum { CONSOLE_AHEAD = 4096 };

enum console_mode {
	CONSOLE_OFF, /* there is no such console */
	CONSOLE_PROMPT,
	CONSOLE_COMMAND, /* one that is over at once */
	CONSOLE_CHILD, /* a command's child prints */
	CONSOLE_GUEST,
	CONSOLE_SHELL,
};

struct console {
	char path[32]; /* of the terminal */
	struct term term;
	enum console_mode mode;
	unsigned held; /* lines not shown while somebody else had the terminal */

	struct edit edit;
	char ahead[CONSOLE_AHEAD];
	size_t ahead_used;

	unsigned guest; /* slot, in mode GUEST */
	uint64_t guest_at; /* what of its console has been shown */
	uint64_t guest_live; /* from there on bytes are passed on as they are */
	struct text_filter guest_filter; /* up to there they are cleaned */

	pid_t child;
	struct source output; /* of the child */
};

/* The one whose command runs: replies go there, and what a command begins is its. */
extern struct console *console_current;

/* Each console that there is: for (c = NULL; (c = console_next(c));) */
struct console *console_next(struct console *console);

const struct config *console_config(void);

/* Shows the prompt, and how much was not shown meanwhile. */
void console_to_prompt(struct console *console);

/* Bytes that were typed, whoever has the terminal; return how many of them were taken. */
void console_typed(struct console *console, const char *data, size_t len);
size_t console_type_prompt(struct console *console, const char *data, size_t len);
size_t console_type_child(struct console *console, const char *data, size_t len);
size_t console_type_guest(struct console *console, const char *data, size_t len);

/* The line has room for more. */
void console_feed_child(struct console *console);
void console_feed_guest(struct console *console);

#endif
