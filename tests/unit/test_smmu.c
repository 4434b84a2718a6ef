/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an SMMU can do, by its registers, by the kernel's log, by both, and by neither. */
#include "unit.h"

#include "smmu.h"

/* QEMU's, which the lab has: both stages, RIL, 44 bits, neither ATS nor FWB. */
#define QEMU_IDR                                                     \
	{                                                            \
		0x0d44101b, 0x00000010, 0, 0x00001414, 0, 0x00000074 \
	}

struct nest {
	const char *title;
	struct smmu_fact smmu;
	enum known known;
	const char *why; /* part of it */
};

static const struct nest nests[] = {
	{ "nothing known", { .canwbs = KNOWN_YES }, KNOWN_UNKNOWN, "'record --probe'" },
	{ "the lab's first level",
	  { .canwbs = KNOWN_YES, .has_features = true, .features = 0x01088705 },
	  KNOWN_YES,
	  NULL },
	{ "the same without CANWBS",
	  { .canwbs = KNOWN_NO, .has_features = true, .features = 0x01088705 },
	  KNOWN_NO,
	  "no CANWBS" },
	{ "whether CANWBS is there is unknown",
	  { .has_features = true, .features = 0x01088705 },
	  KNOWN_UNKNOWN,
	  "is not recorded" },
	{ "S2FWB instead of CANWBS",
	  { .canwbs = KNOWN_NO, .has_features = true, .features = 0x01888705 },
	  KNOWN_YES,
	  NULL },
	{ "the lab's second level",
	  { .canwbs = KNOWN_YES, .has_features = true, .features = 0x01008305 },
	  KNOWN_NO,
	  "no stage 2" },
	{ "an erratum that the kernel knows",
	  { .canwbs = KNOWN_YES, .has_features = true, .features = 0x01008705 },
	  KNOWN_NO,
	  "turned nesting off" },
	{ "registers alone",
	  { .canwbs = KNOWN_YES, .probed = true, .idr = QEMU_IDR },
	  KNOWN_YES,
	  NULL },
	{ "registers without stage 2",
	  { .canwbs = KNOWN_YES, .probed = true, .idr = { 0x0d44101a } },
	  KNOWN_NO,
	  "no stage 2" },
	{ "registers without stage 1",
	  { .canwbs = KNOWN_YES, .probed = true, .idr = { 0x0d441019 } },
	  KNOWN_NO,
	  "no stage 1" },
	{ "the log without stage 1",
	  { .canwbs = KNOWN_YES, .has_features = true, .features = 0x01008505 },
	  KNOWN_NO,
	  "no stage 1" },
	{ "firmware that does not call it coherent",
	  { .canwbs = KNOWN_YES, .has_features = true, .features = 0x01088605 },
	  KNOWN_NO,
	  "COHACC" },
	{ "a kernel that knows of no nesting",
	  { .canwbs = KNOWN_YES,
	    .has_features = true,
	    .features = 0x00001fff,
	    .untold = SMMU_FEAT_NESTING | SMMU_FEAT_S2FWB },
	  KNOWN_UNKNOWN,
	  "too old to tell of errata" },
	{ "such a kernel, with registers",
	  { .canwbs = KNOWN_YES,
	    .has_features = true,
	    .features = 0x00001fff,
	    .untold = SMMU_FEAT_NESTING | SMMU_FEAT_S2FWB,
	    .probed = true,
	    .idr = QEMU_IDR },
	  KNOWN_YES,
	  NULL },
	{ "a kernel that knows of no S2FWB",
	  { .canwbs = KNOWN_NO,
	    .has_features = true,
	    .features = 0x01088705,
	    .untold = SMMU_FEAT_S2FWB },
	  KNOWN_UNKNOWN,
	  "too old to tell of S2FWB" },
	{ "the same where CANWBS is declared",
	  { .canwbs = KNOWN_YES,
	    .has_features = true,
	    .features = 0x01088705,
	    .untold = SMMU_FEAT_S2FWB },
	  KNOWN_YES,
	  NULL },
	{ "registers with FWB",
	  { .canwbs = KNOWN_NO, .probed = true, .idr = { 3, 0, 0, IDR3_FWB } },
	  KNOWN_YES,
	  NULL },
	{ "an MMU-600 r1",
	  { .canwbs = KNOWN_YES, .probed = true, .idr = QEMU_IDR, .iidr = 0x4831043b },
	  KNOWN_NO,
	  "1209401" },
	{ "an MMU-600 r2",
	  { .canwbs = KNOWN_YES, .probed = true, .idr = QEMU_IDR, .iidr = 0x4832043b },
	  KNOWN_YES,
	  NULL },
	{ "an MMU-700 r0p1",
	  { .canwbs = KNOWN_YES, .probed = true, .idr = QEMU_IDR, .iidr = 0x4870143b },
	  KNOWN_NO,
	  "force CMD_SYNC" },
	{ "an MMU-700 r1p0",
	  { .canwbs = KNOWN_YES, .probed = true, .idr = QEMU_IDR, .iidr = 0x4871043b },
	  KNOWN_NO,
	  "2812531" },
	{ "an MMU-700 r1p1",
	  { .canwbs = KNOWN_YES, .probed = true, .idr = QEMU_IDR, .iidr = 0x4871143b },
	  KNOWN_YES,
	  NULL },
	{ "the same number of another maker",
	  { .canwbs = KNOWN_YES, .probed = true, .idr = QEMU_IDR, .iidr = 0x4831036b },
	  KNOWN_YES,
	  NULL },
};

