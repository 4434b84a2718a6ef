/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking through an iommufd, and lending a device for it. */
#include "probe.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>

#include "claim.h"
#include "symbols.h"
#include "sys.h"
#include "util.h"

enum {
	IDS = 1024, /* of an iommufd's objects; a VM with 16 devices has some 100 */
	NUMBERS = 9, /* in a kept file */
	NUMBER = sizeof("0x00000000"),
};

/* 0, -ENOENT when id is no device, or another negative errno. */
static int ask(int iommufd, uint32_t id, struct smmu_fact *smmu)
{
	struct iommu_hw_info_arm_smmuv3 info = { 0 };
	struct iommu_hw_info cmd = {
		.size = sizeof(cmd),
		.dev_id = id,
		.data_len = sizeof(info),
		.data_uptr = (uintptr_t)&info,
	};

	if (ioctl(iommufd, IOMMU_GET_HW_INFO, &cmd))
		return -errno;
	if (cmd.out_data_type != IOMMU_HW_INFO_TYPE_ARM_SMMUV3)
		return -ENODEV;
	smmu->probed = true;
	smmu->hw_flags = info.flags;
	memcpy(smmu->idr, info.idr, sizeof(smmu->idr));
	smmu->iidr = info.iidr;
	smmu->aidr = info.aidr;
	return 0;
}

/* --- what is kept for this boot --- */

static void each_number(struct smmu_fact *smmu, uint32_t *number[NUMBERS])
{
	number[0] = &smmu->hw_flags;
	for (unsigned i = 0; i < ARRAY_SIZE(smmu->idr); i++)
		number[1 + i] = &smmu->idr[i];
	number[NUMBERS - 2] = &smmu->iidr;
	number[NUMBERS - 1] = &smmu->aidr;
}

bool probe_kept(int root, struct smmu_fact *smmu)
{
	struct smmu_fact kept = *smmu;
	char text[NUMBERS * NUMBER + 1];
	uint32_t *number[NUMBERS];
	const char *at = text;
	char *end;

	if (sys_smmu_kept(root, smmu->name, text, sizeof(text)) <= 0)
		return false;
	each_number(&kept, number);
	for (unsigned i = 0; i < NUMBERS; i++) {
		*number[i] = (uint32_t)strtoul(at, &end, 16);
		if (end == at)
			return false;
		at = end;
	}
	kept.probed = true;
	*smmu = kept;
	return true;
}

static int keep(int root, const struct smmu_fact *smmu)
{
	struct smmu_fact copy = *smmu;
	char text[NUMBERS * NUMBER + 1];
	uint32_t *number[NUMBERS];

	each_number(&copy, number);
	for (unsigned i = 0; i < NUMBERS; i++)
		str_format(text + (size_t)i * NUMBER, NUMBER + 1, "0x%08" PRIx32 "%s", *number[i],
			   i + 1 < NUMBERS ? " " : "");
	return sys_smmu_keep(root, smmu->name, text);
}

static bool same_answer(const struct smmu_fact *a, const struct smmu_fact *b)
{
	return a->hw_flags == b->hw_flags && a->iidr == b->iidr && a->aidr == b->aidr &&
	       memcmp(a->idr, b->idr, sizeof(a->idr)) == 0;
}

static bool one_smmu(const char *const *smmu, unsigned devices)
{
	for (unsigned i = 1; i < devices; i++)
		if (strcmp(smmu[i], smmu[0]) != 0)
			return false;
	return true;
}

/* What an iommufd has answered about its devices, in the order of their ids. */
struct answers {
	unsigned found; /* may be more than there is room for */
	struct smmu_fact of[HV_HOSTDEV_SLOTS];
};

/* False: one of them could not be asked, and so it is not known which is which. */
static bool ask_all(int iommufd, struct answers *answers)
{
	for (uint32_t id = 1; id < IDS; id++) {
		struct smmu_fact answer = { 0 };
		int error = ask(iommufd, id, &answer);

		if (error == -ENOENT)
			continue;
		if (error)
			return false;
		if (answers->found < ARRAY_SIZE(answers->of))
			answers->of[answers->found] = answer;
		answers->found++;
	}
	return answers->found > 0 && answers->found <= ARRAY_SIZE(answers->of);
}

static bool is_consistent(const struct answers *answers, const char *const *smmu)
{
	for (unsigned i = 1; i < answers->found; i++)
		for (unsigned j = 0; j < i; j++)
			if (strcmp(smmu[i], smmu[j]) == 0 &&
			    !same_answer(&answers->of[i], &answers->of[j]))
				return false;
	return true;
}

/*
 * QEMU binds devices in the order of its words, and a new object has a larger id than those that
 * are there. Of one SMMU, any device will do.
 */
