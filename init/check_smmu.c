/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vSMMUs: what they ask for against what the physical SMMUs have. */
#include "check_private.h"

#include <inttypes.h>

#include "manifest.h"
#include "smmu.h"
#include "util.h"

#define VSMMU(c, i, last) SYMBOL(c, "VSMMU%u_" last, i)

/* What QEMU 11.1 calls the device (hw/arm/smmuv3.c); init/kconfig/vm.in has it as the default. */
#define QEMU_SMMU "arm-smmuv3"

/* --- by the manifest alone --- */

static void check_driver(const struct check *c)
{
	if (c->plan->vsmmus && strcmp(c->vm->smmu_driver, QEMU_SMMU) != 0)
		check_fail(c, DIAG_SMMU_DRIVER, SYMBOL(c, "SMMU_DRIVER"),
			   "make a vSMMU of %s: QEMU has " QEMU_SMMU " only", c->vm->smmu_driver);
}

static void accel_only(const struct check *c, unsigned i, bool asked, const char *last,
		       const char *what)
{
	if (asked)
		check_fail(c, DIAG_SMMU_ACCEL_ONLY, SYMBOL(c, "VSMMU%u_%s", i, last),
			   "%s: vSMMU %u is not accelerated", what, i);
}

static void check_plain(const struct check *c, unsigned i)
{
	const struct vsmmu_config *v = c->plan->vsmmu[i].config;

	accel_only(c, i, v->ats == VSMMU_ATS_ON, "ATS", "turn it on");
	accel_only(c, i, v->ril == VSMMU_RIL_OFF, "RIL", "turn it off");
	accel_only(c, i, v->ssidsize > 0, "SSIDSIZE", "have substreams");
	accel_only(c, i, v->oas == VSMMU_OAS_48, "OAS", "have 48 bits");
	accel_only(c, i, v->cmdqv == VSMMU_CMDQV_ON, "CMDQV", "turn it on");
	for (unsigned n = 0; n < c->plan->devices; n++)
		if (c->plan->device[n].vsmmu == (int)i)
			check_fail(c, DIAG_SMMU_PLAIN,
				   SYMBOL(c, "HOSTDEV%u_VSMMU", c->plan->device[n].slot),
				   "put %s behind vSMMU %u: QEMU emulates that one, and cannot "
				   "translate for a device of the host",
				   c->plan->device[n].config->bdf, i);
}

static bool is_used(const struct plan_vsmmu *v)
{
	return v->devices || v->ports || plan_is_set(v->config);
}

/* Whether QEMU would miss a device behind it. */
static bool is_lonely(const struct plan_vsmmu *v)
{
	return v->config->accel && !v->devices && plan_has_auto(v->config);
}

/* An empty vSMMU that only fills a gap is told of once for the gap, by what stands above it. */
static bool is_meant(const struct check *c, unsigned i)
{
	const struct plan_vsmmu *v = &c->plan->vsmmu[i];

	return is_used(v) || (i + 1 < c->plan->vsmmus && is_used(v + 1) && !is_lonely(v + 1));
}

static void check_empty(const struct check *c, unsigned i)
{
	const struct vsmmu_config *v = c->plan->vsmmu[i].config;

	if (v->cmdqv == VSMMU_CMDQV_ON)
		check_fail(c, DIAG_SMMU_AUTO, VSMMU(c, i, "CMDQV"),
			   "turn it on: vSMMU %u has no device that QEMU could learn it from", i);
	else if (is_lonely(&c->plan->vsmmu[i]) && is_meant(c, i))
		check_fail(c, DIAG_SMMU_AUTO, VSMMU(c, i, "ACCEL"),
			   "vSMMU %u has no device that QEMU could learn its features from", i);
}

/* Devices that a person put behind one vSMMU must share a physical one. */
static void check_split(const struct check *c, const struct plan_device *d)
{
	const char *smmu = plan_smmu(d);
	const struct plan_vsmmu *v;

	if (d->vsmmu < 0 || !smmu || !smmu[0])
		return;
	v = &c->plan->vsmmu[d->vsmmu];
	if (v->config->accel && strcmp(v->smmu, smmu) != 0)
		check_fail(c, DIAG_SMMU_SPLIT, SYMBOL(c, "HOSTDEV%u_VSMMU", d->slot),
			   "put %s behind vSMMU %d: it is behind %s, the vSMMU stands for %s",
			   d->bdf[0] ? d->bdf : d->config->bdf, d->vsmmu, smmu, v->smmu);
}

/* --- against the physical SMMU --- */

/* A value that was set by hand, where the machine's is not recorded. */
static void unknown(const struct check *c, unsigned i, const char *last)
{
	check_fail(c, DIAG_SMMU_UNKNOWN, SYMBOL(c, "VSMMU%u_%s", i, last),
		   "whether %s has it cannot be known until it is probed", c->plan->vsmmu[i].smmu);
}

static void check_ats(const struct check *c, unsigned i, const struct smmu_fact *smmu)
{
	if (c->plan->vsmmu[i].config->ats != VSMMU_ATS_ON)
		return;
	if (smmu_has_ats(smmu) == KNOWN_NO)
		check_fail(c, DIAG_SMMU_ATS, VSMMU(c, i, "ATS"), "turn it on: %s has none",
			   smmu->name);
	else if (smmu_has_ats(smmu) == KNOWN_UNKNOWN)
		unknown(c, i, "ATS");
}

