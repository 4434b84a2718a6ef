/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DMA that an SMMU has refused: the kernel tells of it by stream IDs and PCI addresses, hvinit says
 * whose device it was, and counts. Faults of a stage that a guest has made itself are the guest's,
 * and come to its own vSMMU.
 */
#ifndef HVINIT_DMA_FAULT_H
#define HVINIT_DMA_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "symbols.h"

/* config must stay. */
void dma_fault_init(const struct config *config);

/*
 * Looks at a line of the kernel's. A fault of a VM's device is told of once a minute at most, with how
 * many there were. It may log.
 */
void dma_fault_line(const char *text);

/*
 * Whether a line of the kernel's says what dma_fault_line() tells of in better words: a guest decides
 * how many come, and each takes seven lines.
 */
bool dma_fault_hides(const char *text);

/* Faults that the kernel has told of, of the device in a HOSTDEV slot. */
uint64_t dma_fault_count(unsigned vm, unsigned hostdev);
/*
 * Those that it has counted only, without saying whose they were: it tells of ten in five seconds, and
 * how many there were besides when the next one comes.
 */
uint64_t dma_fault_unnamed(void);

#endif
