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
	{ "nothing known", { .canwbs = KNOWN_YES }, KNOWN_UNKNOWN, "nor was it probed" },
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
	  "both stages" },
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
	  "2812531" },
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
	struct CMUnitTest tests[3 + ARRAY_SIZE(nests)] = {
		CASE("features by registers", test_registers, NULL),
		CASE("features by the kernel's log", test_log, NULL),
		CASE("features of an unknown one", test_nothing, NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(nests); i++)
		tests[3 + i] = CASE(nests[i].title, test_nest, &nests[i]);
	return cmocka_run_group_tests_name("smmu", tests, NULL, NULL);
}
