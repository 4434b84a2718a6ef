/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What hvinit can tell without changing anything: as a program on the build machine, and from
 * children of PID 1 on the console. All print to stdout.
 */
#ifndef HVINIT_TOOL_H
#define HVINIT_TOOL_H

#include <stdbool.h>

#include "symbols.h"

/* On the running machine; slot matters to argv only. */
void tool_show_devices(const struct config *config, unsigned slot);
void tool_show_plan(const struct config *config, unsigned slot);
void tool_show_check(const struct config *config, unsigned slot);
void tool_show_argv(const struct config *config, unsigned slot);
void tool_show_manifest(const struct config *config, unsigned slot);

/*
 * Tells in Markdown what a diagnostic's code means, or the code that a line of QEMU's stands for;
 * all of them for "". False: what is neither.
 */
bool tool_explain(const char *what);

/* The program "hvinit". Exit codes: 0; 1 there are findings; 2 wrong usage or unreadable file. */
int tool_main(int argc, char **argv);

#endif
