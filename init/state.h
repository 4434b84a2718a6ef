/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state partition, where guests' UEFI variables are kept. */
#ifndef HVINIT_STATE_H
#define HVINIT_STATE_H

#include <stdint.h>

#include "diag.h"
#include "symbols.h"

/*
 * Mounts the partition that HOST_STATE_PARTLABEL names, which has until deadline_us
 * (boottime_us()) to appear. Nothing to do when there is no such name. For a child of PID 1.
 */
void state_mount(int root, const struct config *config, uint64_t deadline_us, struct diag *diag);

#endif
