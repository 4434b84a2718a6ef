/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program in a person's place: a line, its answer, and how it went. */
#include <signal.h>
#include <string.h>

#include "console_private.h"
#include "util.h"

/*
 * How long a guest's next command has to wait, at least: each can cost a fork. It waits, too, for as
 * long as the one before has taken, so that half of a CPU is what it can have.
 */
enum { PACE_MS = 50 };

void console_feed_closing(struct console *console)
{
	/* When all has been read there is nothing more to do. */
	if (term_pending(&console->term) == 0)
		console_off(console);
}

/* Half a command is none: it may be the beginning of another one. */
void console_input_over(struct console *console)
{
	if (console->mode == CONSOLE_LINE)
		console_off(console);
}

static void pace(struct console *console)
{
	uint64_t took = boottime_us() / 1000 - console->began_ms;

	console->mode = CONSOLE_PACED;
	term_pause(&console->term, true);
	timer_set(&console->delay, took > PACE_MS ? took : PACE_MS);
}

void console_answer_over(struct console *console, enum command_result result)
{
	const char end[] = { '\0', (char)('0' + (int)result) };

	term_write(&console->term, end, sizeof(end));
	if (console->term.tty.fd < 0) {
		console_off(console);
	} else if (console->kind == CONSOLE_IN_GUEST) {
		pace(console);
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
	/* Who does not read what it was told is told no more. */
	if (term_pending(&console->term)) {
		timer_set(&console->delay, PACE_MS);
		return;
	}
	console->mode = CONSOLE_LINE;
	term_pause(&console->term, false);
	console_typed_ahead(console);
}

int console_pace(struct console *console)
{
	return timer_add(&console->delay, next_line, console);
}

/* A child, which has nobody left to tell, is ended first. */
void console_gone(void *arg)
{
	struct console *console = arg;

	console->ahead_used = 0;
	if (console->mode == CONSOLE_CHILD)
		console_kill_child(console);
	else
		console_off(console);
}

/* The next QEMU may come before the child has died: whoever is reaped then is nobody's. */
void console_lose_guest(unsigned slot)
{
	for (struct console *console = NULL; (console = console_next(console));) {
		if (console->kind != CONSOLE_IN_GUEST || console->guest != slot)
			continue;
		if (console->child > 0)
			kill(console->child, SIGKILL);
		console->child = 0;
		console_off(console);
	}
}

static void run(struct console *console)
{
	char text[EDIT_LINE];

	str_format(text, sizeof(text), "%.*s", (int)console->ahead_used, console->ahead);
	console->ahead_used = 0;
	console->began_ms = boottime_us() / 1000;
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
