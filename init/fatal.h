/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fault in PID 1 itself. */
#ifndef HVINIT_FATAL_H
#define HVINIT_FATAL_H

#include <stdbool.h>

/*
 * From now on a fault (a bad address, an abort) puts the console into its ordinary mode, writes
 * the reason to the kernel log, notes that this boot has failed and reboots or halts, instead of letting the kernel panic.
 */
void fatal_init(bool reboot);

#endif
