/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which consoles there are, and what is shown on all of them. */
#include "console.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "console_private.h"
#include "util.h"

/* Where those of programs begin among all of them; a VM's has the place of its slot. */
enum { REPLY = 1024, PROGRAMS = CONSOLES, GUESTS = PROGRAMS + CONSOLE_PROGRAMS };

static const struct config *config;
static struct console consoles[GUESTS + HV_VM_SLOTS];
static struct edit_past past;
struct console *console_current;

#define CONSOLES_END (consoles + ARRAY_SIZE(consoles))

const struct config *console_config(void)
{
	return config;
}

struct console *console_next(struct console *console)
{
	struct console *next = console ? console + 1 : consoles;

	while (next < CONSOLES_END && next->mode == CONSOLE_OFF)
		next++;
	return next < CONSOLES_END ? next : NULL;
}

void console_to_prompt(struct console *console)
{
	char note[80];

	console->mode = CONSOLE_PROMPT;
	if (console->held) {
		str_format(note, sizeof(note), "%u lines came meanwhile: see 'log'\n",
			   console->held);
		console->held = 0;
		term_puts(&console->term, note);
	}
	edit_show(&console->edit);
}

void console_command_over(struct console *console, enum command_result result)
{
	if (console->kind == CONSOLE_PERSON)
		console_to_prompt(console);
	else
		console_answer_over(console, result);
	console_typed_ahead(console);
}

void console_run(struct console *console, char *line)
{
	struct console *before = console_current;
	enum command_result result;

	console->mode = CONSOLE_COMMAND;
	console_current = console;
	result = command_run(line);
	console_current = before;
	if (console->mode == CONSOLE_COMMAND)
		console_command_over(console, result);
}

/* --- what is shown on all of them --- */

static void show_line(struct console *console, const char *text)
{
	switch (console->mode) {
	case CONSOLE_GUEST:
	case CONSOLE_FOLLOW:
	case CONSOLE_SHELL:
		console->held++;
		break;
	case CONSOLE_BOOTING:
	case CONSOLE_COMMAND:
	case CONSOLE_CHILD:
	case CONSOLE_CHECKING:
	case CONSOLE_DELAYED:
		if (console->mid_line)
			term_puts(&console->term, "\n");
		console->mid_line = false;
		term_puts(&console->term, text);
		term_puts(&console->term, "\n");
		break;
	case CONSOLE_PROMPT:
	case CONSOLE_LOCKED:
		edit_wipe(&console->edit);
		term_puts(&console->term, text);
		term_puts(&console->term, "\n");
		edit_show(&console->edit);
		break;
	case CONSOLE_OFF:
	case CONSOLE_PACED:
	case CONSOLE_LINE:
	case CONSOLE_CLOSING:
		break;
	}
}

void console_line(const char *text)
{
	for (struct console *console = NULL; (console = console_next(console));)
		if (console->kind == CONSOLE_PERSON)
			show_line(console, text);
}

bool console_works(void)
{
	for (struct console *console = NULL; (console = console_next(console));)
		if (console->kind == CONSOLE_PERSON && term_pending(&console->term) == 0)
			return true;
	return false;
}

/*
 * What a guest prints is behind the same door as its console. A slow line is the commands', whatever
 * guests have to say.
 */
