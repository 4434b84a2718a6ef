/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every unit test includes: cmocka with the headers it wants before it. */
#ifndef HVINIT_UNIT_H
#define HVINIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "diag.h"
#include "util.h"

/* One row of a table of cases becomes a test of its own, named after what it shows. */
#define FIXTURE(title, function, setup, teardown, row) \
	((struct CMUnitTest){ title, function, setup, teardown, (void *)(row) })
#define CASE(title, function, row) FIXTURE(title, function, NULL, NULL, row)

/* Fails unless diag holds exactly one finding, with that code, subject and part of the text. */
static inline void assert_finding(const struct diag *diag, enum diag_code code, const char *subject,
				  const char *part)
{
	if (diag->count != 1)
		diag_print(diag, stderr);
	assert_int_equal(diag->count, 1);
	assert_string_equal(diag_code_text(diag->finding[0].code), diag_code_text(code));
	assert_string_equal(diag->finding[0].subject, subject);
	if (!strstr(diag->finding[0].text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, diag->finding[0].text);
}

static inline void assert_no_finding(const struct diag *diag)
{
	if (diag->count)
		diag_print(diag, stderr);
	assert_int_equal(diag->count, 0);
	assert_int_equal(diag->dropped, 0);
}

/* The same numbers on every machine and in every run (Marsaglia's xorshift). */
static inline uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* Changes some bytes of text to ones that matter to a parser. */
static inline void damage(char *text, size_t len, uint32_t *seed)
{
	static const char bytes[] = "\0\n\r\"\\{}[]:,=# \x7f\xff\033"
				    "0aA_";

	for (uint32_t n = 1 + next_random(seed) % 4; n > 0; n--)
		text[next_random(seed) % len] = bytes[next_random(seed) % (sizeof(bytes) - 1)];
}

#endif
