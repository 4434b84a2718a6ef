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

#endif