void probe_learn(int root, int iommufd, const char *const *smmu, unsigned devices)
{
	struct answers answers = { 0 };

	if (!ask_all(iommufd, &answers) || answers.found > devices ||
	    (answers.found < devices && !one_smmu(smmu, devices)) || !is_consistent(&answers, smmu))
		return;
	for (unsigned i = 0; i < answers.found; i++) {
		str_copy(answers.of[i].name, sizeof(answers.of[i].name), smmu[i]);
		keep(root, &answers.of[i]);
	}
}

/* --- lending an idle device --- */

/* What the kernel lets stand in a group that VFIO owns: no driver, or one of VFIO's. */
static bool is_idle(const struct pci_fact *d)
{
	return !d->use[0] && (!d->driver[0] || strstr(d->driver, "vfio"));
}

static bool group_is_idle(const struct facts *facts, int group)
{
	for (unsigned i = 0; i < facts->count; i++)
		if (facts->device[i].group == group && !facts->device[i].bridge &&
		    !is_idle(&facts->device[i]))
			return false;
	return true;
}

static bool can_lend(const struct facts *facts, const struct pci_fact *d, const char *smmu)
{
	return !d->bridge && strcmp(d->smmu, smmu) == 0 && d->group != FACTS_NO_GROUP && !d->vfs &&
	       d->direct != KNOWN_YES && group_is_idle(facts, d->group);
}

/* One that VFIO has already need not be bound, and so comes before one that is free. */
const struct pci_fact *probe_choose(const struct facts *facts, const char *smmu,
				    const struct pci_fact *after)
{
	const struct pci_fact *end = facts->device + facts->count;
	bool bound = !after || after->driver[0];

	for (const struct pci_fact *d = after ? after + 1 : facts->device; bound && d < end; d++)
		if (d->driver[0] && can_lend(facts, d, smmu))
			return d;
	for (const struct pci_fact *d = bound ? facts->device : after + 1; d < end; d++)
		if (!d->driver[0] && can_lend(facts, d, smmu))
			return d;
	return NULL;
}

static bool ask_device(int root, const char *bdf, struct smmu_fact *smmu, struct diag *diag)
{
	_cleanup_fd_ int iommufd = claim_iommufd(root, DIAG_HOST, diag);
	_cleanup_fd_ int device = iommufd < 0 ? -1 : claim_open(root, bdf, DIAG_HOST, diag);
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommufd };
	int error;

	if (device < 0)
		return false;
	if (ioctl(device, VFIO_DEVICE_BIND_IOMMUFD, &bind)) {
		diag_add(diag, DIAG_HOST, DIAG_PROBE_FAIL, bdf, "bind it to an iommufd: %s",
			 errno == EINVAL ? "it is in use" : strerror(errno));
		return false;
	}
	error = ask(iommufd, bind.out_devid, smmu);
	if (error)
		diag_add(diag, DIAG_HOST, DIAG_PROBE_FAIL, bdf, "ask %s for its features: %s",
			 smmu->name, strerror(-error));
	return !error;
}

/* Puts a device that had no driver back to having none. */
static void give_back(int root, const char *bdf, const char *override, struct diag *diag)
{
	int error = sys_pci_write(root, bdf, "driver_override", override);

	if (!error)
		error = sys_pci_write(root, bdf, "driver/unbind", bdf);
	if (error)
		diag_add(diag, DIAG_HOST, DIAG_PROBE_FAIL, bdf, "give it back: %s",
			 strerror(-error));
}

/* Facts are as old as the first SMMU's answer: a VM may have been started since. */
static bool lend(int root, const struct pci_fact *d, struct smmu_fact *smmu, struct diag *diag)
{
	_cleanup_fd_ int lock = sys_pci_lock(root, d->bdf);
	char override[SYS_NAME];
	char driver[SYS_NAME];
	bool ok;

	if (d->driver[0])
		return ask_device(root, d->bdf, smmu, diag);
	if (lock < 0 || sys_pci_link(root, d->bdf, "driver", driver, sizeof(driver)) == 0) {
		diag_add(diag, DIAG_HOST, DIAG_PROBE_FAIL, d->bdf, "borrow it: %s",
			 lock < 0 ? strerror(-lock) : "it is in use by now");
		return false;
	}
	/* The kernel shows none as "(null)", and takes an empty line for it. */
	if (sys_pci_read(root, d->bdf, "driver_override", override, sizeof(override)) <= 0 ||
	    strcmp(override, "(null)") == 0)
		str_copy(override, sizeof(override), "\n");
	ok = claim_bind(root, d->bdf, d->variant, DIAG_HOST, diag) &&
	     ask_device(root, d->bdf, smmu, diag);
	give_back(root, d->bdf, override, diag);
	return ok;
}

