/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SR-IOV: turns the virtual functions on that the manifest gives to VMs. */
#ifndef HVINIT_SRIOV_H
#define HVINIT_SRIOV_H

#include <stdbool.h>

#include "diag.h"
#include "symbols.h"

/*
 * Turns on as many virtual functions of each physical one as the manifest wants, without letting a
 * host driver see them, and reserves each that goes to a VM for VFIO. The physical functions must
 * be on their drivers by now. What fails is a finding about the VM that needs it. For a child of
 * PID 1.
 */
void sriov_turn_on(int root, const struct config *config, struct diag *diag);

/* Whether the manifest gives a virtual function of that physical one away. */
bool sriov_is_wanted(const struct config *config, const char *pf);

#endif
