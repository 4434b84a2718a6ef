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
 * Why no medium may be looked for, which takes drivers; the text stays. NULL: it may, as every device of
 * a VM's is reserved by now. An update that was begun before either is known waits for it: for that
 * update_init() makes memory, before the first child; 0 or a negative errno.
 */
int update_init(void);
void update_media(const char *why_not);

/*
 * Does it, and prints what goes on and what is wrong. True when the next boot is another one. For a
 * child, which can be killed at any moment: the old state is left then.
 */
bool update_run(const struct config *config, const struct update_request *request);

#endif
