/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of a .config for one VM, made of what another program's file says: only values that a
 * manifest can have come out. Build machine only.
 */
#ifndef HVINIT_FRAGMENT_H
#define HVINIT_FRAGMENT_H

#include <stdio.h>

#include "symbols.h"
#include "xml.h"

struct fragment {
	unsigned vm; /* slot */
	struct xml *xml; /* findings go there */
	FILE *out;
	struct config config; /* what has come out so far */
};

/*
 * Each writes the symbol "VM<n>_" and what fmt gives. A value that the symbol cannot have is told
 * of with the XML's line, and left out. fragment_text() writes all that Kconfig has as strings; a
 * text of NULL is left out without a word. True when the symbol has come out.
 */
PRINTF_LIKE(4, 5)
bool fragment_text(struct fragment *fragment, unsigned line, const char *text, const char *fmt,
		   ...);
PRINTF_LIKE(4, 5)
void fragment_number(struct fragment *fragment, unsigned line, int number, const char *fmt, ...);
/* The same for Kconfig's int; its name is all of it after "VM<n>_". */
void fragment_int(struct fragment *fragment, unsigned line, int64_t number, const char *name);
PRINTF_LIKE(4, 5)
void fragment_bool(struct fragment *fragment, unsigned line, bool yes, const char *fmt, ...);

#endif
