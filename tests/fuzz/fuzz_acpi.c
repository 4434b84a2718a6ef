/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IORT and SRAT as firmware, or whoever made a record's machine, may have left them. */
#include "fuzz.h"

#include "acpi.h"

static void count(void *arg, unsigned segment, unsigned rid)
{
	PROMISE(segment <= UINT16_MAX && rid <= UINT16_MAX, "a PCI function's address");
	++*(unsigned *)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct acpi_smmu smmu[8];
	unsigned functions = 0;
	uint8_t *table = malloc(size ? size : 1); /* so that a byte too far is seen */
	unsigned smmus;

	memcpy(table, data, size);
	smmus = acpi_iort(table, size, smmu, 8);
	PROMISE(smmus <= 8, "no more SMMUs than asked for");
	for (unsigned i = 0; i < smmus; i++)
		PROMISE(smmu[i].canwbs <= smmu[i].complexes, "CANWBS of those that are counted");
	acpi_initiators(table, size, count, &functions);
	PROMISE(functions <= size, "no more functions than bytes");
	free(table);
	return 0;
}
