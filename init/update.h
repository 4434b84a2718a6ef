/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command 'update': another image for the next boot. */
#ifndef HVINIT_UPDATE_H
#define HVINIT_UPDATE_H

#include <stdbool.h>

#include "symbols.h"

struct update_request {
	const char *path; /* "": a medium of the label UPDATE_LABEL */
	const char *sha256; /* as typed; "": none */
	bool force;
};

/*
 * Does it, and prints what goes on and what is wrong. True when the next boot is another one. For a
 * child, which can be killed at any moment: the old state is left then.
 */
bool update_run(const struct config *config, const struct update_request *request);

#endif
