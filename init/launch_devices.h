/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a launcher does with a VM's devices; for children alone. See launch.h for what PID 1 calls. */
#ifndef HVINIT_LAUNCH_DEVICES_H
#define HVINIT_LAUNCH_DEVICES_H

#include <stdbool.h>

#include "diag.h"
#include "plan.h"

/*
 * Tells PID 1 that the devices of the plan are claimed. False with a finding when one of them is in
 * quarantine.
 */
bool launch_announce(const struct plan *plan, int vm, struct diag *diag);

/* Binds them to their VFIO drivers, each in a process of its own. False when one has failed. */
bool launch_bind(const struct plan *plan, int root, int vm);

#endif
