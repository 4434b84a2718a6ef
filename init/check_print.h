/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What "hvinit check" prints: a table of the host, then the findings. */
#ifndef HVINIT_CHECK_PRINT_H
#define HVINIT_CHECK_PRINT_H

#include <stdio.h>

#include "check.h"

/*
 * Checks everything that is in set (check_plan() must have been there) and prints it. diag holds
 * what was found before, and is used up. Returns the number of failures; warnings are none.
 */
unsigned check_print(const struct check_set *set, struct diag *diag, FILE *out);

/* The same as docs/schema/check.schema.json has it. False: it could not be written in whole. */
bool check_json(const struct check_set *set, struct diag *diag, FILE *out, unsigned *failures);

#endif
