/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many boots of this image have failed in a row, kept in a firmware variable. A boot has failed
 * when PID 1 met a fault of its own, when a critical VM's failure rebooted the machine, or when the
 * next boot finds that the kernel panicked or the watchdog bit. The variable is written around such
 * a boot only, so that the firmware's flash is not worn.
 */
#ifndef HVINIT_BOOTCOUNT_H
#define HVINIT_BOOTCOUNT_H

#include <stdbool.h>

/* So many in a row lead to safe mode. */
enum { BOOTCOUNT_LIMIT = 3 };

/*
 * Reads what is kept. The image is known by a SHA-256 over the files release and manifest; root
 * stands for /. Asks the firmware, so: before the first child.
 */
void bootcount_init(int root, const char *release, const char *manifest);

/* Boots of this image before this one that failed in a row. */
unsigned bootcount_failed(void);

/*
 * Whether this boot had better start nothing: BOOTCOUNT_LIMIT boots have failed, and the boot
 * loader, if it counts tries itself, has no older image left to fall back to.
 */
bool bootcount_is_bad(void);

/* The boot before this one has died, as why tells. Counts once; kept by a child. */
void bootcount_died(const char *why);

/* All that is to be started at boot runs: forgets the failures, if there are any, in a child. */
void bootcount_good(void);

/*
 * This boot has failed: 0 or a negative errno. It can be said again, and counts once.
 * Async-signal-safe; blocks for as long as the firmware does.
 */
int bootcount_fail(void);

#endif
