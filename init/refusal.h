/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's words for what it or the kernel refuses, and the diagnostic that each stands for. */
#ifndef HVINIT_REFUSAL_H
#define HVINIT_REFUSAL_H

#include <stddef.h>

#include "diag.h"

/* The code that a line of QEMU's stands for (refusal.def), or DIAG_CODES when it is none known. */
enum diag_code refusal_code(const char *line);

/*
 * Finds in text (whole lines; it is cut into them) why QEMU ended: the first line with words of a
 * failure, for those after it are consequences. Without one it is the last line that QEMU calls an
 * error, or the last of all, and the code is DIAG_CODES. Returns the line, in text; it may be empty.
 */
const char *refusal_cause(char *text, enum diag_code *code);

/*
 * A line of QEMU's without its name and without the option that it is about, of which the id
 * stays: "hostdev0: vfio hostdev0: …". Cut when it is too long for buf.
 */
void refusal_quote(const char *line, char *buf, size_t size);

/* The words that stand for code, one after the other as n counts from 0; NULL after the last. */
const char *refusal_words(enum diag_code code, unsigned n);

#endif
