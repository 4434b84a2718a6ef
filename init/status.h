/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the machine and its VMs are, for programs. */
#ifndef HVINIT_STATUS_H
#define HVINIT_STATUS_H

#include <stdbool.h>

#include "symbols.h"

/*
 * Prints JSON to stdout as docs/schema/status.schema.json says: of the VM in slot, or of all of them
 * for HV_VM_SLOTS. False: it failed.
 */
bool status_json(const struct config *config, unsigned slot);

#endif
