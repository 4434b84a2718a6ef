/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program in a person's place: a line, its answer, and how it went. */
#include <signal.h>
#include <string.h>

#include "console_private.h"
#include "util.h"

/* A guest's commands a second, at most: each can cost a fork. */
enum { PACE_MS = 50 };

static void close_session(struct console *console)
{
	loop_close(&console->term.tty);
	console->mode = CONSOLE_OFF;
}

void console_feed_closing(struct console *console)
{
	/* When all has been read there is nothing more to do. */
	if (term_pending(&console->term) == 0)
		close_session(console);
}

void console_input_over(struct console *console)
{
	if (console->mode == CONSOLE_LINE)
		close_session(console);
}

void console_answer_over(struct console *console, enum command_result result)
{
	const char end[] = { '\0', (char)('0' + (int)result) };

	term_write(&console->term, end, sizeof(end));
	if (console->term.tty.fd < 0) {
		console->mode = CONSOLE_OFF;
	} else if (console->kind == CONSOLE_IN_GUEST) {
		console->mode = CONSOLE_PACED;
		timer_set(&console->delay, PACE_MS);
	} else {
		console->mode = CONSOLE_CLOSING;
		console_feed_closing(console);
	}
}

static void next_line(void *arg, uint32_t events)
{
	struct console *console = arg;

	(void)events;
	if (!timer_fired(&console->delay) || console->mode != CONSOLE_PACED)
		return;
	console->mode = CONSOLE_LINE;
	term_pause(&console->term, false);
	console_typed_ahead(console);
}

int console_pace(struct console *console)
{
	return timer_add(&console->delay, next_line, console);
}

/* Its command's child, which has nobody left to tell, is ended first. */
void console_gone(void *arg)
{
	struct console *console = arg;

	console->ahead_used = 0;
	if (console->child > 0)
		kill(console->child, SIGKILL);
	else if (console->mode != CONSOLE_CHILD)
		console->mode = CONSOLE_OFF;
}

/* The next QEMU may come before the child has died: whoever is reaped then is nobody's. */
void console_lose_guest(unsigned slot)
{
	for (struct console *console = NULL; (console = console_next(console));) {
		if (console->kind != CONSOLE_IN_GUEST || console->guest != slot)
			continue;
		loop_close(&console->term.tty);
		loop_close(&console->delay);
		loop_close(&console->output);
		console_gone(console);
		console->child = 0;
		console->mode = CONSOLE_OFF;
	}
}

static void run(struct console *console)
{
	char text[EDIT_LINE];

	str_format(text, sizeof(text), "%.*s", (int)console->ahead_used, console->ahead);
	console->ahead_used = 0;
	/* What comes meanwhile stays with the kernel, but for what ends a command that has no end. */
	if (console->kind == CONSOLE_IN_GUEST)
		term_pause(&console->term, true);
	console_run(console, text);
	if (console->mode == CONSOLE_FOLLOW)
		term_pause(&console->term, false);
}

/* A line that is too long is answered once, at its end. */
size_t console_type_line(struct console *console, const char *data, size_t len)
{
	const char *end = memchr(data, '\n', len);
	size_t n = end ? (size_t)(end - data) : len;
	bool fits = console->ahead_used + n < EDIT_LINE;

	if (fits)
		memcpy(console->ahead + console->ahead_used, data, n);
	console->ahead_used = fits ? console->ahead_used + n : EDIT_LINE;
	if (!end)
		return len;
	if (fits) {
		run(console);
	} else {
		console->ahead_used = 0;
		console_answer_over(console, COMMAND_USAGE);
	}
	return n + 1;
}
