/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console's commands: one table, from which the help is made. */
#ifndef HVINIT_COMMAND_H
#define HVINIT_COMMAND_H

#include "symbols.h"

/* config must stay; what the commands show of the boot comes from there. */
void command_init(const struct config *config);

/* Runs a line; cuts it into words in place. */
void command_run(char *line);

#endif
