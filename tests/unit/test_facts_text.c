/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host records: what is printed reads back as it was, and no text does harm. */
#include "unit.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "facts_text.h"

#define HEADER "# hvinit host record 1\n"

static struct facts facts;
static struct facts again;
static struct diag diag;
static char text[FACTS_TEXT_MAX];

static bool read_text(const char *record)
{
	memset(&diag, 0, sizeof(diag));
	return facts_read(record, strlen(record), &facts, &diag);
}

/* What facts_print() makes of facts, in text. */
static size_t print(const struct facts *what)
{
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	facts_print(what, out);
	fclose(out);
	return strlen(text);
}

static void fill_host(void)
{
	memset(&facts, 0, sizeof(facts));
	facts.recorded = true;
	facts.memory_kib = 503316481;
	facts.page_kib = 64;
	assert_true(cpulist_parse("0-71,73,1023", &facts.cpus));
	facts.iommufd = true;
	facts.kvm = true;
	facts.hvinit = KNOWN_NO;
	facts.huge[FACTS_PAGE_1G] = true;
	facts.dropped = 3;
	str_copy(facts.kernel, sizeof(facts.kernel), "7.3.4 #1");
	facts.symbol[KERNEL_IOMMUFD] = KERNEL_YES;
	facts.symbol[KERNEL_MLX5_VFIO_PCI] = KERNEL_MODULE;
	facts.symbol[KERNEL_BRIDGE] = KERNEL_NO;
	facts.drivers = 2;
	str_copy(facts.driver[0].name, SYS_NAME, "nvgrace_gpu_vfio_pci");
	facts.driver[0].module = true;
	str_copy(facts.driver[1].name, SYS_NAME, "xhci_hcd");
	str_copy(facts.driver[1].from, SYS_NAME, "xhci_pci");
	facts.nodes = 2;
	facts.node[0].memory_kib = 4096;
	assert_true(cpulist_parse("0-35", &facts.node[0].cpus));
	facts.node[0].huge_total[FACTS_PAGE_2M] = UINT64_MAX;
	facts.node[0].huge_free[FACTS_PAGE_1G] = 1;
	facts.node[1].id = 33;
	facts.node[1].initiator = true;
}

static void fill_smmus(void)
{
	facts.smmus = 2;
	str_copy(facts.smmu[0].name, SYS_NAME, "smmu3.0x0000000011000000");
	str_copy(facts.smmu[1].name, SYS_NAME, "smmu3.0x0000000015000000");
	facts.smmu[0].canwbs = KNOWN_NO;
	facts.smmu[1] = (struct smmu_fact){
		.name = "smmu3.0x0000000015000000",
		.canwbs = KNOWN_YES,
		.has_features = true,
		.features = 0,
		.oas = 48,
		.probed = true,
		.hw_flags = 1,
		.idr = { 0x80000000, 1, 2, 0, 4, UINT32_MAX },
		.iidr = 0x43b,
	};
}

static void fill_devices(void)
{
	facts.count = 2;
	facts.device[0] = (struct pci_fact){
		.bdf = "0009:01:00.0",
		.driver = "A Driver #2",
		.variant = "nvgrace_gpu_vfio_pci",
		.smmu = "smmu3.0x0000000015000000",
		.class = 0x030200,
		.vendor = 0x10de,
		.device = 0x2342,
		.subvendor = 0x10de,
		.subdevice = 0x16c1,
		.group = 0,
		.node = 1,
		.gi_nodes = 8,
		.bar = { { 16 << 20, true, true }, { 0 }, { 100, false, false } },
		.reset = "flr bus",
		.direct = KNOWN_NO,
		.vf = FACTS_NO_VF,
		.vfs = 2,
		.vfs_total = UINT16_MAX,
		.vf_offset = 128,
		.vf_stride = 1,
		.vf_bar = { { 0 }, { 16384, true, false } },
		.use = "mounted at /boot",
	};
	facts.device[1] = (struct pci_fact){
		.bdf = "0009:01:10.0",
		.variant = FACTS_VARIANT,
		.bridge = true,
		.group = FACTS_NO_GROUP,
		.node = FACTS_NO_NODE,
		.pf = "0009:01:00.0",
		.vf = 0,
	};
}

