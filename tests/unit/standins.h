/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stand-ins for the log, events, the loop with its timers, and the pipe of a launcher's reports; they
 * keep what they are told. All of them are weak: where a test defines one itself, or the room is linked
 * for another of its functions, that one counts.
 */
#ifndef HVINIT_STANDINS_H
#define HVINIT_STANDINS_H

#include <limits.h>
#include <stdbool.h>

#include "launch.h"
#include "log.h"
#include "loop.h"

/* What was logged, a line each: "SUBJECT: TEXT", and findings as they are printed. */
extern char said[16384];

extern char happened[4096]; /* events, a line each: "vm demo running starting" */

extern struct source *watched; /* the last one that was given to the loop; not a timer */
extern uint32_t watched_events; /* EPOLL* events that it waits for */

enum { TIMER_FD = INT_MAX }; /* no descriptor has that number */

extern struct source *timer; /* the last one that was made */
extern uint64_t timer_ms; /* what it was set to */
extern int timer_error; /* 0, or the negative errno that timer_add() returns */

extern unsigned chores_begun; /* which are done at once */
extern bool chore_hangs; /* they are not done at all */
extern void (*chore_done)(int error); /* of the last one that hangs */
extern int chore_error; /* 0, or the negative errno that chore_start() returns */

/* Forgets all of that. */
void standins_reset(void);

/* Adds a line to what was said. */
void say(const char *text);
void assert_said(const char *part);
unsigned times_said(const char *part);

/* What show() returns, with all that it prints to standard output in out, as text. */
bool print_into(char *out, size_t size, bool (*show)(void));

/* All that there is to read, as text; it stays until the next call. */
const char *read_text(int fd);

#endif
