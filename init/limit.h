/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a VM's control group lets all of QEMU have together. */
#ifndef HVINIT_LIMIT_H
#define HVINIT_LIMIT_H

#include "plan.h"
#include "wall.h"

/*
 * Sets the limits of plan for the group of its VM, in which the caller may be already. Walls for which
 * the kernel has no controller, or no groups, are added to *missing. Returns NULL, or the file that
 * does not take its value, with errno set.
 */
const char *limit_vm(int root, const struct plan *plan, wall_set *missing);

#endif