static void fill(void)
{
	fill_host();
	fill_smmus();
	fill_devices();
}

static void test_identity(void **state)
{
	static char first[8192];
	size_t len;

	(void)state;
	fill();
	len = print(&facts);
	memset(&diag, 0, sizeof(diag));
	assert_true(facts_read(text, len, &again, &diag));
	assert_no_finding(&diag);
	assert_memory_equal(&facts, &again, sizeof(facts));
	assert_true(str_copy(first, sizeof(first), text));
	print(&again);
	assert_string_equal(first, text);
}

static void test_defaults(void **state)
{
	(void)state;
	assert_true(read_text(HEADER "device 0000:01:00.0\nnode 0\nsmmu s\ndriver vfio-pci"));
	assert_no_finding(&diag);
	assert_true(facts.recorded);
	assert_string_equal(facts.device[0].variant, FACTS_VARIANT);
	assert_int_equal(facts.device[0].group, FACTS_NO_GROUP);
	assert_int_equal(facts.device[0].node, FACTS_NO_NODE);
	assert_int_equal(facts.device[0].vf, FACTS_NO_VF);
	assert_int_equal(facts.smmu[0].canwbs, KNOWN_UNKNOWN);
	assert_false(facts.smmu[0].probed);
	assert_int_equal(facts.symbol[KERNEL_IOMMUFD], KERNEL_UNKNOWN);
	assert_int_equal(facts.hvinit, KNOWN_UNKNOWN);
	print(&facts);
	assert_string_equal(text, HEADER "machine\nkernel\ndriver vfio-pci\nnode 0\nsmmu s\n"
					 "device 0000:01:00.0\n");
}

/* A person may write lines and words in another order, and leave notes. */
static void test_by_hand(void **state)
{
	(void)state;
	assert_true(read_text(HEADER "# a note\n\n"
				     "  device 0000:02:00.0   group=7   node=0  \n"
				     "device 0000:01:00.0 use=\"swap #1\" bar0=1024K\n"
				     "machine kvm=no memory=2097152K"));
	assert_no_finding(&diag);
	assert_string_equal(facts.device[0].bdf, "0000:01:00.0");
	assert_string_equal(facts.device[0].use, "swap #1");
	assert_int_equal(facts.device[0].bar[0].bytes, 1 << 20);
	assert_ptr_equal(facts_find(&facts, "0000:02:00.0"), &facts.device[1]);
	assert_int_equal(facts.device[1].group, 7);
	assert_int_equal(facts.memory_kib, 2 << 20);
	assert_false(facts.kvm);
}

struct wrong {
	const char *record;
	const char *subject;
	const char *part;
};

#define LINE2(line, part)                                \
	{                                                \
		HEADER line, "host record, line 2", part \
	}
#define D "device 0000:01:00.0 "

