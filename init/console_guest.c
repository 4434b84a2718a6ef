/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest has the terminal. What it prints is taken from its ring at the line's pace, so that who
 * leaves need not wait for what a guest has flooded the line with, and a slow line costs no memory.
 */
#include <stdio.h>
#include <string.h>

#include "console_private.h"
#include "util.h"
#include "vm.h"

/*
 * REPLAY: what an operator who comes to a guest's console sees of before. PENDING: bytes that may
 * wait for the line, less than a fifth of a second at 115200 baud.
 */
enum { CTRL_RBRACKET = 0x1d, REPLAY = 4096, PENDING = 2048, CHUNK = 1024 };

/* What the ring has lost meanwhile is counted, and told where it would have been. */
static void tell_lost(struct console *console, const struct ring *ring)
{
	uint64_t oldest = ring->total > ring->size ? ring->total - ring->size : 0;
	char note[80];

	if (console->guest_at >= oldest)
		return;
	str_format(note, sizeof(note), "\n[%llu bytes of the console dropped: the line is slow]\n",
		   (unsigned long long)(oldest - console->guest_at));
	term_puts(&console->term, note);
	console->guest_at = oldest;
}

/* False when there is nothing more. */
static bool show_some(struct console *console, const struct ring *ring)
{
	bool live = console->guest_at >= console->guest_live;
	char clean[CHUNK + TEXT_HELD];
	char data[CHUNK];
	size_t most = sizeof(data);
	size_t n;

	if (!live && console->guest_live - console->guest_at < most)
		most = (size_t)(console->guest_live - console->guest_at);
	n = ring_read(ring, &console->guest_at, data, most);
	if (live) {
		term_write(&console->term, data, n);
	} else {
		/* What it printed before is to be read, not to clear the screen again. */
		size_t kept = text_filter(&console->guest_filter, data, n, clean);

		term_text(&console->term, clean, kept);
	}
	return n > 0;
}

void console_feed_guest(struct console *console)
{
	const struct ring *ring = vm_console(console->guest);

	while (term_pending(&console->term) < PENDING) {
		tell_lost(console, ring);
		if (!show_some(console, ring))
			return;
	}
}

void console_guest(unsigned slot)
{
	for (struct console *console = NULL; (console = console_next(console));)
		if (console->mode == CONSOLE_GUEST && console->guest == slot)
			console_feed_guest(console);
}

void console_attach(unsigned slot)
{
	struct console *console = console_current;
	const struct ring *ring = vm_console(slot);
	uint64_t kept = ring->total < ring->size ? ring->total : ring->size;

	console_reply("%s's console; leave with Ctrl-]\n", vm_look(slot).name);
	console->mode = CONSOLE_GUEST;
	console->guest = slot;
	console->guest_live = ring->total;
	console->guest_at = ring->total - (kept < REPLAY ? kept : REPLAY);
	console->guest_filter = (struct text_filter){ 0 };
	console_feed_guest(console);
}

static void leave(struct console *console, const char *why)
{
	char note[80];

	/* The guest may have left colours or another character set behind (ECMA-48 SGR, SI). */
	term_puts(&console->term, "\033[0m\017\n");
	str_format(note, sizeof(note), "%s: %s\n", vm_look(console->guest).name, why);
	term_puts(&console->term, note);
	console_to_prompt(console);
}

void console_guest_ended(unsigned slot)
{
	for (struct console *console = NULL; (console = console_next(console));) {
		if (console->mode != CONSOLE_GUEST || console->guest != slot)
			continue;
		console_feed_guest(console);
		leave(console, "its console is closed");
	}
}

size_t console_type_guest(struct console *console, const char *data, size_t len)
{
	const char *end = memchr(data, CTRL_RBRACKET, len);
	size_t n = end ? (size_t)(end - data) : len;

	if (n && !vm_type(console->guest, data, n))
		term_puts(&console->term, "\a");
	if (!end)
		return n;
	leave(console, "left its console");
	return n + 1;
}
