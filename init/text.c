/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Escape sequences after ECMA-48: ESC, CSI with parameters, and strings ended by BEL or ST. */
#include "text.h"

#include <stdbool.h>

enum { PLAIN, ESCAPE, CSI, STRING, STRING_ESCAPE };

enum { BEL = 0x07, ESC = 0x1b, DEL = 0x7f };

static unsigned char after_escape(unsigned char c)
{
	switch (c) {
	case '[':
		return CSI;
	case ']': /* OSC: can set titles and, on some terminals, keys */
	case 'P': /* DCS */
	case 'X': /* SOS */
	case '^': /* PM */
	case '_': /* APC */
		return STRING;
	default:
		/* Intermediate bytes are followed by more; anything else ends the sequence. */
		return c >= 0x20 && c <= 0x2f ? ESCAPE : PLAIN;
	}
}

static unsigned char next_state(unsigned char state, unsigned char c)
{
	switch (state) {
	case ESCAPE:
		return after_escape(c);
	case CSI:
		return c >= 0x40 && c <= 0x7e ? PLAIN : CSI;
	case STRING:
		return c == BEL ? PLAIN : c == ESC ? STRING_ESCAPE : STRING;
	case STRING_ESCAPE:
		return c == '\\' ? PLAIN : STRING;
	default:
		return c == ESC ? ESCAPE : PLAIN;
	}
}

static bool is_kept(unsigned char c)
{
	return c == '\n' || c == '\t' || (c >= ' ' && c != DEL);
}

size_t text_filter(struct text_filter *filter, const char *src, size_t len, char *dst)
{
	size_t kept = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)src[i];
		unsigned char was = filter->state;

		/* A string that never ends must not swallow the log: a newline ends everything. */
		filter->state = c == '\n' ? PLAIN : next_state(was, c);
		if ((was == PLAIN && is_kept(c)) || c == '\n')
			dst[kept++] = (char)c;
	}
	return kept;
}
