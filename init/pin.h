/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the host's CPUs a VM runs on. */
#ifndef HVINIT_PIN_H
#define HVINIT_PIN_H

#include <sys/types.h>

#include "cpulist.h"

/* Keeps the calling thread, and what it starts, on these CPUs. 0 or a negative errno. */
int pin_self(const struct cpulist *cpus);

/*
 * Gives each virtual CPU of the QEMU that is process pid one of cpus for itself: the first to CPU
 * 0, and so on. 0, or a negative errno; -ENOENT when QEMU has another number of virtual CPUs than
 * there are cpus. Takes no memory and does not block: for PID 1.
 */
int pin_vcpus(int root, pid_t pid, const struct cpulist *cpus);

#endif
