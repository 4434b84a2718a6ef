/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small work that can block, done in a child of PID 1: a write to the firmware or to a driver. It
 * talks to nobody; PID 1 learns whether it could be done.
 */
#ifndef HVINIT_CHORE_H
#define HVINIT_CHORE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Runs work(arg) in a child, which has no descriptor of PID 1's; it returns 0 or a negative errno.
 * done, which may be NULL, is called with that when the child has ended. arg only has to last until
 * this returns. 0 or a negative errno, and then done is not called.
 */
int chore_start(int (*work)(const void *arg), const void *arg, void (*done)(int error));

/* A child was reaped: true when it did a chore. */
bool chore_reaped(pid_t pid, int status);

/* Whether any is being done; an end of those that are, which a driver that hangs can put off. */
bool chore_any(void);
void chore_kill(void);

#endif
