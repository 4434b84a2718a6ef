/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine's hardware watchdog. It is fed by a timer of the event loop and by nothing else, so
 * that it resets a machine whose PID 1, kernel or CPUs do not go on.
 */
#ifndef HVINIT_WATCHDOG_H
#define HVINIT_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

/* timeout_s: HOST_WATCHDOG_S, HV_NONE for none. */
void watchdog_init(int64_t timeout_s);

/* Arms the watchdog if one has appeared; true when it did so just now. */
bool watchdog_look(void);

/* For the status: "i6300esb, 60 s", or what keeps it from being armed; never NULL. */
const char *watchdog_state(void);
/* What it says the last reset came from; "" when there is no watchdog. */
const char *watchdog_last_reset(void);
/* Whether that was the watchdog itself. */
bool watchdog_has_bitten(void);

/*
 * Before a halt or a power-off, after which nobody feeds it. One that cannot be stopped (nowayout)
 * goes on to be fed until the loop ends.
 */
void watchdog_disarm(void);

/* The same for the last words: async-signal-safe, and nothing is said. */
void watchdog_disarm_silently(void);

#endif
