/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes bytes from a guest, or from anything else that is not trusted, safe for a terminal. */
#ifndef HVINIT_TEXT_H
#define HVINIT_TEXT_H

#include <stddef.h>

/* Where in an escape sequence the last bytes ended; zero at first. */
struct text_filter {
	unsigned char state;
};

/*
 * Copies src to dst (size len at least) without escape sequences and control characters other
 * than newline and tab. Returns the number of bytes kept.
 */
size_t text_filter(struct text_filter *filter, const char *src, size_t len, char *dst);

#endif
