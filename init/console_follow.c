/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ring is shown as it grows: a guest's console, a log, events. What is in it is taken at the line's
 * pace, so that who leaves need not wait for what a guest has flooded the line with, and a slow line
 * costs no memory.
 */
#include <stdio.h>
#include <string.h>

#include "console_private.h"
#include "util.h"

/*
 * PENDING: bytes that may wait for the line, less than a fifth of a second at 115200 baud. LINES: as
 * much as an event can be long.
 */
enum { CTRL_C = 0x03, PENDING = 2048, CHUNK = 1024, LINES = 4096 };

static uint64_t dropped[HV_VM_SLOTS];

uint64_t console_dropped(unsigned slot)
{
	return dropped[slot];
}

/* Where the first whole line begins that is kept still. */
static void skip_line(struct follow *follow)
{
	char data[CHUNK];
	uint64_t at = follow->at;
	const char *newline;
	size_t n;

	while ((n = ring_read(follow->ring, &at, data, sizeof(data)))) {
		newline = memchr(data, '\n', n);
		if (newline)
			n = (size_t)(newline + 1 - data);
		follow->at += n;
		if (newline)
			return;
	}
}

/* What the ring has lost meanwhile is counted, and told where it would have been. */
static void tell_lost(struct console *console)
{
	struct follow *follow = &console->follow;
	uint64_t oldest = ring_oldest(follow->ring);
	uint64_t lost = oldest - follow->at;
	char note[80];

	if (follow->at >= oldest)
		return;
	follow->at = oldest;
	if (console->mode == CONSOLE_GUEST)
		dropped[console->guest] += lost;
	if (follow->lines) {
		skip_line(follow);
		lost += follow->at - oldest;
		str_format(note, sizeof(note), "{\"event\": \"lost\", \"bytes\": %llu}\n",
			   (unsigned long long)lost);
	} else {
		str_format(note, sizeof(note), "\n[%llu bytes dropped: the line is slow]\n",
			   (unsigned long long)lost);
	}
	term_puts(&console->term, note);
}

/* Whole lines only: what is lost must not be told in the middle of one. */
static bool show_lines(struct console *console)
{
	struct follow *follow = &console->follow;
	uint64_t at = follow->at;
	char data[LINES];
	size_t n = ring_read(follow->ring, &at, data, sizeof(data));
	const char *newline = memrchr(data, '\n', n);

	if (!newline)
		return false;
	n = (size_t)(newline + 1 - data);
	follow->at += n;
	term_text(&console->term, data, n);
	return true;
}

/* False when there is nothing more. */
static bool show_some(struct console *console)
{
	struct follow *follow = &console->follow;
	bool live = follow->at >= follow->live;
	char clean[CHUNK + TEXT_HELD];
	char data[CHUNK];
	size_t most = sizeof(data);
	size_t n;

	if (!live && follow->live - follow->at < most)
		most = (size_t)(follow->live - follow->at);
	n = ring_read(follow->ring, &follow->at, data, most);
	if (live) {
		term_write(&console->term, data, n);
	} else {
		/* What is to be read must not clear the screen, or reprogram the terminal. */
		size_t kept = text_filter(&follow->filter, data, n, clean);

		term_text(&console->term, clean, kept);
	}
	return n > 0;
}

void console_feed_follow(struct console *console)
{
	while (term_pending(&console->term) < PENDING) {
		tell_lost(console);
		if (console->follow.lines ? !show_lines(console) : !show_some(console))
			return;
	}
}

void console_more(const struct ring *ring)
{
	for (struct console *console = NULL; (console = console_next(console));)
		if ((console->mode == CONSOLE_GUEST || console->mode == CONSOLE_FOLLOW) &&
		    console->follow.ring == ring)
			console_feed_follow(console);
}

void console_follow_ring(struct console *console, const struct ring *ring, uint64_t live)
{
	uint64_t kept = ring->total - ring_oldest(ring);

	console->follow = (struct follow){
		.ring = ring,
		.at = ring->total - (kept < CONSOLE_REPLAY ? kept : CONSOLE_REPLAY),
		.live = live,
	};
}

void console_follow(const struct ring *ring, bool is_json)
{
	struct console *console = console_current;

	console_follow_ring(console, ring, UINT64_MAX);
	console->follow.lines = is_json;
	/* What happened before is no event; of a log, lines that are whole. */
	if (is_json)
		console->follow.at = ring->total;
	else if (console->follow.at)
		skip_line(&console->follow);
	if (console->kind == CONSOLE_PERSON)
		term_puts(&console->term, "Ctrl-C comes back\n");
	console->mode = CONSOLE_FOLLOW;
	console_feed_follow(console);
}

/* A person ends it by Ctrl-C, a guest's programs by their next line, others by going away. */
size_t console_type_follow(struct console *console, const char *data, size_t len)
{
	(void)len;
	if (console->kind == CONSOLE_PERSON && *data == CTRL_C) {
		term_puts(&console->term, "^C\n");
		console_to_prompt(console);
	} else if (console->kind == CONSOLE_PERSON) {
		term_puts(&console->term, "\a");
	} else if (console->kind == CONSOLE_IN_GUEST) {
		console_answer_over(console, COMMAND_DONE);
		return 0;
	}
	return 1;
}
