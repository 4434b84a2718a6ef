/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures of the machine and its VMs, for a monitoring that gathers them from time to time. */
#ifndef HVINIT_METRICS_H
#define HVINIT_METRICS_H

#include <stdbool.h>

#include "symbols.h"

/* Prints them to stdout in Prometheus's text format, version 0.0.4. False: it failed. */
bool metrics_print(const struct config *config);

#endif
