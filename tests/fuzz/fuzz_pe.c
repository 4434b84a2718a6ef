/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An image or addon as anybody may have put it on a medium. */
#include "fuzz.h"

#include "pe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *file = malloc(size ? size : 1); /* so that a byte too far is seen */
	unsigned count;
	struct pe pe;

	memcpy(file, data, size);
	if (pe_parse(file, size, size, &pe) == 0) {
		PROMISE(pe.count <= PE_SECTIONS, "no more sections than there is room for");
		PROMISE(pe.certificates.len <= size &&
				pe.certificates.at <= size - pe.certificates.len,
			"certificates are in the file");
		for (unsigned i = 0; i < pe.count; i++) {
			const struct pe_section *section = &pe.section[i];

			PROMISE(section->len == 0 || (section->len <= size &&
						      section->at <= size - section->len),
				"a section is in the file");
			PROMISE(pe_find(&pe, section->name, &count) && count > 0,
				"a section is found by its name");
		}
	}
	free(file);
	return 0;
}