void console_echo(unsigned slot, const char *text)
{
	for (struct console *console = NULL; (console = console_next(console));) {
		if (console->kind != CONSOLE_PERSON || console_is_locked(console) ||
		    (console->mode == CONSOLE_GUEST && console->guest == slot))
			continue;
		if (term_is_behind(&console->term))
			console->held++;
		else
			show_line(console, text);
	}
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

bool console_is_person(void)
{
	return console_current && console_current->kind == CONSOLE_PERSON;
}

bool console_is_guest(void)
{
	return console_current && console_current->kind == CONSOLE_IN_GUEST;
}

/* --- what is typed --- */

void console_typed_ahead(struct console *console)
{
	char typed[CONSOLE_AHEAD];
	size_t n = console->ahead_used;

	memcpy(typed, console->ahead, n);
	console->ahead_used = 0;
	console_typed(console, typed, n);
}

size_t console_type_ahead(struct console *console, const char *data, size_t len)
{
	size_t room = sizeof(console->ahead) - console->ahead_used;
	size_t n = len < room ? len : room;

	memcpy(console->ahead + console->ahead_used, data, n);
	console->ahead_used += n;
	if (n < len && console->kind == CONSOLE_PERSON)
		term_puts(&console->term, "\a");
	return len;
}

static size_t type(struct console *console, const char *data, size_t len)
{
	switch (console->mode) {
	case CONSOLE_PROMPT:
		return console_type_prompt(console, data, len);
	case CONSOLE_BOOTING:
	case CONSOLE_PACED:
		return console_type_ahead(console, data, len);
	case CONSOLE_CHILD:
		return console_type_child(console, data, len);
	case CONSOLE_GUEST:
		return console_type_guest(console, data, len);
	case CONSOLE_FOLLOW:
		return console_type_follow(console, data, len);
	case CONSOLE_LOCKED:
		return console_type_login(console, data, len);
	case CONSOLE_LINE:
		return console_type_line(console, data, len);
	default:
		return len;
	}
}

void console_typed(struct console *console, const char *data, size_t len)
{
	while (len > 0) {
		size_t n = type(console, data, len);

		data += n;
		len -= n;
	}
}

static void on_input(void *arg, const char *data, size_t len)
{
	struct console *console = arg;

	if (len)
		console_typed(console, data, len);
	else
		console_input_over(console);
}

static void on_room(void *arg)
{
	struct console *console = arg;

	if (console->mode == CONSOLE_CHILD)
		console_feed_child(console);
	else if (console->mode == CONSOLE_GUEST || console->mode == CONSOLE_FOLLOW)
		console_feed_follow(console);
	else if (console->mode == CONSOLE_CLOSING)
		console_feed_closing(console);
}

static void put(void *arg, const char *data, size_t len)
{
	term_write(arg, data, len);
}

void console_off(struct console *console)
{
	loop_close(&console->term.tty);
	loop_close(&console->output);
	loop_close(&console->delay);
	console->mode = CONSOLE_OFF;
}

void console_init(const struct config *all)
{
	config = all;
	console_current = NULL;
	past.count = 0;
	for (unsigned i = 0; i < ARRAY_SIZE(consoles); i++) {
		consoles[i].mode = CONSOLE_OFF;
		consoles[i].output.fd = consoles[i].delay.fd = -1;
	}
}

static struct console *find_free(unsigned from, unsigned count)
{
	for (unsigned i = from; i < from + count; i++)
		if (consoles[i].mode == CONSOLE_OFF)
			return &consoles[i];
	return NULL;
}

static int begin(struct console *console, enum console_kind kind, int fd, unsigned baud)
{
	int error;

	console->kind = kind;
	console->term.input = on_input;
	console->term.room = on_room;
	console->term.gone = kind == CONSOLE_PERSON ? NULL : console_gone;
	console->term.is_plain = kind != CONSOLE_PERSON;
	console->term.arg = console;
	console->held = 0;
	console->ahead_used = 0;
	console->part_used = 0;
	console->mid_line = false;
	console->child = 0;
	error = term_init(&console->term, fd, baud);
	if (error)
		console_off(console);
	return error;
}

int console_add(int fd, const char *path, unsigned baud)
{
	struct console *console = find_free(0, CONSOLES);
	int error;

	if (!console)
		return -ENOSPC;
	str_copy(console->path, sizeof(console->path), path);
	console->failures = 0;
	console->edit = (struct edit){ .put = put, .arg = &console->term };
	error = begin(console, CONSOLE_PERSON, fd, baud);
	if (error)
		return error;
	term_puts(&console->term, "\n");
	console->mode = CONSOLE_BOOTING;
	return 0;
}

void console_ready(void)
{
	for (struct console *console = NULL; (console = console_next(console));) {
		if (console->mode != CONSOLE_BOOTING)
			continue;
		console_open(console, &past);
		console_typed_ahead(console);
	}
}

int console_add_program(int fd)
{
	struct console *console = find_free(PROGRAMS, CONSOLE_PROGRAMS);
	int error;

	if (!console)
		return -ENOSPC;
	error = begin(console, CONSOLE_PROGRAM, fd, 0);
	if (!error)
		console->mode = CONSOLE_LINE;
	return error;
}

int console_add_guest(unsigned slot, int fd)
{
	struct console *console = &consoles[GUESTS + slot];
	int error = begin(console, CONSOLE_IN_GUEST, fd, 0);

	if (error)
		return error;
	console->guest = slot;
	console->mode = CONSOLE_LINE;
	error = console_pace(console);
	if (error)
		console_off(console);
	return error;
}
