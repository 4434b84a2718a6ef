/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which devices of a machine a VM is offered, group by group. */
#include "unit.h"

#include "facts_text.h"
#include "record.h"
#include "symbols.h"

#define HEADER "# hvinit host record 1\n"

static struct facts facts;
static char text[65536];

static const char *fragment(const char *record)
{
	struct diag diag = { 0 };
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	assert_true(facts_read(record, strlen(record), &facts, &diag));
	record_kconfig(&facts, out);
	fclose(out);
	return text;
}

static void assert_has(const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in\n%s", part, text);
}

static unsigned count(const char *part)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, part)); at++)
		n++;
	return n;
}

static void test_nothing(void **state)
{
	(void)state;
	fragment(HEADER);
	assert_has("VM0_HOSTDEV0_BDF=\"\"\n# given: 0 of 16 slots; left out: 0\n");
}

static void test_given(void **state)
{
	(void)state;
	fragment(HEADER "device 0000:01:00.0 id=10de:2342 class=0x030200 smmu=s0 group=1\n"
			"device 0000:00:00.0 class=0x060000 smmu=s0 group=1\n"
			"device 0000:02:00.0 class=0x060400 bridge=yes smmu=s0 group=2\n"
			"device 0000:03:00.0 driver=nvme smmu=s1 group=3\n");
	assert_has("\n# 0000:01:00.0 (10de:2342, class 0x030200, s0, group 1)\n"
		   "VM0_HOSTDEV0_BDF=\"0000:01:00.0\"\n");
	assert_has("\nVM0_HOSTDEV1_BDF=\"0000:03:00.0\"\nVM0_HOSTDEV2_BDF=\"\"\n"
		   "# given: 2 of 16 slots; left out: 0\n");
	assert_int_equal(count("0000:00:00.0") + count("0000:02:00.0"), 0);
}

struct row {
	const char *words;
	const char *why;
};

static const struct row rows[] = {
	{ "group=1", "no SMMU stands before it" },
	{ "smmu=s0", "no SMMU stands before it" },
	{ "smmu=s0 group=1 direct=yes", "firmware wants it mapped one to one" },
	{ "smmu=s0 group=1 use=\"mounted at /boot\"", "the host uses it: mounted at /boot" },
	{ "smmu=s0 group=1 total=8 vfs=2", "its virtual functions are on" },
	{ "smmu=s0 group=1 pf=0000:09:00.0", "it is a virtual function, and not known which" },
};

static void test_left_out(void **state)
{
	const struct row *row = *state;
	char record[256];
	char want[256];

	str_format(record, sizeof(record), HEADER "device 0000:01:00.0 %s\n", row->words);
	fragment(record);
	str_format(want, sizeof(want), "): %s\n", row->why);
	assert_has("# left out: 0000:01:00.0 (");
	assert_has(want);
	assert_has("VM0_HOSTDEV0_BDF=\"\"\n# given: 0 of 16 slots; left out: 1\n");
}

/* The kernel gives nobody a part of a group. */
static void test_group(void **state)
{
	(void)state;
	fragment(HEADER "device 0000:01:00.0 smmu=s0 group=1\n"
			"device 0000:02:00.0 smmu=s0 group=2\n"
			"device 0000:03:00.0 smmu=s0 group=1 use=swap\n"
			"device 0000:04:00.0 smmu=s0 group=2\n");
	assert_has("left out: 0000:01:00.0 (0000:0000, class 0x000000, s0, group 1): "
		   "0000:03:00.0 of its IOMMU group cannot be given\n");
	assert_has("left out: 0000:03:00.0 (0000:0000, class 0x000000, s0, group 1): "
		   "the host uses it: swap\n");
	assert_has("VM0_HOSTDEV0_BDF=\"0000:02:00.0\"\n");
	assert_has("VM0_HOSTDEV1_BDF=\"0000:04:00.0\"\n");
	assert_has("given: 2 of 16 slots; left out: 2\n");
}

/* A virtual function goes by its physical one, which stays the host's. */
static void test_vf(void **state)
{
	(void)state;
	fragment(HEADER "device 0000:81:00.0 smmu=s0 group=1 total=8 vfs=2\n"
			"device 0000:82:10.2 smmu=s0 group=3 pf=0000:81:00.0 vf=1\n");
	assert_has("left out: 0000:81:00.0");
	assert_has("VM0_HOSTDEV0_BDF=\"0000:81:00.0\"\nVM0_HOSTDEV0_VF=\"1\"\n"
		   "VM0_HOSTDEV0_VFS=\"2\"\nVM0_HOSTDEV1_BDF=\"\"\n");
}

/* A group that does not fit is left out whole; a smaller one after it may fit. */
static void test_slots(void **state)
{
	char record[4096] = HEADER;
	size_t used = strlen(record);

	(void)state;
	for (unsigned i = 0; i < HV_HOSTDEV_SLOTS + 2; i++) {
		unsigned group = i < HV_HOSTDEV_SLOTS - 1 ? i : i < HV_HOSTDEV_SLOTS + 1 ? 90 : 91;

		used += (size_t)snprintf(record + used, sizeof(record) - used,
					 "device 0000:%02x:00.0 smmu=s0 group=%u\n", i, group);
	}
	fragment(record);
	assert_has("left out: 0000:0f:00.0 (0000:0000, class 0x000000, s0, group 90): "
		   "VM 0 has no slot left for its IOMMU group\n");
	assert_has("VM0_HOSTDEV15_BDF=\"0000:11:00.0\"\n"
		   "# given: 16 of 16 slots; left out: 2\n");
	assert_int_equal(count("_BDF="), HV_HOSTDEV_SLOTS);
}

static void test_smmus(void **state)
{
	char record[4096] = HEADER;
	size_t used = strlen(record);

	(void)state;
	for (unsigned i = 0; i < HV_VSMMU_SLOTS + 2; i++)
		used += (size_t)snprintf(record + used, sizeof(record) - used,
					 "device 0000:%02x:00.0 smmu=s%u group=%u\n", i,
					 i == HV_VSMMU_SLOTS + 1 ? 0 : i, i);
	fragment(record);
	assert_has("left out: 0000:08:00.0 (0000:0000, class 0x000000, s8, group 8): "
		   "VM 0 has no vSMMU left\n");
	assert_has("VM0_HOSTDEV8_BDF=\"0000:09:00.0\"\n");
}

int main(void)
{
	struct CMUnitTest tests[6 + ARRAY_SIZE(rows)] = {
		CASE("nothing", test_nothing, NULL),
		CASE("given", test_given, NULL),
		CASE("groups", test_group, NULL),
		CASE("a virtual function", test_vf, NULL),
		CASE("more devices than slots", test_slots, NULL),
		CASE("more SMMUs than vSMMUs", test_smmus, NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[6 + i] = CASE(rows[i].why, test_left_out, &rows[i]);
	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
