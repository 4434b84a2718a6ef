/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the machine can do what hvinit is for, in words. The rules about one VM's vSMMUs are in
 * check_smmu.c; here is what can be said before there is a VM.
 */
#include "check.h"

#include "check_private.h"
#include "smmu.h"
#include "util.h"

static void say(struct check_accel *accel, enum known possible, const char *why)
{
	accel->possible = possible;
	str_copy(accel->why, sizeof(accel->why), why);
}

bool check_accel_used(const struct check_set *set, const struct smmu_fact *smmu)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		const struct plan *plan = &set->plan[slot];

		for (unsigned i = 0; i < plan->vsmmus; i++)
			if (plan->vsmmu[i].devices && plan->vsmmu[i].config->accel &&
			    strcmp(plan->vsmmu[i].smmu, smmu->name) == 0)
				return true;
	}
	return false;
}

void check_accel_smmu(const struct smmu_fact *smmu, struct check_accel *accel)
{
	const char *why = NULL;
	enum known possible;

	if (!str_prefix(smmu->name, "smmu3.")) {
		say(accel, KNOWN_NO, "it is no SMMUv3");
		return;
	}
	possible = smmu_can_accelerate(smmu, &why);
	say(accel, possible, why ? why : "");
}

/* What of the kernel is missing; QEMU and iommufd ask for it, whatever the SMMU. */
static const char *lack(const struct check_set *set)
{
	static const struct {
		enum kernel_symbol symbol;
		const char *why;
	} needed[] = {
		{ KERNEL_IOMMUFD, "the kernel is without CONFIG_IOMMUFD" },
		{ KERNEL_VFIO_DEVICE_CDEV, "the kernel is without CONFIG_VFIO_DEVICE_CDEV" },
		{ KERNEL_ARM_SMMU_V3, "the kernel is without CONFIG_ARM_SMMU_V3" },
		{ KERNEL_ARM_SMMU_V3_IOMMUFD, "the kernel is without CONFIG_ARM_SMMU_V3_IOMMUFD" },
	};

	/* QEMU: "SMMUv3 accel=on requires KVM with kernel-irqchip=on support" */
	if (!set->facts->kvm)
		return "there is no /dev/kvm, and QEMU accelerates under KVM only";
	if (check_is_foreign(set))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (set->facts->symbol[needed[i].symbol] == KERNEL_NO)
			return needed[i].why;
	return set->facts->iommufd ? NULL : "there is no /dev/iommu: the kernel has no iommufd";
}

/* Of the SMMUs that count, the first one that is so: by enum known; NULL: none is. */
struct tally {
	const struct smmu_fact *first[KNOWN_YES + 1];
};

/* Whether any SMMU counts. */
static bool count(const struct check_set *set, bool used, struct tally *tally)
{
	bool any = false;

	for (unsigned i = 0; i < set->facts->smmus; i++) {
		const struct smmu_fact *smmu = &set->facts->smmu[i];
		struct check_accel accel;

		if (used && !check_accel_used(set, smmu))
			continue;
		any = true;
		check_accel_smmu(smmu, &accel);
		if (!tally->first[accel.possible])
			tally->first[accel.possible] = smmu;
	}
	return any;
}

/* One that is so stands for all of them; each has a line of its own. */
static void tell(const struct smmu_fact *smmu, struct check_accel *accel)
{
	struct check_accel one;

	check_accel_smmu(smmu, &one);
	accel->possible = one.possible;
	str_format(accel->why, sizeof(accel->why), "%s: %s", smmu->name, one.why);
}

static bool any_smmu(const struct facts *facts)
{
	bool any = false;

	for (unsigned i = 0; i < facts->count; i++)
		any |= facts->device[i].smmu[0] != '\0';
	return any;
}

/* One that cannot stops the VM that needs it; where none is needed yet, one that can will do. */
static void sum_up(const struct tally *tally, bool used, struct check_accel *accel)
{
	const struct smmu_fact *no = tally->first[KNOWN_NO];
	const struct smmu_fact *unknown = tally->first[KNOWN_UNKNOWN];
	bool yes = tally->first[KNOWN_YES];

	if (no && (used || (!yes && !unknown)))
		tell(no, accel);
	else if (unknown && (used || !yes))
		tell(unknown, accel);
	else
		say(accel, KNOWN_YES, "");
}

void check_accel(const struct check_set *set, struct check_accel *accel)
{
	struct tally tally = { 0 };
	const char *what;

	if (!set->machine) {
		say(accel, KNOWN_UNKNOWN, "the machine was not looked at");
		return;
	}
	what = lack(set);
	if (what)
		say(accel, KNOWN_NO, what);
	else if (count(set, true, &tally))
		sum_up(&tally, true, accel);
	else if (count(set, false, &tally))
		sum_up(&tally, false, accel);
	else if (any_smmu(set->facts))
		say(accel, KNOWN_UNKNOWN, "no SMMU is recorded, but devices are behind some");
	else
		say(accel, KNOWN_NO,
		    "no SMMU is before any device: firmware has turned it off, or does not tell of "
		    "it");
}
