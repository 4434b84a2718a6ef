/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often something has come, for what is told of once a minute at most. */
#ifndef HVINIT_TALLY_H
#define HVINIT_TALLY_H

#include "util.h"

enum { TALLY_QUIET_MS = 60 * 1000 };

struct tally {
	uint64_t told_ms; /* 0: never */
	unsigned times; /* since then */
};

/* It has come once more. 0, or how often it is to be told that it has. */
static inline unsigned tally_add(struct tally *tally)
{
	uint64_t now = boottime_us() / 1000;
	unsigned times = ++tally->times;

	if (tally->told_ms && now - tally->told_ms < TALLY_QUIET_MS)
		return 0;
	*tally = (struct tally){ now ? now : 1, 0 };
	return times;
}

#endif
