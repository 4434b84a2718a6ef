/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Invented images: files of some kilobytes that look like a unified kernel image. */
#ifndef HVINIT_FAKEIMAGE_H
#define HVINIT_FAKEIMAGE_H

#include <stdbool.h>

enum fake_damage {
	FAKE_SOUND,
	FAKE_NO_PE,
	FAKE_CONTRADICTION,
	FAKE_CUT,
	FAKE_NO_KERNEL,
	FAKE_NO_RELEASE,
	FAKE_TWO_RELEASES,
	FAKE_NUL, /* in its os-release */
};

/* What is left out is that of the machine that the tests are built for. */
struct fake_image {
	const char *version; /* "": it has none */
	const char *board;
	const char *id;
	const char *more; /* lines of its os-release */
	unsigned machine;
	bool is_signed; /* it has a table for signatures, with nonsense in it */
	enum fake_damage damage;
	char mark; /* what fills its kernel */
};

/* In a file that is nowhere; the caller owns the descriptor. */
int fakeimage_memory(const struct fake_image *image);
/* At a path below root, in the place of what was there, with the folders above it. */
void fakeimage_file(int root, const char *path, const struct fake_image *image);

#endif
