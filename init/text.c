/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Escape sequences after ECMA-48: ESC, CSI with parameters, and strings ended by BEL or ST. */
#include "text.h"

#include <stdbool.h>
#include <string.h>

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

/* How many bytes follow the first one of a character; -1: it is no first byte. */
static int following(unsigned char c)
{
	if (c < 0x80)
		return 0;
	if (c >= 0xc2 && c <= 0xdf)
		return 1;
	if (c >= 0xe0 && c <= 0xef)
		return 2;
	return c >= 0xf0 && c <= 0xf4 ? 3 : -1;
}

/* U+0080 to U+009F are the control characters that ISO 6429 calls C1. */
static bool is_c1(const unsigned char *character)
{
	return character[0] == 0xc2 && character[1] < 0xa0;
}

/* Takes a byte beyond ASCII, or one where such a byte was due. Returns the bytes written. */
static size_t keep_character(struct text_filter *filter, unsigned char c, char *dst)
{
	bool due = filter->held > 0;
	bool fits = due ? (c & 0xc0) == 0x80 : following(c) > 0;
	size_t n;

	if (!fits) {
		filter->held = 0;
		dst[0] = '?';
		return 1;
	}
	filter->character[filter->held++] = c;
	if (filter->held <= following(filter->character[0]))
		return 0;
	n = filter->held;
	filter->held = 0;
	if (is_c1(filter->character))
		return 0;
	memcpy(dst, filter->character, n);
	return n;
}

size_t text_filter(struct text_filter *filter, const char *src, size_t len, char *dst)
{
	size_t kept = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)src[i];
		unsigned char was = filter->state;

		/* A string that never ends must not swallow the log: a newline ends everything. */
		filter->state = c == '\n' ? PLAIN : next_state(was, c);
		if (was != PLAIN && c != '\n')
			continue;
		if (c >= 0x80) {
			kept += keep_character(filter, c, dst + kept);
			continue;
		}
		if (filter->held)
			kept += keep_character(filter, c, dst + kept);
		if (is_kept(c))
			dst[kept++] = (char)c;
	}
	return kept;
}
