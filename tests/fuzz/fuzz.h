/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every fuzz target includes. A target ends the program where a promise does not hold. */
#ifndef HVINIT_FUZZ_H
#define HVINIT_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says what does not hold, and ends: libFuzzer keeps the input. */
#define PROMISE(holds, what)                                           \
	do {                                                           \
		if (!(holds)) {                                        \
			fprintf(stderr, "promise broken: %s\n", what); \
			abort();                                       \
		}                                                      \
	} while (0)

/* Where a target prints what nobody reads. */
static inline FILE *nowhere(void)
{
	static FILE *out;

	if (!out)
		out = fopen("/dev/null", "w");
	PROMISE(out, "/dev/null can be written to");
	return out;
}

#endif
