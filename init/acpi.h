/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What two ACPI tables tell of SMMUs and of NUMA. Both are firmware's bytes: any length or offset
 * in them may lie. Numbers are little-endian. IORT: Arm DEN 0049, "IO Remapping Table"; SRAT: ACPI
 * 6.5, section 5.2.16.
 */
#ifndef HVINIT_ACPI_H
#define HVINIT_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An SMMUv3 of the IORT. */
struct acpi_smmu {
	uint64_t base; /* physical address of its registers; the kernel names it after that */
	unsigned complexes; /* PCI root complexes that are mapped to it */
	unsigned canwbs; /* those that declare CANWBS: they cannot be made to write non-coherently */
};

/*
 * Reads an IORT of len bytes into the first of smmu[max], in the table's order. Returns how many
 * there are (max at most); 0 when it is no IORT.
 */
unsigned acpi_iort(const void *table, size_t len, struct acpi_smmu *smmu, unsigned max);

/*
 * Calls each for every generic initiator of an SRAT of len bytes that is enabled and a PCI
 * function: its segment, and bus << 8 | device << 3 | function.
 */
void acpi_initiators(const void *table, size_t len,
		     void (*each)(void *arg, unsigned segment, unsigned rid), void *arg);

#endif
