/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hvinit as a program: what it says when it is not PID 1. */
#ifndef HVINIT_TOOL_H
#define HVINIT_TOOL_H

/* Exit codes: 0; 1 there are findings; 2 wrong usage or unreadable file. */
int tool_main(int argc, char **argv);

#endif
