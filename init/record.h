/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What "hvinit record" makes of a machine beside the host record itself (facts_text.h). */
#ifndef HVINIT_RECORD_H
#define HVINIT_RECORD_H

#include <stdio.h>

#include "facts.h"

/*
 * A fragment of a .config that gives VM 0 every device that it can have: endpoints behind an SMMU
 * that the host does not use, IOMMU groups whole, as many as there are slots. Comments tell what
 * was left out and why.
 */
void record_kconfig(const struct facts *facts, FILE *out);

#endif
