/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors of the hardware that the kernel's log tells of by addresses and process ids: hvinit says
 * which VM they are of.
 */
#ifndef HVINIT_HW_ERRORS_H
#define HVINIT_HW_ERRORS_H

#include "symbols.h"

/* config must stay; root stands for /. */
void hw_errors_init(const struct config *config, int root);

/*
 * Looks at a line of the kernel's. What is of a VM is told once a minute at most, with how often it
 * has come.
 */
void hw_errors_line(const char *text);

#endif
