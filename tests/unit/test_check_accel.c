/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a machine can accelerate, said in words: by its kernel, and by the SMMUs that count. */
#include "unit.h"

#include "check.h"
#include "facts_text.h"
#include "manifest.h"

#define GOOD "canwbs=yes features=0x01088705 oas=44"
#define WITH_KVM "machine iommufd=yes kvm=yes hvinit=yes\n"
#define TWO                                                          \
	"device 0000:41:00.0 id=144d:a80a smmu=smmu3.0x01 group=1\n" \
	"device 0000:81:00.0 id=144d:a80a smmu=smmu3.0x02 group=2\n"

static struct config config;
static struct facts facts;
static struct check_set set;
static struct diag diag;

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	memset(&diag, 0, sizeof(diag));
	return 0;
}

/* A VM with the device that is behind smmu3.0x01. */
static void give_first(void)
{
	str_copy(config.vm[0].name, sizeof(config.vm[0].name), "demo");
	str_copy(config.vm[0].hostdev[0].bdf, sizeof(config.vm[0].hostdev[0].bdf), "0000:41:00.0");
}

static struct check_accel ask(const char *lines)
{
	struct check_accel accel;
	char text[2048];

	str_format(text, sizeof(text), "# hvinit host record 1\n%s", lines);
	assert_true(facts_read(text, strlen(text), &facts, &diag));
	set = (struct check_set){ .config = &config, .facts = &facts, .machine = true, .root = -1 };
	check_plan(&set);
	check_accel(&set, &accel);
	return accel;
}

struct row {
	const char *title;
	const char *lines;
	enum known possible;
	const char *why; /* part of it; "" when there is none */
};

static const struct row rows[] = {
	{ "possible", WITH_KVM "smmu smmu3.0x01 " GOOD "\nsmmu smmu3.0x02 " GOOD "\n" TWO,
	  KNOWN_YES, "" },
	{ "another SMMU that cannot does not count",
	  WITH_KVM "smmu smmu3.0x01 " GOOD
		   "\nsmmu smmu3.0x02 canwbs=no features=0x01088705 oas=44\n" TWO,
	  KNOWN_YES, "" },
	{ "the SMMU of the VM's device cannot",
	  WITH_KVM "smmu smmu3.0x01 canwbs=no features=0x01088705 oas=44\nsmmu smmu3.0x02 " GOOD
		   "\n" TWO,
	  KNOWN_NO, "smmu3.0x01: the SMMU has no S2FWB" },
	{ "it is not recorded", WITH_KVM "smmu smmu3.0x01\nsmmu smmu3.0x02 " GOOD "\n" TWO,
	  KNOWN_UNKNOWN, "smmu3.0x01: its line of the kernel's log is not recorded" },
	{ "no KVM",
	  "machine iommufd=yes kvm=no hvinit=yes\nsmmu smmu3.0x01 " GOOD "\nsmmu smmu3.0x02 " GOOD
	  "\n" TWO,
	  KNOWN_NO, "/dev/kvm" },
	{ "no iommufd",
	  "machine iommufd=no kvm=yes hvinit=yes\nsmmu smmu3.0x01 " GOOD "\nsmmu smmu3.0x02 " GOOD
	  "\n" TWO,
	  KNOWN_NO, "/dev/iommu" },
	{ "no iommufd in another system, whose kernel does not count",
	  "machine iommufd=no kvm=yes hvinit=no\nsmmu smmu3.0x01 " GOOD "\nsmmu smmu3.0x02 " GOOD
	  "\n" TWO,
	  KNOWN_YES, "" },
	{ "a kernel without a symbol",
	  WITH_KVM "kernel release=7.3.4 ARM_SMMU_V3_IOMMUFD=n\nsmmu smmu3.0x01 " GOOD
		   "\nsmmu smmu3.0x02 " GOOD "\n" TWO,
	  KNOWN_NO, "CONFIG_ARM_SMMU_V3_IOMMUFD" },
	{ "an SMMUv2",
	  WITH_KVM "smmu arm-smmu.0\n"
		   "device 0000:41:00.0 id=144d:a80a smmu=arm-smmu.0 group=1\n",
	  KNOWN_NO, "arm-smmu.0: it is no SMMUv3" },
	{ "no SMMU", WITH_KVM "device 0000:41:00.0 id=144d:a80a\n", KNOWN_NO, "no SMMU is before" },
	{ "SMMUs of which the record says nothing", WITH_KVM TWO, KNOWN_UNKNOWN,
	  "no SMMU is recorded" },
	{ "a kernel that is too old to tell",
	  "machine iommufd=no kvm=yes hvinit=no\nkernel release=6.8.0-31-generic\n"
	  "smmu smmu3.0x01 canwbs=no features=0x00088705 oas=48\n" TWO,
	  KNOWN_UNKNOWN, "too old to tell of S2FWB" },
};

static void test_machine(void **state)
{
	const struct row *row = *state;
	struct check_accel accel;

	give_first();
	accel = ask(row->lines);
	assert_int_equal(accel.possible, row->possible);
	if (!row->why[0])
		assert_string_equal(accel.why, "");
	else if (!strstr(accel.why, row->why))
		fail_msg("\"%s\"", accel.why);
}

/* Before there is a VM, one SMMU that can is enough. */
static void test_no_vm(void **state)
{
	struct check_accel accel;

	(void)state;
	accel = ask(WITH_KVM "smmu smmu3.0x01\nsmmu smmu3.0x02 " GOOD "\n" TWO);
	assert_int_equal(accel.possible, KNOWN_YES);
	accel = ask(WITH_KVM "smmu smmu3.0x01\n"
			     "smmu smmu3.0x02 canwbs=no features=0x01088705 oas=44\n" TWO);
	assert_int_equal(accel.possible, KNOWN_UNKNOWN);
	accel = ask(WITH_KVM "smmu smmu3.0x02 canwbs=no features=0x01088705 oas=44\n" TWO);
	assert_int_equal(accel.possible, KNOWN_NO);
}

static void test_no_machine(void **state)
{
	struct check_accel accel;

	(void)state;
	set = (struct check_set){ .config = &config, .facts = &facts, .root = -1 };
	check_accel(&set, &accel);
	assert_int_equal(accel.possible, KNOWN_UNKNOWN);
	assert_string_equal(accel.why, "the machine was not looked at");
}

static void test_used(void **state)
{
	(void)state;
	give_first();
	ask(WITH_KVM "smmu smmu3.0x01 " GOOD "\nsmmu smmu3.0x02 " GOOD "\n" TWO);
	assert_true(check_accel_used(&set, facts_smmu(&facts, "smmu3.0x01")));
	assert_false(check_accel_used(&set, facts_smmu(&facts, "smmu3.0x02")));
	for (unsigned i = 0; i < HV_VSMMU_SLOTS; i++)
		config.vm[0].vsmmu[i].accel = false;
	check_plan(&set);
	assert_false(check_accel_used(&set, facts_smmu(&facts, "smmu3.0x01")));
}

int main(void)
{
	enum { SINGLE = 3 };
	struct CMUnitTest tests[SINGLE + ARRAY_SIZE(rows)] = {
		FIXTURE("no VM yet", test_no_vm, setup, NULL, NULL),
		FIXTURE("no machine", test_no_machine, setup, NULL, NULL),
		FIXTURE("which SMMUs are used", test_used, setup, NULL, NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[SINGLE + i] = FIXTURE(rows[i].title, test_machine, setup, NULL, &rows[i]);
	return cmocka_run_group_tests_name("check_accel", tests, NULL, NULL);
}
