/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console's commands for programs on the machine: a socket in /run, on which 'hvinit ctl' speaks. */
#ifndef HVINIT_CTL_H
#define HVINIT_CTL_H

#define CTL_PATH "/run/hvinit/ctl"

/* PID 1: listens from now on; root alone may connect. 0 or a negative errno. */
int ctl_init(void);

/*
 * The other side: sends the words as one line to the socket at path, and copies the answer to stdout
 * as it comes. Returns the exit status: 0 done, 1 refused or not reached, 2 wrong words.
 */
int ctl_ask(const char *path, char *const words[]);

#endif
