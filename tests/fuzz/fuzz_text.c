/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The small readers of text, each on all of the input: the kernel command line, a symbol with its
 * value, words for QEMU, lists of CPUs, and the filter for terminals.
 */
#include "fuzz.h"

#include "argv.h"
#include "cpulist.h"
#include "manifest.h"
#include "text.h"

static struct config config;
static struct diag diag;

static void set_symbol(const char *text)
{
	size_t len = strcspn(text, "=");
	char name[128];
	bool done;

	snprintf(name, sizeof(name), "%.*s", (int)len, text);
	diag.count = 0;
	done = manifest_set(name, text[len] ? text + len + 1 : "", &config, &diag);
	PROMISE(done == (diag.count == 0), "a finding for what is refused");
}

static void read_words(const char *text)
{
	char word[64];
	const char *at = text;
	const char *before = at;

	while (argv_next(&at, word, sizeof(word)) > 0) {
		PROMISE(at > before && at <= text + strlen(text), "a word");
		before = at;
	}
}

static void read_cpus(const char *text)
{
	struct cpulist list;
	struct cpulist again;
	char printed[CPULIST_TEXT];

	if (!cpulist_parse(text, &list))
		return;
	cpulist_print(&list, printed);
	if (strstr(printed, "…"))
		return;
	PROMISE(cpulist_parse(printed, &again), "a list that was printed can be read");
	PROMISE(memcmp(&list, &again, sizeof(list)) == 0, "it is the same");
}

static void filter(const char *text, size_t len)
{
	struct text_filter state = { 0 };
	char *safe = malloc(len + TEXT_HELD);
	size_t kept = text_filter(&state, text, len, safe);

	for (size_t i = 0; i < kept; i++) {
		unsigned char c = (unsigned char)safe[i];

		PROMISE((c >= ' ' && c != 0x7f) || c == '\n' || c == '\t', "safe for a terminal");
		/* The eight-bit control characters, as UTF-8 has them. */
		PROMISE(c != 0xc2 || i + 1 == kept || (unsigned char)safe[i + 1] >= 0xa0,
			"no eight-bit control character");
	}
	free(safe);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	manifest_defaults(&config);
	diag.count = 0;
	manifest_cmdline(text, true, &config, &diag);
	set_symbol(text);
	read_words(text);
	read_cpus(text);
	filter((const char *)data, size);
	free(text);
	return 0;
}
