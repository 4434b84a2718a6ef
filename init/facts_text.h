/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host record: struct facts as text, a fact a line, that a person can read and edit.
 *
 *	# hvinit host record 1
 *	machine memory=491520M page=64K cpus=0-143 iommufd=yes kvm=yes hvinit=yes
 *	kernel release=7.3.4 IOMMUFD=y VFIO_PCI=y
 *	driver vfio-pci
 *	node 0 memory=245760M cpus=0-71
 *	smmu smmu3.0x0000000011000000 canwbs=yes features=0x01088705 oas=48
 *	device 0009:01:00.0 id=10de:2342 class=0x030200 smmu=smmu3.0x0000000011000000 group=11
 *
 * Words may come in any order; one that is left out has its default (unknown, none or zero). A
 * value with blanks stands in double quotes. Empty lines and lines that begin with '#' are
 * comments, the first one excepted.
 */
#ifndef HVINIT_FACTS_TEXT_H
#define HVINIT_FACTS_TEXT_H

#include <stddef.h>
#include <stdio.h>

#include "diag.h"
#include "facts.h"

enum { FACTS_TEXT_MAX = 2 * 1024 * 1024 }; /* bytes of a record; a full one has half of that */

/* What facts_read() makes facts again of, in a fixed order. */
void facts_print(const struct facts *facts, FILE *out);

/*
 * Reads a record of len bytes (it need not be terminated). What is wrong goes to diag by its line;
 * false when there was any such thing: facts then hold what could be read.
 */
bool facts_read(const char *text, size_t len, struct facts *facts, struct diag *diag);

/* The same for a file ("-" is standard input). Not for two callers at a time. */
bool facts_load(const char *path, struct facts *facts, struct diag *diag);

#endif