/* What a child hands over; smaller than PIPE_BUF. */
struct answer {
	struct smmu_fact smmu;
	bool failed;
	struct finding finding;
};

_Static_assert(sizeof(struct answer) < 4096, "one write of a pipe");

_Noreturn static void run_child(int root, const struct pci_fact *d, const char *smmu, int pipe)
{
	struct answer answer = { 0 };
	struct diag diag = { 0 };
	bool sent;

	str_copy(answer.smmu.name, sizeof(answer.smmu.name), smmu);
	lend(root, d, &answer.smmu, &diag);
	answer.failed = diag.count > 0;
	if (answer.failed)
		answer.finding = diag.finding[0];
	sent = write(pipe, &answer, sizeof(answer)) == sizeof(answer);
	_exit(sent ? 0 : 1);
}

static bool read_answer(int pipe, struct answer *answer)
{
	struct pollfd ready = { .fd = pipe, .events = POLLIN };
	int n;

	do {
		n = poll(&ready, 1, PROBE_LIMIT_MS);
	} while (n < 0 && errno == EINTR);
	return n > 0 && read(pipe, answer, sizeof(*answer)) == sizeof(*answer);
}

/* Whether a child has ended with an answer, be it a finding. */
static bool probe_one(int root, const struct pci_fact *d, struct smmu_fact *smmu, struct diag *diag)
{
	struct answer answer;
	bool answered = false;
	int fd[2];
	pid_t pid;

	if (pipe(fd)) {
		diag_add(diag, DIAG_HOST, DIAG_PROBE_FAIL, smmu->name, "make a pipe: %s",
			 strerror(errno));
		return false;
	}
	pid = fork();
	if (pid == 0) {
		close(fd[0]);
		run_child(root, d, smmu->name, fd[1]);
	}
	close(fd[1]);
	if (pid < 0) {
		diag_add(diag, DIAG_HOST, DIAG_PROBE_FAIL, smmu->name, "start a child: %s",
			 strerror(errno));
	} else if (read_answer(fd[0], &answer)) {
		answered = true;
		waitpid(pid, NULL, 0);
		if (answer.smmu.probed) {
			answer.smmu.canwbs = smmu->canwbs;
			answer.smmu.has_features = smmu->has_features;
			answer.smmu.features = smmu->features;
			answer.smmu.oas = smmu->oas;
			*smmu = answer.smmu;
		}
		if (answer.failed)
			diag_add(diag, DIAG_HOST, answer.finding.code, answer.finding.subject, "%s",
				 answer.finding.text);
	} else {
		/* It may be beyond the reach of signals: whoever waits for it waits, too. */
		kill(pid, SIGKILL);
		diag_add(diag, DIAG_HOST, DIAG_PROBE_FAIL, d->bdf,
			 "ask %s through it: no answer in %d s; process %d may still hold it",
			 smmu->name, PROBE_LIMIT_MS / 1000, (int)pid);
	}
	close(fd[0]);
	return answered;
}

static void tell_about(const struct pci_fact *d, const struct smmu_fact *smmu, FILE *tell)
{
	fprintf(tell, "hvinit: probe: %s: lends %s to %s for a moment, which resets it\n",
		smmu->name, d->bdf, d->driver[0] ? d->driver : d->variant);
}

/*
 * Asks through one device after the other, as long as they are with VFIO already: a VM may have
 * them. What is wrong with those counts only when no other device has answered.
 */
static void probe_smmu(int root, const struct facts *facts, struct smmu_fact *smmu, FILE *tell,
		       struct diag *diag)
{
	const struct pci_fact *d = probe_choose(facts, smmu->name, NULL);
	const struct pci_fact *next;

	if (!d)
		diag_add(diag, DIAG_HOST, DIAG_PROBE_FAIL, smmu->name,
			 "ask it for its features: no device behind it is idle");
	for (; d; d = next) {
		unsigned findings = diag->count;
		bool more = probe_one(root, d, smmu, diag) && !smmu->probed && d->driver[0];

		next = more ? probe_choose(facts, smmu->name, d) : NULL;
		if (!next)
			return;
		diag->count = findings;
		tell_about(next, smmu, tell);
		fflush(tell);
	}
}

void probe_all(int root, struct facts *facts, FILE *tell, struct diag *diag)
{
	for (unsigned i = 0; i < facts->smmus; i++) {
		struct smmu_fact *smmu = &facts->smmu[i];
		const struct pci_fact *d = probe_choose(facts, smmu->name, NULL);

		if (!smmu->probed && d)
			tell_about(d, smmu, tell);
	}
	fflush(tell);
	for (unsigned i = 0; i < facts->smmus; i++)
		if (!facts->smmu[i].probed)
			probe_smmu(root, facts, &facts->smmu[i], tell, diag);
}
