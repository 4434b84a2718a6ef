/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest has the terminal. */
#include <stdio.h>
#include <string.h>

#include "console_private.h"
#include "util.h"
#include "vm.h"

enum { CTRL_RBRACKET = 0x1d };

/* What an operator who comes to a guest's console sees of before is cleaned. */
void console_attach(unsigned slot)
{
	struct console *console = console_current;
	const struct ring *ring = vm_console(slot);

	console_reply("%s's console; leave with Ctrl-]\n", vm_look(slot).name);
	console->mode = CONSOLE_GUEST;
	console->guest = slot;
	console_follow_ring(console, ring, ring->total);
	console_feed_follow(console);
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
		console_feed_follow(console);
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
