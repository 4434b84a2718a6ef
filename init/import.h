/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a libvirt domain to the lines of a .config. */
#ifndef HVINIT_IMPORT_H
#define HVINIT_IMPORT_H

#include "facts.h"

/*
 * Prints the .config lines of VM slot vm for the domain in the file ("-" is standard input) on
 * stdout, and on stderr what they do not carry over. facts, of the machine that the VM is for, tell
 * a virtual function from other devices; NULL: unknown. Returns an exit status: 0; 1 something is
 * lost, changed or wrong; 2 unreadable, no XML or no domain.
 */
int import_file(const char *path, unsigned vm, const struct facts *facts);

#endif
