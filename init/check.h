/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a manifest can work on a machine, found out before anything is touched. */
#ifndef HVINIT_CHECK_H
#define HVINIT_CHECK_H

#include "diag.h"
#include "plan.h"

/*
 * Checks what concerns the VM in plan: its devices, SMMUs, numbers, memory and files below root
 * (-1: files are not looked at, because the machine is another one).
 * Every finding names a Kconfig symbol or a BDF and concerns that VM.
 */
void check_vm(int root, const struct config *config, const struct facts *facts,
	      const struct plan *plan, struct diag *diag);

#endif
