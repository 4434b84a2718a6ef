/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of any size, a line at a time. */
#ifndef HVINIT_LINES_H
#define HVINIT_LINES_H

enum { LINES_MAX = 4096 }; /* bytes of a line; longer ones are left out */

/*
 * Calls each for every line of a file below root until it returns non-zero, and returns that; 0 at
 * the file's end, or a negative errno. end is what lines end with: '\n', or NUL. line may be
 * changed, and is the callee's until it returns.
 */
int lines_read(int root, const char *path, char end, int (*each)(void *arg, char *line), void *arg);

#endif
