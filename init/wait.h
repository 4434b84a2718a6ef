/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for what drivers make in their own time. For children: PID 1 never waits. */
#ifndef HVINIT_WAIT_H
#define HVINIT_WAIT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Asks whether something is there at once and after each of the kernel's uevents, until it is or
 * the clock (boottime_us()) is past deadline_us; the last answer.
 */
bool wait_until(bool (*there)(void *arg), void *arg, uint64_t deadline_us);

#endif
