/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host record is read; what was read is printed, and that reads as the same. */
#include "fuzz.h"

#include "facts_text.h"

static char *print(const struct facts *facts, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	facts_print(facts, out);
	fclose(out);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct facts facts;
	static struct facts again;
	static struct diag diag;
	size_t len[2];
	char *text[2];

	if (size > FACTS_TEXT_MAX)
		return -1;
	diag.count = 0;
	if (!facts_read((const char *)data, size, &facts, &diag)) {
		PROMISE(diag.count, "a machine or a finding");
		return 0;
	}
	text[0] = print(&facts, &len[0]);
	PROMISE(facts_read(text[0], len[0], &again, &diag), "what was printed can be read");
	text[1] = print(&again, &len[1]);
	PROMISE(len[0] == len[1] && memcmp(text[0], text[1], len[0]) == 0, "it is the same");
	free(text[0]);
	free(text[1]);
	return 0;
}
