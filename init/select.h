/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which manifest this machine is to have: one image serves many. The machine is known by its SMBIOS
 * UUID; "any" stands for all of them.
 *
 * /etc/hvinit/addons/<UUID or "any">/<hash>.manifest  from an addon of the image's: <hash> is the first
 *                                                     16 digits of the file's SHA-256, so that two for
 *                                                     one host do not hide each other
 * /etc/hvinit/hosts/<UUID>.manifest                   built in for that host
 * /etc/hvinit/manifest                                built in for all others
 */
#ifndef HVINIT_SELECT_H
#define HVINIT_SELECT_H

#include "manifest.h"
#include "sys_machine.h"

#define SELECT_ADDONS "/etc/hvinit/addons"
#define SELECT_HOSTS "/etc/hvinit/hosts"

enum { SELECT_PATH = 192 };

/* The first that there is, in this order; NONE: nothing may be started. */
enum select_from {
	SELECT_ADDON,
	SELECT_ADDON_ANY,
	SELECT_BUILT_IN,
	SELECT_DEFAULT,
	SELECT_NONE,
};

struct selected {
	enum select_from from;
	char path[SELECT_PATH]; /* absolute; "" of NONE */
	char built_in[SELECT_PATH]; /* what it would be without addons */
	char uuid[SYS_MACHINE_UUID]; /* the machine's, in lower case; "": it has none */
};

/*
 * Looks for it below root, which stands for /. Nothing is guessed: two addons for this host, or one
 * that is damaged, are failures, and then there is none, for another manifest could give a device to
 * the wrong VM. Whether the chosen one can be read, manifest_load() tells. Takes no memory. Before
 * the first child, and in a child again for its findings.
 */
const struct selected *select_manifest(int root, struct diag *diag);

/* What was chosen last; before that the image's own. */
const struct selected *select_look(void);

/*
 * What was chosen could not be read as a whole: the console of config has the password, and the
 * shell, that the built-in manifest gives it, unless it has a password. A broken addon must not open a
 * door.
 */
void select_keep_door(int root, struct config *config);

/* "from an addon for this host", and one word for programs. */
const char *select_words(enum select_from from);
const char *select_word(enum select_from from);

#endif
