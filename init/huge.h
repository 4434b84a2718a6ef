/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Huge pages for guests' memory, set aside at boot while there is memory in one piece. */
#ifndef HVINIT_HUGE_H
#define HVINIT_HUGE_H

#include "diag.h"
#include "symbols.h"

/*
 * Sets aside what each VM of config needs, on its NUMA node if it has one. A VM gets all of its
 * pages or none: a shortage is a finding about that VM, and leaves the memory to the others.
 */
void huge_reserve(int root, const struct config *config, struct diag *diag);

#endif
