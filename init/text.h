/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes bytes from a guest, or from anything else that is not trusted, safe for a terminal. */
#ifndef HVINIT_TEXT_H
#define HVINIT_TEXT_H

#include <stddef.h>

enum { TEXT_HELD = 3 };

/* Where in an escape sequence or in a character the last bytes ended; zero at first. */
struct text_filter {
	unsigned char state;
	unsigned char held; /* bytes of a character that is not whole yet */
	unsigned char character[TEXT_HELD + 1];
};

/*
 * Copies src to dst (size len + TEXT_HELD at least) without escape sequences and control
 * characters other than newline and tab, in ASCII and in UTF-8. What is no UTF-8 becomes '?': a
 * terminal might take it for the eight-bit form of an escape sequence. Returns the number of bytes
 * kept. dst may be src when the filter is new.
 */
size_t text_filter(struct text_filter *filter, const char *src, size_t len, char *dst);

#endif