static const struct wrong wrong[] = {
	{ "", "host record, line 1", "the file is empty" },
	{ "\n", "host record, line 1", "want \"# hvinit host record 1\"" },
	{ "# hvinit host record 2\n", "host record, line 1", "want \"# hvinit host record 1\"" },
	{ "# hvinit host record 1 \n", "host record, line 1", "want \"# hvinit host record 1\"" },
	LINE2("gadget x", "read \"gadget\": want machine"),
	LINE2("\tmachine", "no printable ASCII"),
	LINE2("device", "want its name"),
	LINE2("device 0000:01:00", "want DDDD:BB:DD.F"),
	LINE2("device 0000:01:00.8", "want DDDD:BB:DD.F"),
	LINE2("device 000A:01:00.0", "want DDDD:BB:DD.F"),
	LINE2("device bdf=0000:01:00.0", "want DDDD:BB:DD.F"),
	LINE2("driver \"\"", "read \"\": want a short text"),
	LINE2("node -1", "want a number"),
	LINE2("node x", "want a number"),
	LINE2(D "color=red", "a device has no such word"),
	LINE2(D "=red", "a device has no such word"),
	LINE2(D "group", "read \"group\": want KEY=VALUE"),
	LINE2(D "group ", "want KEY=VALUE"),
	LINE2(D "\"group\"=1", "want KEY=VALUE"),
	LINE2(D "group=", "read \"group=\": want a number"),
	LINE2(D "group=1 group=2", "read group: it is there twice"),
	LINE2(D "group=2147483648", "want a number"),
	LINE2(D "group=+1", "want a number"),
	LINE2(D "group=1x", "want a number"),
	LINE2(D "initiators=128", "want a number from 0 to 127"),
	LINE2(D "initiators=4294967296", "want a number"),
	LINE2(D "vfs=65536", "want 0 to 65535"),
	LINE2(D "class=10802", "want 0xBBSSII"),
	LINE2(D "class=0x0x1", "want 0xBBSSII"),
	LINE2(D "class=0x100000000", "want 0xBBSSII"),
	LINE2(D "id=10de", "want VVVV:DDDD"),
	LINE2(D "id=10de:", "want VVVV:DDDD"),
	LINE2(D "id=10de:12345", "want VVVV:DDDD"),
	LINE2(D "direct=maybe", "want yes or no"),
	LINE2(D "bridge=y", "want yes or no"),
	LINE2(D "bar0=0", "want BYTES[,wide][,prefetch]"),
	LINE2(D "bar0=16Q", "want BYTES[,wide][,prefetch]"),
	LINE2(D "bar0=16777216T", "want BYTES[,wide][,prefetch]"),
	LINE2(D "bar0=9999999999999999999", "want BYTES[,wide][,prefetch]"),
	LINE2(D "bar0=16K,prefetch,wide", "want BYTES[,wide][,prefetch]"),
	LINE2(D "bar0=16K,", "want BYTES[,wide][,prefetch]"),
	LINE2(D "bar6=16K", "no such word"),
	LINE2(D "use=\"mounted", "its double quote is not closed"),
	LINE2(D "use=\"a\"b", "want a blank after \"a\""),
	LINE2(D "use=a\"b", "want a short text"),
	LINE2(D "use=\033[2J", "no printable ASCII"),
	LINE2(D "pf=0", "want DDDD:BB:DD.F"),
	LINE2("machine memory=1", "want a number with K"),
	LINE2("machine memory=x", "want a number with K"),
	LINE2("machine page=4294967296K", "want a number with K"),
	LINE2("machine cpus=3-1", "want a list of CPUs"),
	LINE2("machine cpus=1024", "want a list of CPUs"),
	LINE2("kernel IOMMUFD=yes", "want y, m or n"),
	LINE2("kernel IOMMUFD=x", "want y, m or n"),
	LINE2("node 0 total2M=18446744073709551616", "want a number"),
	LINE2("smmu s idr=0x1,0x2", "want six hexadecimal"),
	LINE2("smmu s idr=0x1,0x2,0x3,0x4,0x5,0x6,0x7", "want six hexadecimal"),
	LINE2("smmu s idr=0x1,0x2,0x3,0x4,0x5,6", "want six hexadecimal"),
	{ HEADER "machine\nmachine", "host record, line 3", "there is one already" },
	{ HEADER "kernel\nkernel", "host record, line 3", "there is one already" },
	{ HEADER D "\n" D, "host record", "read device 0000:01:00.0: it is there twice" },
	{ HEADER "node 1\nnode 1", "host record", "read node 1: it is there twice" },
	{ HEADER "smmu s\nsmmu s", "host record", "read smmu s: it is there twice" },
	{ HEADER "driver s\ndriver s", "host record", "read driver s: it is there twice" },
};

static void test_wrong(void **state)
{
	const struct wrong *row = *state;

	assert_false(read_text(row->record));
	assert_finding(&diag, DIAG_RECORD_FORMAT, row->subject, row->part);
}

