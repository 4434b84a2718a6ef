/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel kept of its last words before this boot (pstore). */
#ifndef HVINIT_PANIC_H
#define HVINIT_PANIC_H

#include <stdbool.h>

/* Whether there are any; asks no firmware. */
bool panic_is_kept(int root);

/*
 * Copies them to the kernel log, the line that tells of the panic at a level that is shown, the
 * others at one that is kept only, and frees their place in the firmware. For a chore: arg is a
 * pointer to the root. 0 or a negative errno.
 */
int panic_copy(const void *arg);

#endif
