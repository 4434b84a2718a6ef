/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Diagnostics: one catalogue of codes (diag.def) and a fixed-size list of findings. */
#ifndef HVINIT_DIAG_H
#define HVINIT_DIAG_H

#include <stdbool.h>
#include <stdio.h>

#include "util.h"

/* DIAG_REFUSED is a code's only: a finding of it fails, unless VMn_START_ANYWAY lets it warn. */
enum diag_severity { DIAG_WARN, DIAG_FAIL, DIAG_REFUSED };

enum diag_code {
#define DIAG(name, code, severity, title, remedy) DIAG_##name,
#include "diag.def"
#undef DIAG
	DIAG_CODES
};

enum { DIAG_HOST = -1, DIAG_MAX = 48, DIAG_SUBJECT = 64, DIAG_TEXT = 320 };

/*
 * One finding. It has no pointers and is smaller than PIPE_BUF, so that a launcher can hand it to
 * PID 1 through a pipe in one atomic write.
 */
struct finding {
	enum diag_code code;
	enum diag_severity severity; /* DIAG_WARN or DIAG_FAIL */
	int vm; /* slot of the VM that it concerns, or DIAG_HOST */
	char subject[DIAG_SUBJECT]; /* a Kconfig symbol, a VM's name or a BDF */
	char text[DIAG_TEXT]; /* "verb object: reason" */
};

/* Findings in the order they were made. More than DIAG_MAX are counted, not kept. */
struct diag {
	unsigned count;
	unsigned dropped;
	unsigned dropped_failures; /* those of them that are no warnings */
	struct finding finding[DIAG_MAX];
};

/* Adds a finding about VM slot vm (or DIAG_HOST). Never fails: an over-long text is cut. */
PRINTF_LIKE(5, 6)
void diag_add(struct diag *diag, int vm, enum diag_code code, const char *subject, const char *fmt,
	      ...);
/* The same as a warning, whatever the code's severity is. */
PRINTF_LIKE(5, 6)
void diag_warn(struct diag *diag, int vm, enum diag_code code, const char *subject, const char *fmt,
	       ...);

const char *diag_code_text(enum diag_code code);
enum diag_severity diag_code_severity(enum diag_code code);
/* What it means, in a sentence. */
const char *diag_code_title(enum diag_code code);
/* What the operator can do about it; never empty. */
const char *diag_code_remedy(enum diag_code code);

/*
 * Number of failures that concern VM slot vm; DIAG_HOST counts those of the host. One
 * that was dropped may concern anybody, so it counts for all.
 */
unsigned diag_failures(const struct diag *diag, int vm);

/* "<subject>: <text> [CODE]" without a newline, as snprintf would write it. */
void diag_format(const struct finding *finding, char *buf, size_t size);

/* Prints every finding as "hvinit: …" with its remedy on a second line. */
void diag_print(const struct diag *diag, FILE *out);

#endif