static void test_nest(void **state)
{
	const struct nest *nest = *state;
	const char *why = "";

	assert_int_equal(smmu_can_nest(&nest->smmu, &why), nest->known);
	if (!nest->why)
		assert_null(why);
	else if (!strstr(why, nest->why))
		fail_msg("\"%s\"", why);
}

/* QEMU's, with FWB and 16 bits of stream IDs: in order. */
#define GOOD_IDR                                                     \
	{                                                            \
		0x0d44101b, 0x00000010, 0, 0x00001514, 0, 0x00000075 \
	}

static const struct nest accelerations[] = {
	{ "registers in order", { .probed = true, .idr = GOOD_IDR }, KNOWN_YES, NULL },
	{ "a log in order",
	  { .canwbs = KNOWN_YES, .has_features = true, .features = 0x01088705, .oas = 44 },
	  KNOWN_YES,
	  NULL },
	{ "the kernel's rules count, too",
	  { .probed = true, .idr = QEMU_IDR },
	  KNOWN_UNKNOWN,
	  "S2FWB" },
	{ "nothing recorded", { .canwbs = KNOWN_YES }, KNOWN_UNKNOWN, "'record --probe'" },
	{ "40 bits of addresses",
	  { .canwbs = KNOWN_YES, .has_features = true, .features = 0x01088705, .oas = 40 },
	  KNOWN_NO,
	  "44 bits" },
	{ "40 bits in the registers",
	  { .probed = true, .idr = { 0x0d44101b, 0x10, 0, 0x1514, 0, 0x72 } },
	  KNOWN_NO,
	  "44 bits" },
	{ "a stream table of one level",
	  { .probed = true, .idr = { 0x0544101b, 0x10, 0, 0x1514, 0, 0x75 } },
	  KNOWN_NO,
	  "stream table" },
	{ "a stream table of one level in the log",
	  { .canwbs = KNOWN_YES, .has_features = true, .features = 0x01088704, .oas = 44 },
	  KNOWN_NO,
	  "stream table" },
	{ "eight bits of stream IDs",
	  { .probed = true, .idr = { 0x0d44101b, 0x08, 0, 0x1514, 0, 0x75 } },
	  KNOWN_NO,
	  "stream table" },
	{ "no pages of 16 KiB",
	  { .probed = true, .idr = { 0x0d44101b, 0x10, 0, 0x1514, 0, 0x55 } },
	  KNOWN_NO,
	  "64 KiB" },
	{ "what is known to be wrong comes before what is not known",
	  { .has_features = true, .features = 0x01088705, .oas = 40 },
	  KNOWN_NO,
	  "44 bits" },
};

