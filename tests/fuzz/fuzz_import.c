/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A libvirt domain becomes .config lines, and those a manifest, whatever the domain says. */
#include "fuzz.h"

#include "import_private.h"
#include "manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct xml xml;
	static struct fragment fragment;
	static struct diag diag;
	char error[DIAG_TEXT];
	char *lines = NULL;
	size_t len;
	bool done;

	if (size > XML_BYTES)
		return -1;
	fragment.vm = size % HV_VM_SLOTS;
	fragment.xml = &xml;
	fragment.out = open_memstream(&lines, &len);
	error[0] = '\0';
	done = import_text((const char *)data, size, NULL, &fragment, error, sizeof(error));
	fclose(fragment.out);
	PROMISE(done || error[0], "a domain or a reason");
	if (done) {
		diag.count = 0;
		manifest_write(lines, len, nowhere(), &diag);
		diag_print(&diag, stderr);
		PROMISE(diag.count == 0, "the lines are a manifest's");
		for (unsigned i = 0; i < xml.findings; i++)
			for (const char *at = xml.finding[i].text; *at; at++)
				PROMISE((unsigned char)*at >= ' ' && *at != 0x7f, "plain text");
	}
	xml_close(&xml);
	free(lines);
	return 0;
}
