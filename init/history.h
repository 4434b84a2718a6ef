/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How each VM has ended so far: a tally, and the last ends one by one, in fixed memory. */
#ifndef HVINIT_HISTORY_H
#define HVINIT_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "symbols.h"

enum end_cause {
	END_STOPPED, /* asked for, and obeyed */
	END_KILLED, /* asked for, by SIGKILL at last */
	END_SHUTDOWN, /* the guest has shut down */
	END_RESET, /* the guest has reset itself, and that is to end it (ON_RESET) */
	END_PANIC, /* the guest's kernel has told that it panicked */
	END_WATCHDOG, /* the guest's watchdog has bitten */
	END_SIGNAL, /* somebody else sent QEMU a signal that it obeys in order */
	END_OOM, /* the kernel killed QEMU for want of memory */
	END_CRASH, /* a signal ended QEMU */
	END_EXIT, /* QEMU gave up while the guest ran */
	END_REFUSED, /* QEMU gave up before the guest ran */
	END_LAUNCH, /* it did not come to QEMU */
	END_HUNG, /* QEMU did not answer and was killed */
	END_CAUSES,
};

enum { HISTORY_ENTRIES = 100, HISTORY_TEXT = 96 };

struct history_entry {
	uint64_t at_ms; /* CLOCK_BOOTTIME */
	uint64_t ran_ms; /* for how long the guest's CPUs have run */
	enum end_cause cause;
	bool failure; /* nobody has asked for it, and the manifest does not call it well */
	char text[HISTORY_TEXT];
};

struct history {
	unsigned tally[END_CAUSES];
	unsigned resets; /* of the guest, with QEMU going on */
	unsigned count; /* entries ever; the last HISTORY_ENTRIES of them are kept */
	struct history_entry entry[HISTORY_ENTRIES];
};

/* Forgets all; the entries' memory stays untouched, and so unused, until there are any. */
void history_init(struct history *history);

/* Adds an entry, which the oldest one makes room for. text is copied, and cut when too long. */
void history_add(struct history *history, struct history_entry entry, const char *text);

/* The entry n places before the last one (0: the last), or NULL when it is not kept. */
const struct history_entry *history_back(const struct history *history, unsigned n);

/* How many of the ends kept came at since_ms or later and were not asked for. */
unsigned history_since(const struct history *history, uint64_t since_ms);

/* "guest-shutdown" and the like; a word that never changes, for programs, too. */
const char *history_cause(enum end_cause cause);

#endif