static void test_long(void **state)
{
	static char record[8192];
	int used = snprintf(record, sizeof(record), HEADER "machine cpus=0");

	(void)state;
	while (used < 4096)
		used += snprintf(record + used, sizeof(record) - (size_t)used, ",0");
	assert_true(read_text(record));
	while (used < 4200)
		used += snprintf(record + used, sizeof(record) - (size_t)used, ",0");
	assert_false(read_text(record));
	assert_finding(&diag, DIAG_RECORD_FORMAT, "host record, line 2", "too long");
}

static void test_many(void **state)
{
	int used = snprintf(text, sizeof(text), HEADER);

	(void)state;
	for (int i = 0; i <= FACTS_NODES; i++)
		used += snprintf(text + used, sizeof(text) - (size_t)used, "node %d\n", i);
	assert_false(read_text(text));
	assert_finding(&diag, DIAG_RECORD_FORMAT, "host record, line 66",
		       "read a node: there are more than 64");
	assert_int_equal(facts.nodes, FACTS_NODES);
}

/* A NUL does not end the text, and a record that is cut off anywhere is only ever refused. */
static void test_bytes(void **state)
{
	static const char nul[] = HEADER "machine\0 kvm=yes\n";
	size_t len;
	char *copy;

	(void)state;
	memset(&diag, 0, sizeof(diag));
	assert_false(facts_read(nul, sizeof(nul) - 1, &facts, &diag));
	fill();
	len = print(&facts);
	for (size_t cut = 0; cut <= len; cut++) {
		copy = malloc(cut + 1); /* so that the sanitizer sees a read beyond the end */
		assert_non_null(copy);
		memcpy(copy, text, cut);
		memset(&diag, 0, sizeof(diag));
		facts_read(copy, cut, &again, &diag);
		free(copy);
	}
}

static void test_damaged(void **state)
{
	uint32_t seed = 1;
	size_t len;
	char *copy;

	(void)state;
	fill();
	len = print(&facts);
	copy = malloc(len);
	assert_non_null(copy);
	for (int i = 0; i < 3000; i++) {
		memcpy(copy, text, len);
		damage(copy, len, &seed);
		memset(&diag, 0, sizeof(diag));
		if (!facts_read(copy, len, &again, &diag))
			assert_true(diag.count > 0);
		for (unsigned n = 0; n < diag.count; n++)
			for (const char *c = diag.finding[n].text; *c; c++)
				assert_true(*c >= ' ' && *c <= '~');
	}
	free(copy);
}

static void test_file(void **state)
{
	char path[64];
	int fd = memfd_create("record", 0);

	(void)state;
	str_format(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_true(write(fd, HEADER "machine kvm=yes\n", strlen(HEADER "machine kvm=yes\n")) > 0);
	memset(&diag, 0, sizeof(diag));
	assert_true(facts_load(path, &facts, &diag));
	assert_true(facts.kvm);
	close(fd);
	assert_false(facts_load("/nonexistent", &facts, &diag));
	assert_finding(&diag, DIAG_RECORD_READ, "/nonexistent", "No such file");
	memset(&diag, 0, sizeof(diag));
	assert_false(facts_load("/dev/zero", &facts, &diag));
	assert_finding(&diag, DIAG_RECORD_READ, "/dev/zero", "too large");
}

int main(void)
{
	static char title[ARRAY_SIZE(wrong)][96];
	struct CMUnitTest tests[8 + ARRAY_SIZE(wrong)] = {
		CASE("printed and read again", test_identity, NULL),
		CASE("what is left out", test_defaults, NULL),
		CASE("written by hand", test_by_hand, NULL),
		CASE("a word that is too long", test_long, NULL),
		CASE("more than there is room for", test_many, NULL),
		CASE("any bytes", test_bytes, NULL),
		CASE("damaged", test_damaged, NULL),
		CASE("a file", test_file, NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		str_format(title[i], sizeof(title[i]), "wrong %zu: %s", i, wrong[i].part);
		for (char *c = title[i]; *c; c++)
			*c = (char)(*c == '"' ? '\'' : *c); /* it becomes an attribute in XML */
		tests[8 + i] = CASE(title[i], test_wrong, &wrong[i]);
	}
	return cmocka_run_group_tests_name("facts_text", tests, NULL, NULL);
}
