/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the rooms of the console: who sits at one end, and what is going on there. */
#ifndef HVINIT_CONSOLE_PRIVATE_H
#define HVINIT_CONSOLE_PRIVATE_H

#include <sys/types.h>

#include "command.h"
#include "console.h"
#include "edit.h"
#include "ring.h"
#include "term.h"
#include "text.h"

enum {
	/* Bytes that are typed while a command runs, as when several lines are pasted. */
	CONSOLE_AHEAD = 4096,
	/* A line of a child's is shown when it is whole, if it is no longer than this. */
	CONSOLE_PART = 2048,
	/* What is shown of what a ring has kept, to who comes to it. */
	CONSOLE_REPLAY = 4096,
};

enum console_kind {
	CONSOLE_PERSON, /* at a terminal */
	CONSOLE_PROGRAM, /* one line, its answer, and that is the end */
	CONSOLE_IN_GUEST, /* a VM's programs: lines without an end, of the commands that only tell */
};

enum console_mode {
	CONSOLE_OFF, /* there is nobody */
	CONSOLE_BOOTING, /* whether there is a password is not known yet */
	CONSOLE_PROMPT,
	CONSOLE_COMMAND, /* one that is over at once */
	CONSOLE_CHILD, /* a command's child prints */
	CONSOLE_GUEST,
	CONSOLE_FOLLOW, /* a ring is shown as it grows */
	CONSOLE_SHELL,
	CONSOLE_LOCKED, /* waits for the password */
	CONSOLE_CHECKING, /* a child looks at it */
	CONSOLE_DELAYED, /* it was wrong */
	CONSOLE_PACED, /* a guest's next line has to wait: it must not keep the host busy */
	CONSOLE_LINE, /* a program has not sent all of its line */
	CONSOLE_CLOSING, /* a program has not read all of its answer */
};

/* A ring that is shown at the line's pace. */
struct follow {
	const struct ring *ring;
	uint64_t at; /* what has been shown */
	uint64_t live; /* from there on bytes are passed on as they are */
	struct text_filter filter; /* up to there they are cleaned */
	bool lines; /* of JSON: what is lost is told in that form, and begins with a line */
};

struct console {
	enum console_kind kind;
	char path[32]; /* of the terminal */
	struct term term;
	enum console_mode mode;
	unsigned held; /* lines not shown while somebody else had the terminal */

	struct edit edit;
	char ahead[CONSOLE_AHEAD];
	size_t ahead_used;

	unsigned guest; /* slot, in mode GUEST, or of IN_GUEST */
	struct follow follow; /* in modes GUEST and FOLLOW */

	uint64_t began_ms; /* the last command, CLOCK_BOOTTIME */
	pid_t child;
	int status; /* as waitpid() gave it, of the last one */
	struct source output; /* of the child */
	char part[CONSOLE_PART]; /* what is there of its next line */
	size_t part_used;
	bool mid_line; /* the cursor stands behind a line of the child's that was too long to keep */

	unsigned failures; /* wrong passwords in a row */
	struct source delay;
};

/* The one whose command runs: replies go there, and what a command begins is its. */
extern struct console *console_current;

/* Each console that there is: for (c = NULL; (c = console_next(c));) */
struct console *console_next(struct console *console);

const struct config *console_config(void);

/* Shows the prompt, and how much was not shown meanwhile. */
void console_to_prompt(struct console *console);
/* The command is over: the prompt, or the end of a program's answer, and what was typed meanwhile. */
void console_command_over(struct console *console, enum command_result result);

/* Runs a line for the console; cuts it into words in place. */
void console_run(struct console *console, char *line);

/* Bytes that were typed, whoever has the terminal; return how many of them were taken. */
void console_typed(struct console *console, const char *data, size_t len);
void console_typed_ahead(struct console *console);
size_t console_type_prompt(struct console *console, const char *data, size_t len);
size_t console_type_ahead(struct console *console, const char *data, size_t len);
size_t console_type_child(struct console *console, const char *data, size_t len);
size_t console_type_guest(struct console *console, const char *data, size_t len);
size_t console_type_follow(struct console *console, const char *data, size_t len);
size_t console_type_login(struct console *console, const char *data, size_t len);
size_t console_type_line(struct console *console, const char *data, size_t len);

/* The line has room for more. */
void console_feed_child(struct console *console);
void console_feed_follow(struct console *console);
void console_feed_closing(struct console *console);

/* Begins with the last of what the ring has kept; from live on nothing is cleaned any more. */
void console_follow_ring(struct console *console, const struct ring *ring, uint64_t live);

/* Shows the prompt, or what stands before it, for the first time; past is that of the lines. */
void console_open(struct console *console, struct edit_past *past);
/* Whether it waits for the password. */
bool console_is_locked(const struct console *console);
/* The child has looked at it; how is what waitpid() has said. */
void console_password_checked(struct console *console, int how);

/* From now on a guest's lines have to wait for each other. 0 or a negative errno. */
int console_pace(struct console *console);
/* Ends the command's child, and does not wait for what it may still say. */
void console_kill_child(struct console *console);
/* There is nobody any more; all that the console had is closed. */
void console_off(struct console *console);

/* A program will send no more: a line that has no end was not all that it had to say. */
void console_input_over(struct console *console);
/* A program's answer is whole. The other end is closed; arg is the console. */
void console_gone(void *arg);
void console_answer_over(struct console *console, enum command_result result);

#endif
