/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which consoles there are, and what is shown on all of them. */
#include "console.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "console_private.h"
#include "util.h"

enum { REPLY = 1024 };

static const struct config *config;
static struct console consoles[CONSOLES];
static struct edit_past past;
struct console *console_current;

const struct config *console_config(void)
{
	return config;
}

struct console *console_next(struct console *console)
{
	struct console *next = console ? console + 1 : consoles;

	while (next < consoles + CONSOLES && next->mode == CONSOLE_OFF)
		next++;
	return next < consoles + CONSOLES ? next : NULL;
}

void console_to_prompt(struct console *console)
{
	char note[80];

	console->mode = CONSOLE_PROMPT;
	if (console->held) {
		str_format(note, sizeof(note), "%u lines came meanwhile: see 'log host'\n",
			   console->held);
		console->held = 0;
		term_puts(&console->term, note);
	}
	edit_show(&console->edit);
}

/* --- what is shown on all of them --- */

static void show_line(struct console *console, const char *text)
{
	switch (console->mode) {
	case CONSOLE_GUEST:
	case CONSOLE_SHELL:
		console->held++;
		break;
	case CONSOLE_COMMAND:
	case CONSOLE_CHILD:
		term_puts(&console->term, text);
		term_puts(&console->term, "\n");
		break;
	case CONSOLE_PROMPT:
		edit_wipe(&console->edit);
		term_puts(&console->term, text);
		term_puts(&console->term, "\n");
		edit_show(&console->edit);
		break;
	case CONSOLE_OFF:
		break;
	}
}

void console_line(const char *text)
{
	for (struct console *console = NULL; (console = console_next(console));)
		show_line(console, text);
}

void console_echo(unsigned slot, const char *text)
{
	for (struct console *console = NULL; (console = console_next(console));)
		if (console->mode != CONSOLE_GUEST || console->guest != slot)
			show_line(console, text);
}

void console_reply(const char *fmt, ...)
{
	char text[REPLY];
	va_list ap;

	if (!console_current)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	term_puts(&console_current->term, text);
}

/* --- one of them --- */

void console_typed(struct console *console, const char *data, size_t len)
{
	while (len > 0) {
		size_t n = len;

		if (console->mode == CONSOLE_GUEST)
			n = console_type_guest(console, data, len);
		else if (console->mode == CONSOLE_CHILD)
			n = console_type_child(console, data, len);
		else if (console->mode == CONSOLE_PROMPT)
			n = console_type_prompt(console, data, len);
		data += n;
		len -= n;
	}
}

static void on_input(void *arg, const char *data, size_t len)
{
	console_typed(arg, data, len);
}

static void on_room(void *arg)
{
	struct console *console = arg;

	if (console->mode == CONSOLE_CHILD)
		console_feed_child(console);
	else if (console->mode == CONSOLE_GUEST)
		console_feed_guest(console);
}

static void put(void *arg, const char *data, size_t len)
{
	term_write(arg, data, len);
}

void console_init(const struct config *all)
{
	config = all;
	console_current = NULL;
	past.count = 0;
	for (unsigned i = 0; i < CONSOLES; i++)
		consoles[i].mode = CONSOLE_OFF;
}

int console_add(int fd, const char *path, unsigned baud)
{
	struct console *console = consoles;
	int error;

	while (console < consoles + CONSOLES && console->mode != CONSOLE_OFF)
		console++;
	if (console == consoles + CONSOLES)
		return -ENOSPC;
	str_copy(console->path, sizeof(console->path), path);
	console->term.input = on_input;
	console->term.room = on_room;
	console->term.arg = console;
	console->held = 0;
	console->ahead_used = 0;
	console->child = 0;
	console->output.fd = -1;
	console->edit = (struct edit){
		.prompt = "hvinit> ",
		.past = &past,
		.put = put,
		.arg = &console->term,
	};
	edit_init(&console->edit);
	error = term_init(&console->term, fd, baud);
	if (error)
		return error;
	term_puts(&console->term, "\n");
	console_to_prompt(console);
	return 0;
}
