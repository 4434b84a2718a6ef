/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of the machine: guests first, then the kernel. */
#ifndef HVINIT_SHUTDOWN_H
#define HVINIT_SHUTDOWN_H

#include <stdbool.h>
#include <sys/types.h>

enum shutdown_how { SHUTDOWN_HALT, SHUTDOWN_POWEROFF, SHUTDOWN_REBOOT };

/*
 * Stops all VMs, each within its own limit, then commands and chores, then the machine. Said again, the
 * last word counts, and guests are waited for no longer.
 */
void shutdown_begin(enum shutdown_how how);
bool shutdown_going_on(void);
/* A child was reaped: true when it was the one that ends the machine. It should not have returned. */
bool shutdown_reaped(pid_t pid);
/* To be called whenever a VM has ended, or a child of a command's or a chore's was reaped. */
void shutdown_proceed(void);

#endif
