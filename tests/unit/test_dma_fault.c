/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of the kernel's about DMA that an SMMU has refused, as Linux 7.3 writes them. */
#include "unit.h"

#include "device.h"
#include "dma_fault.h"
#include "manifest.h"
#include "standins.h"

#define AT "arm-smmu-v3 arm-smmu-v3.0.auto: "
#define FAULT                                                                         \
	AT "event: F_TRANSLATION client: 0000:41:00.0 sid: 0x4100 ssid: 0x0 iova: 0x" \
	   "8090040 ipa: 0x8090000"

static struct config config;
static uint64_t now_s = 1000;

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	*now = (struct timespec){ .tv_sec = (time_t)now_s };
	return 0;
}

static int setup(void **state)
{
	(void)state;
	said[0] = '\0';
	manifest_defaults(&config);
	str_copy(config.vm[2].name, sizeof(config.vm[2].name), "gpu");
	str_copy(config.vm[2].hostdev[1].bdf, SYS_BDF, "0000:41:00.0");
	str_copy(config.vm[5].name, sizeof(config.vm[5].name), "web");
	str_copy(config.vm[5].hostdev[0].bdf, SYS_BDF, "0000:43:00.0");
	dma_fault_init(&config);
	return 0;
}

static const struct row {
	const char *line;
	const char *told; /* NULL: nothing is */
	uint64_t count;
	uint64_t unnamed;
	bool hidden;
} rows[] = {
	{ FAULT,
	  "0000:41:00.0: carry out DMA of gpu (1 fault): F_TRANSLATION client: 0000:41:00.0 sid: "
	  "0x4100 ssid: 0x0 iova: 0x8090040 ipa: 0x8090000 [DMA-FAULT]",
	  1, 0, true },
	{ AT "event: C_BAD_STE client: 0000:41:00.0 sid: 0x4100 ssid: 0x0",
	  "gpu (1 fault): C_BAD_STE client", 1, 0, true },
	{ AT "event: F_STE_FETCH client: 0000:41:00.0 sid: 0x4100 ssid: 0x0 fetch_addr: 0x12",
	  "gpu (1 fault): F_STE_FETCH client", 1, 0, true },
	/* A device of the host's, and what no driver knows: the kernel's own words are the only ones. */
	{ AT "event: F_TRANSLATION client: 0000:42:00.0 sid: 0x4200 ssid: 0x0 iova: 0x0 ipa: 0x0",
	  NULL, 0, 0, false },
	{ AT "event: C_BAD_STREAMID client: (unassigned sid) sid: 0x4200 ssid: 0x0", NULL, 0, 0,
	  false },
	{ AT "event: F_TRANSLATION client: ", NULL, 0, 0, false },
	{ AT "event: F_TRANSLATION", NULL, 0, 0, false },
	{ AT "event 0x10 received:", NULL, 0, 0, true },
	{ AT "\\x090x0000410000000010", NULL, 0, 0, true },
	{ AT "unpriv data write s2 \"Input address caused fault\" stag: 0x0", NULL, 0, 0, true },
	{ AT "priv inst read s1 \"CD fetch\" stag: 0x0", NULL, 0, 0, true },
	{ AT "EVTQ overflow detected -- events lost",
	  "host: count all DMA that faults (1 time): EVTQ overflow detected", 0, 0, true },
	{ "arm_smmu_dump_event: 2038 callbacks suppressed", NULL, 0, 2038, true },
	{ "arm_smmu_cmdq_issue_cmdlist: 3 callbacks suppressed", NULL, 0, 0, false },
	{ AT "oas 44-bit (features 0x01088705)", NULL, 0, 0, false },
	{ AT, NULL, 0, 0, false },
	{ "arm-smmu-v3 ", NULL, 0, 0, false },
	/* Not of an SMMU's. */
	{ "vfio-pci 0000:41:00.0: event: F_TRANSLATION client: 0000:41:00.0 sid: 0x1", NULL, 0, 0,
	  false },
	{ "", NULL, 0, 0, false },
};

static void test_line(void **state)
{
	const struct row *row = *state;

	assert_int_equal(dma_fault_hides(row->line), row->hidden);
	dma_fault_line(row->line);
	assert_int_equal(times_said("[DMA-FAULT]"), row->told != NULL);
	if (row->told)
		assert_said(row->told);
	assert_int_equal(dma_fault_count(2, 1), row->count);
	assert_int_equal(dma_fault_unnamed(), row->unnamed);
	assert_int_equal(dma_fault_count(5, 0), 0);
}

/* However many come, it is told of once a minute; the other VM's device is told of all the same. */
static void test_flood(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		dma_fault_line(FAULT);
	assert_int_equal(times_said("[DMA-FAULT]"), 1);
	dma_fault_line(AT "event: F_PERMISSION client: 0000:43:00.0 sid: 0x4300 ssid: 0x0 iova: 0");
	assert_said("0000:43:00.0: carry out DMA of web (1 fault): F_PERMISSION");
	now_s += 61;
	dma_fault_line(FAULT);
	assert_int_equal(times_said("[DMA-FAULT]"), 3);
	assert_said("(1000 faults)");
	assert_int_equal(dma_fault_count(2, 1), 1001);
	assert_int_equal(dma_fault_count(5, 0), 1);
}

static void test_queue_too_small(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		dma_fault_line(AT "EVTQ overflow detected -- events lost");
	assert_int_equal(times_said("[DMA-FAULT]"), 1);
	now_s += 61;
	dma_fault_line(AT "EVTQ overflow detected -- events lost");
	assert_said("(1000 times)");
	assert_int_equal(dma_fault_unnamed(), 0);
}

/* What the kernel suppresses adds up. */
static void test_unnamed(void **state)
{
	(void)state;
	dma_fault_line("arm_smmu_dump_event: 5 callbacks suppressed");
	dma_fault_line("arm_smmu_dump_event: 7 callbacks suppressed");
	assert_int_equal(dma_fault_unnamed(), 12);
	assert_string_equal(said, "");
}

/* Before there is a manifest, everything is shown that is no part of an event. */
static void test_no_manifest(void **state)
{
	(void)state;
	dma_fault_init(NULL);
	assert_false(dma_fault_hides(FAULT));
	dma_fault_line(FAULT);
	assert_string_equal(said, "");
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + 4] = {
		FIXTURE("a flood", test_flood, setup, NULL, NULL),
		FIXTURE("a queue too small", test_queue_too_small, setup, NULL, NULL),
		FIXTURE("unnamed ones", test_unnamed, setup, NULL, NULL),
		FIXTURE("no manifest", test_no_manifest, setup, NULL, NULL),
	};

	/* Not by the line: the kernel's words have what a result in XML may not. */
	static char names[ARRAY_SIZE(rows)][16];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		str_format(names[i], sizeof(names[i]), "line %zu", i);
		tests[i + 4] = FIXTURE(names[i], test_line, setup, NULL, &rows[i]);
	}
	return cmocka_run_group_tests_name("dma_fault", tests, NULL, NULL);
}
