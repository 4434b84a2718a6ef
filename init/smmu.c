/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's log knows what errata take away, so it comes before the registers. */
#include "smmu.h"

#include <stdlib.h>

#include "util.h"

static enum known known(bool yes)
{
	return yes ? KNOWN_YES : KNOWN_NO;
}

static enum known has(const struct smmu_fact *smmu, unsigned idr, uint32_t bit, uint32_t feature)
{
	if (smmu->probed)
		return known(smmu->idr[idr] & bit);
	return smmu->has_features ? known(smmu->features & feature) : KNOWN_UNKNOWN;
}

enum known smmu_has_ats(const struct smmu_fact *smmu)
{
	return has(smmu, 0, IDR0_ATS, SMMU_FEAT_ATS);
}

enum known smmu_has_ril(const struct smmu_fact *smmu)
{
	return has(smmu, 3, IDR3_RIL, SMMU_FEAT_RANGE_INV);
}

int smmu_ssidsize(const struct smmu_fact *smmu)
{
	return smmu->probed ? (int)(smmu->idr[1] >> IDR1_SSIDSIZE_SHIFT & 0x1f) : -1;
}

unsigned smmu_oas(const struct smmu_fact *smmu)
{
	static const unsigned bits[IDR5_OAS_MASK + 1] = { 32, 36, 40, 42, 44, 48, 52, 52 };

	return smmu->probed ? bits[smmu->idr[5] & IDR5_OAS_MASK] : smmu->oas;
}

/*
 * arm_smmu_device_iidr_probe(): errata 1209401, 2268618 and 2812531. It forces CMD_SYNC
 * (ARM_SMMU_OPT_CMDQ_FORCE_SYNC) for the last one and for nothing else, and clears nesting with it;
 * either is enough for arm_smmu_get_viommu_size() to refuse.
 */
static const char *erratum(const struct smmu_fact *smmu)
{
	unsigned product = smmu->iidr >> IIDR_PRODUCT_SHIFT;
	unsigned variant = smmu->iidr >> IIDR_VARIANT_SHIFT & 0xf;
	unsigned revision = smmu->iidr >> IIDR_REVISION_SHIFT & 0xf;

	if ((smmu->iidr & IIDR_IMPLEMENTER_MASK) != IIDR_ARM)
		return NULL;
	if (product == IIDR_MMU_600 && variant < 2)
		return "it is an MMU-600 before r2, whose erratum 1209401 forbids nesting";
	if (product == IIDR_MMU_700 && (variant < 1 || revision < 1))
		return "it is an MMU-700 before r1p1, whose errata 2268618 and 2812531 forbid "
		       "nesting and force CMD_SYNC";
	return NULL;
}

uint32_t smmu_untold(const char *release)
{
	/* The first releases whose drivers have the bit. */
	static const struct {
		unsigned major;
		unsigned minor;
		uint32_t bit;
	} since[] = { { 6, 5, SMMU_FEAT_NESTING }, { 6, 13, SMMU_FEAT_S2FWB } };
	uint32_t untold = 0;
	unsigned long major;
	unsigned long minor;
	char *end;

	major = strtoul(release, &end, 10);
	if (end == release || *end != '.')
		return 0;
	minor = strtoul(end + 1, NULL, 10);
	for (size_t i = 0; i < ARRAY_SIZE(since); i++)
		if (major < since[i].major || (major == since[i].major && minor < since[i].minor))
			untold |= since[i].bit;
	return untold;
}

/* A bit of the kernel's log. One that is set counts, whatever the kernel. */
static enum known logged(const struct smmu_fact *smmu, uint32_t feature)
{
	if (!smmu->has_features || (smmu->untold & feature & ~smmu->features))
		return KNOWN_UNKNOWN;
	return known(smmu->features & feature);
}

/* arm_smmu_device_hw_probe(): both stages, or there is no nesting. */
static enum known has_both(const struct smmu_fact *smmu)
{
	uint32_t registers = IDR0_S1P | IDR0_S2P;
	uint32_t features = SMMU_FEAT_TRANS_S1 | SMMU_FEAT_TRANS_S2;

	if (smmu->probed)
		return known((smmu->idr[0] & registers) == registers);
	return smmu->has_features ? known((smmu->features & features) == features) : KNOWN_UNKNOWN;
}

static bool has_stage_2(const struct smmu_fact *smmu)
{
	return smmu->probed ? smmu->idr[0] & IDR0_S2P : smmu->features & SMMU_FEAT_TRANS_S2;
}

/* Both stages, and no erratum. */
static enum known can_stack(const struct smmu_fact *smmu, const char **why)
{
	enum known both = has_both(smmu);
	enum known nesting = logged(smmu, SMMU_FEAT_NESTING);

