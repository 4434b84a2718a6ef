/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a physical SMMU can do, from its registers (Arm SMMUv3 architecture, IHI 0070, sections
 * 6.3.1 to 6.3.7; IOMMU_GET_HW_INFO hands them over) or, where those were not asked for, from the
 * features that the kernel's log tells of. KNOWN_UNKNOWN where neither is recorded.
 */
#ifndef HVINIT_SMMU_H
#define HVINIT_SMMU_H

#include "facts.h"

/* Fields of SMMU_IDR0, 6.3.1. */
enum {
	IDR0_ATS = 1U << 10,
	IDR0_S1P = 1U << 1,
	IDR0_S2P = 1U << 0,
	IDR0_TTF_SHIFT = 2, /* 2 bits; 2: AArch64, 3: AArch64 and AArch32 */
	IDR0_TTENDIAN_SHIFT = 21, /* 2 bits; 0: mixed, 2: little, 3: big */
	IDR0_ST_LEVEL_SHIFT = 27, /* 2 bits; 1: two levels */
};

/* SMMU_IDR1, 6.3.2. */
enum {
	IDR1_SIDSIZE_MASK = 0x3f,
	IDR1_SSIDSIZE_SHIFT = 6, /* 5 bits */
};

/* SMMU_IDR3, 6.3.4. */
enum { IDR3_FWB = 1U << 8, IDR3_RIL = 1U << 10 };

/* SMMU_IDR5, 6.3.6. */
enum {
	IDR5_OAS_MASK = 0x7, /* 0 … 6: 32, 36, 40, 42, 44, 48, 52 bits */
	IDR5_GRAN4K = 1U << 4,
	IDR5_GRAN16K = 1U << 5,
	IDR5_GRAN64K = 1U << 6,
};

/* SMMU_IIDR, 6.3.7, and what Arm puts there. */
enum {
	IIDR_IMPLEMENTER_MASK = 0xfff,
	IIDR_REVISION_SHIFT = 12, /* 4 bits */
	IIDR_VARIANT_SHIFT = 16, /* 4 bits */
	IIDR_PRODUCT_SHIFT = 20,
	IIDR_ARM = 0x43b,
	IIDR_MMU_600 = 0x483,
	IIDR_MMU_700 = 0x487,
};

/* Bits of smmu_fact's features (drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.h, the same in 6.x). */
enum {
	SMMU_FEAT_2_LVL_STRTAB = 1U << 0,
	SMMU_FEAT_ATS = 1U << 5,
	SMMU_FEAT_COHERENCY = 1U << 8,
	SMMU_FEAT_TRANS_S1 = 1U << 9,
	SMMU_FEAT_TRANS_S2 = 1U << 10,
	SMMU_FEAT_RANGE_INV = 1U << 15,
	SMMU_FEAT_NESTING = 1U << 19,
	SMMU_FEAT_S2FWB = 1U << 23,
};

/* What QEMU 11.1's SMMU has and expects of the physical one (hw/arm/smmuv3-accel.c). */
enum {
	SMMU_QEMU_SIDSIZE = 16,
	SMMU_QEMU_ST_LEVEL = 1,
	SMMU_QEMU_TTF = 2,
	SMMU_QEMU_TTENDIAN = 2,
	SMMU_QEMU_OAS = 44, /* at least */
};

enum known smmu_has_ats(const struct smmu_fact *smmu);
enum known smmu_has_ril(const struct smmu_fact *smmu);

/* Bits of a substream ID, of an output address; -1 and 0 when unknown. */
int smmu_ssidsize(const struct smmu_fact *smmu);
unsigned smmu_oas(const struct smmu_fact *smmu);

/*
 * Bits of a smmu_fact's features that a kernel of that release ("6.8.0-31-generic") would not set,
 * whatever the SMMU has. Of a release that cannot be read: none.
 */
uint32_t smmu_untold(const char *release);

/*
 * Whether the kernel can put a guest's translation on top of its own (arm_smmu_get_viommu_size()
 * of Linux 7.3). *why says what is missing, or what is not known; NULL for KNOWN_YES.
 */
enum known smmu_can_nest(const struct smmu_fact *smmu, const char **why);

/*
 * Of a probed one: whether its stream table is as QEMU's SMMU wants it, and whether its translation
 * tables are.
 */
bool smmu_stream_fits(const struct smmu_fact *smmu);
bool smmu_tables_fit(const struct smmu_fact *smmu);

/*
 * Whether a guest can have an accelerated vSMMU for it: what the kernel asks for, and then what QEMU
 * 11.1's model does (smmuv3_accel_check_hw_compatible(); by the kernel's log alone, not all of it).
 * *why as above.
 */
enum known smmu_can_accelerate(const struct smmu_fact *smmu, const char **why);

#endif
