/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What it means for the machine that a VM has failed which it is there for (VMn_CRITICAL). */
#ifndef HVINIT_CRITICAL_H
#define HVINIT_CRITICAL_H

#include "symbols.h"

/* Reads how often the machine has rebooted for that; root stands for /. Before the first child. */
void critical_init(int root);

/*
 * VM slot has failed, and is not started again by itself. When it is critical, an image on trial gives
 * way to another; else does what HOST_ON_CRITICAL_FAILED says, through the orderly shutdown. Says so in
 * any case.
 */
void critical_failed(const struct config *config, unsigned slot);

#endif