	*why = smmu->probed ? erratum(smmu) : NULL;
	if (*why)
		return KNOWN_NO;
	if (both == KNOWN_UNKNOWN) {
		*why = "its line of the kernel's log is not recorded: 'record --probe' asks it";
		return KNOWN_UNKNOWN;
	}
	if (both == KNOWN_NO) {
		*why = has_stage_2(smmu) ? "the SMMU has no stage 1, and nesting takes both" :
					   "the SMMU has no stage 2, and nesting takes both";
		return KNOWN_NO;
	}
	if (nesting == KNOWN_NO) {
		*why = "the kernel has turned nesting off for an erratum, as it does for an MMU-600 "
		       "before r2 and an MMU-700 before r1p1";
		return KNOWN_NO;
	}
	/* The registers of an SMMU without a known erratum are as good as the log. */
	if (nesting == KNOWN_UNKNOWN && !smmu->probed) {
		*why = "the recorded kernel is too old to tell of errata: hvinit's own does, or "
		       "'record --probe'";
		return KNOWN_UNKNOWN;
	}
	return KNOWN_YES;
}

/* iommufd_device_bind(): IOMMU_CAP_CACHE_COHERENCY, which is the firmware's word for the SMMU. */
static bool is_incoherent(const struct smmu_fact *smmu)
{
	return !smmu->probed && smmu->has_features && !(smmu->features & SMMU_FEAT_COHERENCY);
}

/* The guest must not be able to reach around the CPUs' caches. */
static enum known is_coherent(const struct smmu_fact *smmu, const char **why)
{
	enum known fwb = smmu->probed ? known(smmu->idr[3] & IDR3_FWB) :
					logged(smmu, SMMU_FEAT_S2FWB);

	if (logged(smmu, SMMU_FEAT_S2FWB) == KNOWN_YES)
		fwb = KNOWN_YES;
	if (fwb == KNOWN_YES || smmu->canwbs == KNOWN_YES)
		return KNOWN_YES;
	if (fwb == KNOWN_UNKNOWN) {
		*why = "the recorded kernel is too old to tell of S2FWB, and the ACPI IORT is not "
		       "known to declare CANWBS";
		return KNOWN_UNKNOWN;
	}
	*why = smmu->canwbs == KNOWN_UNKNOWN ?
		       "the SMMU has no S2FWB, and whether the ACPI IORT declares CANWBS is not "
		       "recorded" :
		       "the SMMU has no S2FWB and the ACPI IORT declares no CANWBS";
	return smmu->canwbs;
}

enum known smmu_can_nest(const struct smmu_fact *smmu, const char **why)
{
	enum known stack = can_stack(smmu, why);

	if (stack == KNOWN_YES && is_incoherent(smmu)) {
		*why = "firmware says that it does not snoop the CPUs' caches (COHACC), and iommufd "
		       "takes no device behind such a one";
		return KNOWN_NO;
	}
	if (stack == KNOWN_YES)
		stack = is_coherent(smmu, why);
	if (stack == KNOWN_YES)
		*why = NULL;
	return stack;
}

bool smmu_stream_fits(const struct smmu_fact *smmu)
{
	return (smmu->idr[0] >> IDR0_ST_LEVEL_SHIFT & 3) == SMMU_QEMU_ST_LEVEL &&
	       (smmu->idr[1] & IDR1_SIDSIZE_MASK) >= SMMU_QEMU_SIDSIZE;
}

bool smmu_tables_fit(const struct smmu_fact *smmu)
{
	uint32_t granules = IDR5_GRAN4K | IDR5_GRAN16K | IDR5_GRAN64K;

	return (smmu->idr[5] & granules) == granules &&
	       (smmu->idr[0] >> IDR0_TTF_SHIFT & 3) >= SMMU_QEMU_TTF &&
	       (smmu->idr[0] >> IDR0_TTENDIAN_SHIFT & 3) >= SMMU_QEMU_TTENDIAN;
}

/* What QEMU's model would miss; NULL: nothing that is known. */
static const char *misfit(const struct smmu_fact *smmu)
{
	if (smmu_oas(smmu) && smmu_oas(smmu) < SMMU_QEMU_OAS)
		return "its addresses have less than the 44 bits that QEMU's SMMU has at least";
	if (smmu->probed ? !smmu_stream_fits(smmu) :
			   logged(smmu, SMMU_FEAT_2_LVL_STRTAB) == KNOWN_NO)
		return "its stream table is not one of two levels and 16 bits, as QEMU's is";
	if (smmu->probed && !smmu_tables_fit(smmu))
		return "QEMU wants little-endian AArch64 tables with pages of 4, 16 and 64 KiB, all "
		       "of them";
	return NULL;
}

enum known smmu_can_accelerate(const struct smmu_fact *smmu, const char **why)
{
	enum known nest = smmu_can_nest(smmu, why);
	const char *what = nest == KNOWN_NO ? NULL : misfit(smmu);

	if (!what)
		return nest;
	*why = what;
	return KNOWN_NO;
}
