/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an SMMU says of itself: IOMMU_GET_HW_INFO. The kernel tells only who has bound a device
 * behind it to an iommufd. Two ways lead there: to bind an idle device for a moment (which resets
 * it, so that only a person may ask for it), or to ask with the iommufd of a QEMU that runs.
 */
#ifndef HVINIT_PROBE_H
#define HVINIT_PROBE_H

#include <stdio.h>

#include "diag.h"
#include "facts.h"

enum { PROBE_LIMIT_MS = 10000 }; /* for one device: drivers and resets may hang */

/*
 * For each SMMU of facts that has one, lends an idle device to VFIO in a child, asks, and gives it
 * back to the state in which it was. Says to tell beforehand what it will touch. What fails goes to
 * diag, a child that does not answer in time as well: it is not waited for.
 */
void probe_all(int root, struct facts *facts, FILE *tell, struct diag *diag);

/*
 * Asks with an iommufd that devices behind the named SMMUs were bound to in that order, and keeps
 * the answers for this boot. Which device one is about is not told, only the order is: when there
 * are more or fewer answers than devices and several SMMUs, or one SMMU would have answered in two
 * ways, nothing is kept.
 */
void probe_learn(int root, int iommufd, const char *const *smmu, unsigned devices);

/* Fills in what is kept since this boot; false when nothing is. */
bool probe_kept(int root, struct smmu_fact *smmu);

/*
 * The device behind the SMMU that may be lent: an endpoint that no host driver and no other use
 * has, nor any member of its group; NULL when there is none. With one that it has returned before
 * as after, the next one.
 */
const struct pci_fact *probe_choose(const struct facts *facts, const char *smmu,
				    const struct pci_fact *after);

#endif
