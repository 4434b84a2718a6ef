/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's log knows what errata take away, so it comes before the registers. */
#include "smmu.h"

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

/* arm_smmu_device_iidr_probe(): errata 1209401, 2268618 and 2812531. */
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
		       "nesting";
	return NULL;
}

/* Both stages, and no erratum. */
static enum known can_stack(const struct smmu_fact *smmu, const char **why)
{
	*why = smmu->probed ? erratum(smmu) : NULL;
	if (*why)
		return KNOWN_NO;
	if (smmu->has_features) {
		*why = smmu->features & SMMU_FEAT_TRANS_S2 ?
			       "the kernel has turned nesting off, for an erratum of the SMMU" :
			       "the SMMU has no stage 2";
		return known(smmu->features & SMMU_FEAT_NESTING);
	}
	*why = smmu->probed ? "the SMMU does not have both stages" :
			      "the kernel's log of it is not recorded, nor was it probed";
	if (!smmu->probed)
		return KNOWN_UNKNOWN;
	return known((smmu->idr[0] & (IDR0_S1P | IDR0_S2P)) == (IDR0_S1P | IDR0_S2P));
}

/* The guest must not be able to reach around the CPUs' caches. */
static enum known is_coherent(const struct smmu_fact *smmu, const char **why)
{
	bool fwb = (smmu->probed && smmu->idr[3] & IDR3_FWB) ||
		   (smmu->has_features && smmu->features & SMMU_FEAT_S2FWB);

	*why = smmu->canwbs == KNOWN_UNKNOWN ?
		       "the SMMU has no S2FWB, and whether the ACPI IORT declares CANWBS is not "
		       "recorded" :
		       "the SMMU has no S2FWB and the ACPI IORT declares no CANWBS";
	return fwb ? KNOWN_YES : smmu->canwbs;
}

enum known smmu_can_nest(const struct smmu_fact *smmu, const char **why)
{
	enum known stack = can_stack(smmu, why);

	if (stack == KNOWN_YES)
		stack = is_coherent(smmu, why);
	if (stack == KNOWN_YES)
		*why = NULL;
	return stack;
}
