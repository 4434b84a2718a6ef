/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine beside its VMs: watchdog, buttons, devices that come and go, hardware errors, and how
 * the boot before this one ended. Brings the rooms for these together with the kernel's events.
 */
#ifndef HVINIT_MACHINE_H
#define HVINIT_MACHINE_H

#include <stdbool.h>

#include "symbols.h"

/*
 * Reads what earlier boots have left, and begins to listen. Before the first child: firmware is
 * asked. True when too many boots of this image have failed: then nothing is to be started.
 */
bool machine_init(const struct config *config);

/* The host's drivers have been loaded: looks once more for what they have found. */
void machine_drivers_loaded(void);

/* Prints lines for the status by print, as printf() does. */
void machine_status(void (*print)(const char *fmt, ...) __attribute__((format(printf, 1, 2))));

#endif