static void check_ril(const struct check *c, unsigned i, const struct smmu_fact *smmu)
{
	if (c->plan->vsmmu[i].config->ril != VSMMU_RIL_ON)
		return;
	if (smmu_has_ril(smmu) == KNOWN_NO)
		check_fail(c, DIAG_SMMU_RIL, VSMMU(c, i, "RIL"), "turn it on: %s has none",
			   smmu->name);
	else if (smmu_has_ril(smmu) == KNOWN_UNKNOWN)
		unknown(c, i, "RIL");
}

static void check_ssidsize(const struct check *c, unsigned i, const struct smmu_fact *smmu)
{
	int64_t wanted = c->plan->vsmmu[i].config->ssidsize;
	int has = smmu_ssidsize(smmu);

	if (wanted <= 0)
		return;
	if (has < 0)
		unknown(c, i, "SSIDSIZE");
	else if (wanted > has)
		check_fail(c, DIAG_SMMU_SSID, VSMMU(c, i, "SSIDSIZE"),
			   "have %" PRId64 " bits: %s has %d", wanted, smmu->name, has);
}

/* Left to itself QEMU takes the physical SMMU's, but it knows no less than 44 bits. */
static void check_oas(const struct check *c, unsigned i, const struct smmu_fact *smmu)
{
	int oas = c->plan->vsmmu[i].config->oas;
	unsigned wanted = oas == VSMMU_OAS_48 ? 48 : SMMU_QEMU_OAS;
	unsigned has = smmu_oas(smmu);

	if (has && has < wanted)
		check_fail(c, DIAG_SMMU_OAS, VSMMU(c, i, "OAS"), "have %u bits: %s has %u", wanted,
			   smmu->name, has);
	else if (!has && oas == VSMMU_OAS_48)
		unknown(c, i, "OAS");
}

static void check_cmdqv(const struct check *c, unsigned i)
{
	if (c->plan->vsmmu[i].config->cmdqv != VSMMU_CMDQV_ON)
		return;
	if (c->facts->symbol[KERNEL_TEGRA241_CMDQV] == KERNEL_NO && !check_is_foreign(c->set))
		check_fail(c, DIAG_SMMU_CMDQV, VSMMU(c, i, "CMDQV"),
			   "turn it on: the kernel is without CONFIG_TEGRA241_CMDQV");
	else
		unknown(c, i, "CMDQV");
}

/* What no setting of the vSMMU can change: smmuv3_accel_check_hw_compatible(). */
static void check_model(const struct check *c, unsigned i, const struct smmu_fact *smmu)
{
	unsigned level = smmu->idr[0] >> IDR0_ST_LEVEL_SHIFT & 3;
	unsigned sidsize = smmu->idr[1] & IDR1_SIDSIZE_MASK;

	if (!smmu->probed)
		return;
	if (!smmu_stream_fits(smmu))
		check_fail(c, DIAG_SMMU_STLEVEL, VSMMU(c, i, "ACCEL"),
			   "use %s: its stream table has %s and %u bits, QEMU's two levels and %d",
			   smmu->name, level == SMMU_QEMU_ST_LEVEL ? "two levels" : "one level",
			   sidsize, SMMU_QEMU_SIDSIZE);
	if (!smmu_tables_fit(smmu))
		check_fail(c, DIAG_SMMU_GRAN, VSMMU(c, i, "ACCEL"),
			   "use %s: QEMU wants little-endian AArch64 tables of 4, 16 and 64 KiB "
			   "(its IDR0 is 0x%08x, IDR5 0x%08x)",
			   smmu->name, smmu->idr[0], smmu->idr[5]);
}

static void check_nesting(const struct check *c, unsigned i, const struct smmu_fact *smmu)
{
	const char *why;

	if (smmu_can_nest(smmu, &why) == KNOWN_NO)
		check_fail(c, DIAG_NO_NESTING, VSMMU(c, i, "ACCEL"), "nest on %s: %s", smmu->name,
			   why);
}

static void check_accelerated(const struct check *c, unsigned i)
{
	const struct plan_vsmmu *v = &c->plan->vsmmu[i];
	const struct smmu_fact *smmu = facts_smmu(c->facts, v->smmu);
	struct smmu_fact nothing = { 0 };

	if (v->devices == 0)
		check_empty(c, i);
	if (!v->smmu[0])
		return;
	if (!str_prefix(v->smmu, "smmu3.")) {
		check_fail(c, DIAG_SMMU_TYPE, VSMMU(c, i, "ACCEL"), "use %s: it is no SMMUv3",
			   v->smmu);
		return;
	}
	if (!smmu) {
		str_copy(nothing.name, sizeof(nothing.name), v->smmu);
		smmu = &nothing;
	}
	check_nesting(c, i, smmu);
	check_model(c, i, smmu);
	check_ats(c, i, smmu);
	check_ril(c, i, smmu);
	check_ssidsize(c, i, smmu);
	check_oas(c, i, smmu);
	check_cmdqv(c, i);
}

void check_smmus(const struct check *c)
{
	check_driver(c);
	for (unsigned i = 0; i < c->plan->devices; i++)
		check_split(c, &c->plan->device[i]);
	for (unsigned i = 0; i < c->plan->vsmmus; i++)
		if (c->plan->vsmmu[i].config->accel)
			check_accelerated(c, i);
		else
			check_plain(c, i);
}
