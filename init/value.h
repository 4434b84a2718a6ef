/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The forms that a symbol's value can have, and how each is stored. */
#ifndef HVINIT_VALUE_H
#define HVINIT_VALUE_H

#include "diag.h"
#include "symbols.h"

enum { VALUE_NAME = 64, VALUE_TEXT = 1024 };

/* One assignment under way, with all that a diagnostic has to say of it. */
struct assignment {
	char name[VALUE_NAME];
	char value[VALUE_TEXT]; /* as written, quotes included */
	unsigned line; /* 0: from the command line */
	const struct symbol *symbol;
	int vm; /* slot, or DIAG_HOST */
	void *field; /* where the value goes */
};

/* A finding about the assignment, with the place where it stands. */
PRINTF_LIKE(4, 5)
void value_complain(struct diag *diag, const struct assignment *a, enum diag_code code,
		    const char *fmt, ...);

/*
 * Stores the value; what is wrong leaves the field as it was and goes to diag. That of a secret is shut
 * then.
 */
void value_set(const struct assignment *a, struct diag *diag);

/* A door whose lock is broken stays shut: no password has the hash that a secret gets by this. */
void value_shut(const struct assignment *a);

/*
 * Stores the default of a symbol's template into the struct of its scope. symbols.py has checked
 * it: no diagnostic can come of it.
 */
void value_default(const struct symbol *s, void *base);

#endif
