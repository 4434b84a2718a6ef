/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console's commands: one table, command.def, from which dispatch, help and completion are made. */
#ifndef HVINIT_COMMAND_H
#define HVINIT_COMMAND_H

#include <stddef.h>

#include "symbols.h"

/* config must stay; what the commands show of the boot comes from there, and 'set' changes it. */
void command_init(struct config *config);

/*
 * How a command went: COMMAND_REFUSED has said why, COMMAND_USAGE is for words that are not those it
 * wants. Of one that a child does, the child's exit status says so later.
 */
enum command_result { COMMAND_DONE, COMMAND_REFUSED, COMMAND_USAGE };

/* Runs a line; cuts it into words in place. */
enum command_result command_run(char *line);

/*
 * Calls each with every word that the last one of line, which may be empty, can be the beginning
 * of. The words are valid during the call only.
 */
void command_complete(const char *line, void (*each)(void *arg, const char *word), void *arg);

#endif
