/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every refusal of QEMU's is known by its words, and the cause is told from its consequences. */
#include "unit.h"

#include "refusal.h"

struct entry {
	enum diag_code code;
	const char *words;
	const char *line;
};

static const struct entry entries[] = {
#define REFUSAL(code, words, line) { DIAG_##code, words, line },
#include "refusal.def"
#undef REFUSAL
};

/* Another way than refusal.c's to find words with asterisks in a line. */
static bool matches(const struct entry *entry, const char *line)
{
	char words[160];
	char *rest = words;
	const char *piece;

	assert_true(str_copy(words, sizeof(words), entry->words));
	while ((piece = strsep(&rest, "*"))) {
		line = strstr(line, piece);
		if (!line)
			return false;
		line += strlen(piece);
	}
	return true;
}

/* A line that two entries know would hide one of them, whatever their order. */
static void test_entry(void **state)
{
	const struct entry *entry = *state;

	assert_string_equal(diag_code_text(refusal_code(entry->line)), diag_code_text(entry->code));
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		if (matches(&entries[i], entry->line) != (entry == &entries[i]))
			fail_msg("\"%s\": \"%s\"", entries[i].words, entry->line);
}

static void test_unknown(void **state)
{
	(void)state;
	assert_int_equal(refusal_code(""), DIAG_CODES);
	assert_int_equal(refusal_code("qemu-system-aarch64: something new"), DIAG_CODES);
	/* The pieces, but not in their order. */
	assert_int_equal(refusal_code(" is already in use: Bus"), DIAG_CODES);
	assert_int_equal(refusal_code("error bind device fd=21 to iommufd=20: Bad address"),
			 DIAG_CODES);
}

struct story {
	const char *title;
	const char *text;
	enum diag_code code;
	const char *cause;
};

#define Q "qemu-system-aarch64: "
#define RAM                                                                              \
	Q "vfio hostdev0: memory listener initialization failed: Region mach-virt.ram: " \
	  "vfio_container_dma_map(0x1, 0x40000000, 0x20000000, 0x2) = -14 (Bad address)"
#define NESTING Q "vfio hostdev0: Failed to set vIOMMU: IOMMU_VIOMMU_ALLOC failed: Not supported"

static const struct story stories[] = {
	{ "nothing was said", "", DIAG_CODES, "" },
	{ "empty lines only", "\n\n", DIAG_CODES, "" },
	{ "one line without an end", NESTING, DIAG_NO_NESTING, NESTING },
	{ "what comes first is the cause",
	  Q "warning: something\n" NESTING "\n"
	    "vfio hostdev1: error bind device fd=22 to iommufd=20: Invalid argument\n",
	  DIAG_NO_NESTING, NESTING },
	{ "a warning of the catalogue is no cause",
	  Q "warning: IOMMU_IOAS_MAP failed: Bad address, PCI BAR?\n" NESTING "\n", DIAG_NO_NESTING,
	  NESTING },
	{ "guest memory that cannot be mapped, of which QEMU first thinks as a BAR",
	  Q "warning: IOMMU_IOAS_MAP failed: Bad address, PCI BAR?\n" RAM "\n", DIAG_MAP_FAIL,
	  RAM },
	{ "a BAR that cannot be mapped is no cause",
	  Q "warning: IOMMU_IOAS_MAP failed: Bad address, PCI BAR?\n" Q
	    "warning: vfio_container_dma_map(0x1, 0x10000000, 0x4000, 0x2) = -14 (Bad address)\n"
	    "hostdev0: PCI peer-to-peer transactions on BARs are not supported.\n" NESTING "\n",
	  DIAG_NO_NESTING, NESTING },
	{ "unknown words: the last error", Q "the first\n" Q "the second\n" Q "warning: a third\n",
	  DIAG_CODES, Q "the second" },
	{ "unknown words: not the hint after them",
	  Q "foo is bar\nUse -bar help to list supported foos\n", DIAG_CODES, Q "foo is bar" },
	{ "no error of QEMU's: the last line", "one\ntwo\n\n", DIAG_CODES, "two" },
	{ "warnings only: the last line", Q "warning: one\n" Q "warning: two\n", DIAG_CODES,
	  Q "warning: two" },
};

static void test_cause(void **state)
{
	const struct story *story = *state;
	enum diag_code code;
	char text[1024];

	assert_true(str_copy(text, sizeof(text), story->text));
	assert_string_equal(refusal_cause(text, &code), story->cause);
	assert_int_equal(code, story->code);
}

static void check_quote(const char *line, const char *wanted)
{
	char quoted[40];

	refusal_quote(line, quoted, sizeof(quoted));
	assert_string_equal(quoted, wanted);
}

static void test_quote(void **state)
{
	(void)state;
	check_quote("", "");
	check_quote("no name", "no name");
	check_quote(Q "no option", "no option");
	check_quote(Q "-name x: bad", "-name x: bad");
	check_quote(Q "-device {\"driver\":\"x\",\"id\":\"iommu0\"}: bad", "iommu0: bad");
	check_quote(Q "-device {\"driver\":\"x\"}: bad: {\"id\":\"y\"}", "bad: {\"id\":\"y\"}");
	check_quote(Q "-device {\"id\":\"x\"} is bad", "-device {\"id\":\"x\"} is bad");
	check_quote(Q "0123456789012345678901234567890123456789",
		    "012345678901234567890123456789012345678");
}

static void test_words(void **state)
{
	(void)state;
	assert_string_equal(refusal_words(DIAG_ROOT_PORT, 0),
			    "PCI: Only PCI/PCIe bridges can be plugged into pxb-pcie");
	assert_null(refusal_words(DIAG_ROOT_PORT, 1));
	assert_string_equal(refusal_words(DIAG_MMIO_WINDOW, 0),
			    "highmem-mmio-size is not a power of 2");
	assert_non_null(refusal_words(DIAG_MMIO_WINDOW, 1));
	assert_null(refusal_words(DIAG_MMIO_WINDOW, 2));
	assert_null(refusal_words(DIAG_MANIFEST_HASH, 0));
}

int main(void)
{
	enum { REST = 3 };
	struct CMUnitTest tests[ARRAY_SIZE(entries) + ARRAY_SIZE(stories) + REST] = {
		CASE("words that are not known", test_unknown, NULL),
		CASE("a line is quoted without its option", test_quote, NULL),
		CASE("the words of a code are listed", test_words, NULL),
	};
	struct CMUnitTest *test = tests + REST;

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		*test++ = CASE(entries[i].words, test_entry, &entries[i]);
	for (size_t i = 0; i < ARRAY_SIZE(stories); i++)
		*test++ = CASE(stories[i].title, test_cause, &stories[i]);
	return cmocka_run_group_tests_name("refusal", tests, NULL, NULL);
}
