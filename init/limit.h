/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VM's control group lets all of QEMU have together. */
#ifndef HVINIT_LIMIT_H
#define HVINIT_LIMIT_H

#include "plan.h"
#include "wall.h"

/*
 * Sets the limits of plan for the group of its VM, in which the caller may be already. Returns the
 * walls that could not be put up, because the kernel has no such controller or there are no groups.
 */
wall_set limit_vm(int root, const struct plan *plan);

#endif
