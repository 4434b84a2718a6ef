/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of plan_vm() that is about memory and CPUs; for plan.c. */
#ifndef HVINIT_PLAN_MEMORY_H
#define HVINIT_PLAN_MEMORY_H

#include "plan.h"

/* Fills in what follows from the devices, which plan must have already. */
void plan_memory(struct plan *plan);

#endif
