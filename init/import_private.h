/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two halves of the import: the VM itself (import.c) and its PCI topology (import_pci.c). */
#ifndef HVINIT_IMPORT_PRIVATE_H
#define HVINIT_IMPORT_PRIVATE_H

#include "domain.h"
#include "facts.h"
#include "fragment.h"

/*
 * Makes the lines of a domain whose text is in memory, and tells what is lost in xml's findings,
 * unordered. False with a reason in error when it is no domain. xml_close() is the caller's.
 */
bool import_text(const char *text, size_t len, const struct facts *facts, struct fragment *fragment,
		 char *error, size_t size);

/* The lines of disks, networks, devices, SMMUs and root ports. */
void import_topology(struct fragment *fragment, const struct domain *domain,
		     const struct facts *facts);

#endif
