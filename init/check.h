/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a manifest can work on a machine, found out before anything is touched. */
#ifndef HVINIT_CHECK_H
#define HVINIT_CHECK_H

#include <stdio.h>

#include "diag.h"
#include "filelist.h"
#include "plan.h"

/* What is checked: all VMs at a time, for most rules are about two of them. */
struct check_set {
	const struct config *config;
	const struct facts *facts;
	/* facts are of the machine that the manifest is for. Without one, other rules still hold. */
	bool machine;
	/* hvinit has prepared the machine: huge pages are set aside, virtual functions are on. */
	bool prepared;
	int root; /* where files are looked for; -1: they are not, for the machine is another one */
	const struct filelist *files; /* what the image holds, looked at instead of root; or NULL */
	struct plan plan[HV_VM_SLOTS]; /* made by check_plan(); of a slot without VM: all zero */
};

/* Plans every VM. The other fields must be set, and stay as they are while the set is in use. */
void check_plan(struct check_set *set);

/*
 * Checks what concerns the VM in that slot: its devices, SMMUs, numbers, memory, CPUs, files and
 * arguments. Every finding names a Kconfig symbol, a VM or a BDF and concerns that VM. Of two VMs
 * that want the same thing, the later slot is told.
 */
void check_vm(const struct check_set *set, unsigned slot, struct diag *diag);

/* Checks the host's own part of the manifest: its bridges. Findings concern the host. */
void check_host(const struct check_set *set, struct diag *diag);

enum { CHECK_DETAIL = 208 };

/* Whether VMs can have accelerated vSMMUs, on the machine or for one physical SMMU. */
struct check_accel {
	enum known possible;
	char why[CHECK_DETAIL]; /* why not, or what is not known of it; "" when it is possible */
};

/*
 * The machine: KVM, iommufd, the kernel, and the SMMUs before devices that VMs have, which must all
 * do. Where no VM has any, one of the machine's SMMUs is enough.
 */
void check_accel(const struct check_set *set, struct check_accel *accel);
/* One SMMU, the rest of the machine left aside. */
void check_accel_smmu(const struct smmu_fact *smmu, struct check_accel *accel);
/* Whether an accelerated vSMMU of some VM stands for it. */
bool check_accel_used(const struct check_set *set, const struct smmu_fact *smmu);

enum check_verdict { CHECK_OK, CHECK_WARN, CHECK_FAIL, CHECK_UNKNOWN };

/* A thing that the host has or lacks. */
struct check_row {
	char name[SYS_NAME];
	enum check_verdict verdict;
	char detail[CHECK_DETAIL];
};

/* "OK", "WARN", "FAIL" or "unknown". */
const char *check_verdict_text(enum check_verdict verdict);

/* What the host has of what VMs need: calls each for every row, in a fixed order. */
void check_rows(const struct check_set *set, void (*each)(void *arg, const struct check_row *row),
		void *arg);

#endif