static void test_accelerate(void **state)
{
	const struct nest *row = *state;
	const char *why = "";

	assert_int_equal(smmu_can_accelerate(&row->smmu, &why), row->known);
	if (!row->why)
		assert_null(why);
	else if (!strstr(why, row->why))
		fail_msg("\"%s\"", why);
}

static void test_untold(void **state)
{
	(void)state;
	assert_int_equal(smmu_untold("5.14.0-503.el9.aarch64"),
			 SMMU_FEAT_NESTING | SMMU_FEAT_S2FWB);
	assert_int_equal(smmu_untold("6.4.16"), SMMU_FEAT_NESTING | SMMU_FEAT_S2FWB);
	assert_int_equal(smmu_untold("6.5.0"), SMMU_FEAT_S2FWB);
	assert_int_equal(smmu_untold("6.12.9+deb13-arm64"), SMMU_FEAT_S2FWB);
	assert_int_equal(smmu_untold("6.13.0-rc1"), 0);
	assert_int_equal(smmu_untold("7.3.4"), 0);
	assert_int_equal(smmu_untold(""), 0);
	assert_int_equal(smmu_untold("linux"), 0);
}

static void test_registers(void **state)
{
	struct smmu_fact smmu = { .probed = true, .idr = QEMU_IDR };

	(void)state;
	assert_int_equal(smmu_has_ats(&smmu), KNOWN_NO);
	assert_int_equal(smmu_has_ril(&smmu), KNOWN_YES);
	assert_int_equal(smmu_ssidsize(&smmu), 0);
	assert_int_equal(smmu_oas(&smmu), 44);
	smmu.idr[0] |= IDR0_ATS;
	smmu.idr[1] = 20U << IDR1_SSIDSIZE_SHIFT | 32;
	smmu.idr[5] = 6;
	assert_int_equal(smmu_has_ats(&smmu), KNOWN_YES);
	assert_int_equal(smmu_ssidsize(&smmu), 20);
	assert_int_equal(smmu_oas(&smmu), 52);
}

static void test_log(void **state)
{
	struct smmu_fact smmu = { .has_features = true, .oas = 48 };

	(void)state;
	assert_int_equal(smmu_has_ats(&smmu), KNOWN_NO);
	assert_int_equal(smmu_has_ril(&smmu), KNOWN_NO);
	assert_int_equal(smmu_oas(&smmu), 48);
	assert_int_equal(smmu_ssidsize(&smmu), -1);
	smmu.features = SMMU_FEAT_ATS | SMMU_FEAT_RANGE_INV;
	assert_int_equal(smmu_has_ats(&smmu), KNOWN_YES);
	assert_int_equal(smmu_has_ril(&smmu), KNOWN_YES);
}

static void test_nothing(void **state)
{
	struct smmu_fact smmu = { 0 };

	(void)state;
	assert_int_equal(smmu_has_ats(&smmu), KNOWN_UNKNOWN);
	assert_int_equal(smmu_has_ril(&smmu), KNOWN_UNKNOWN);
	assert_int_equal(smmu_oas(&smmu), 0);
	assert_int_equal(smmu_ssidsize(&smmu), -1);
}

int main(void)
{
	enum { SINGLE = 4 };
	struct CMUnitTest tests[SINGLE + ARRAY_SIZE(nests) + ARRAY_SIZE(accelerations)] = {
		CASE("features by registers", test_registers, NULL),
		CASE("features by the kernel's log", test_log, NULL),
		CASE("features of an unknown one", test_nothing, NULL),
		CASE("what a kernel is too old to tell of", test_untold, NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(nests); i++)
		tests[SINGLE + i] = CASE(nests[i].title, test_nest, &nests[i]);
	for (size_t i = 0; i < ARRAY_SIZE(accelerations); i++)
		tests[SINGLE + ARRAY_SIZE(nests) + i] =
			CASE(accelerations[i].title, test_accelerate, &accelerations[i]);
	return cmocka_run_group_tests_name("smmu", tests, NULL, NULL);
}
