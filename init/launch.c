/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The launcher. Everything after fork() here runs in a child and may block. */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>

#include "argv.h"
#include "check.h"
#include "child.h"
#include "confine.h"
#include "host.h"
#include "launch_devices.h"
#include "limit.h"
#include "open.h"
#include "pass.h"
#include "pin.h"
#include "probe.h"
#include "room.h"
#include "sys.h"
#include "sys_cgroup.h"
#include "sys_deny.h"
#include "util.h"

enum { LEARN_SECONDS = 60 };

/* Only children touch these: in PID 1 their pages stay unused. */
static struct facts facts;
static struct check_set set;
static struct plan plan;
static struct argv argv;
static struct opened opened;

/* A kernel that cannot confine QEMU fully is the manifest's to accept. */
static void judge_walls(int vm, const char *name, bool allow, wall_set missing)
{
	struct diag diag = { 0 };
	char names[WALL_NAMES];

	if (!missing)
		return;
	diag_add(&diag, vm, allow ? DIAG_CONFINE_WEAK : DIAG_CONFINE_LACKS, name,
		 "confine QEMU fully: the kernel cannot give %s", wall_names(missing, names));
	if (child_findings(&diag, vm))
		_exit(CHILD_FAILED);
}

static struct confined confined(const struct confine *confine, wall_set missing)
{
	int abi = missing & 1U << WALL_LANDLOCK ? 0 : sys_landlock_abi();

	return (struct confined){
		.user = confine->uid,
		.missing = missing,
		.denied_calls = missing & 1U << WALL_SECCOMP ? 0 :
							       sys_denied_calls(confine->io_uring),
		.landlock_abi = abi < 0 ? 0 : (unsigned)abi,
		.memlock = plan.memlock,
		.memory_max = plan.memory_max,
		.tasks_max = plan.tasks_max,
	};
}

/* The last step of a launcher. Every thread of QEMU inherits its CPUs. */
_Noreturn static void become_qemu(int root, const struct child_job *job)
{
	static char *const no_environment[] = { NULL };
	const char *name = job->config->vm[job->slot].name;
	int vm = (int)job->slot;
	struct room_thing things[ROOM_THINGS];
	const struct confine confine = {
		.things = things,
		.count = room_furnish(&plan, things),
		.uid = CONFINE_UID + (uid_t)vm,
		.gid = CONFINE_UID + (gid_t)vm,
		.memlock = plan.memlock,
		.io_uring = plan_wants_io_uring(&plan),
	};
	struct launch_report report = {
		.event = LAUNCH_EXEC,
		.devices = plan.devices,
		.vsmmus = plan.vsmmus,
	};
	struct launch_report listens = { .event = LAUNCH_LISTENER };
	struct confine_result result;
	wall_set missing = 0;
	const char *step;
	int fds;

	step = limit_vm(root, &plan, &missing);
	if (step)
		child_give_up(vm, DIAG_CONFINE_FAIL, name, step);

	if (open_close_others(&opened, CHILD_FD_REPORT))
		child_give_up(vm, DIAG_CONFINE_FAIL, name, "close other descriptors");
	/* That was root, too. In the room there is no /proc. */
	fds = sys_own_fds_open();
	setsid();
	if (chdir("/"))
		child_give_up(vm, DIAG_CONFINE_FAIL, name, "change to /");
	step = confine_self(&confine, &result);
	if (step)
		child_give_up(vm, DIAG_CONFINE_FAIL, name, step);
	missing |= result.missing;
	/* QEMU must not have it: who has it can let a call pass. */
	if (result.listener >= 0 && child_hand_over(&listens, result.listener))
		child_give_up(vm, DIAG_CONFINE_FAIL, name, "hand over what tells of denied calls");
	close_fdp(&result.listener);
	judge_walls(vm, name, job->config->host.allow_weak_confinement, missing);
	if (open_verify(fds, &opened, CHILD_FD_REPORT))
		child_give_up(vm, DIAG_CONFINE_FAIL, name, "verify that nothing else is open");
	report.confined = confined(&confine, missing);
	child_report(&report);
	execve(QEMU_PATH, argv.word, no_environment);
	child_give_up(vm, DIAG_EXEC_FAIL, name, "exec " QEMU_PATH);
}

static void move_to_cpus(int vm)
{
	char symbol[DIAG_SUBJECT];

	str_format(symbol, sizeof(symbol), "VM%d_CPU_PIN", vm);
	if (cpulist_count(&plan.cpus) == 0)
		return;
	errno = -pin_self(&plan.cpus);
	if (errno)
		child_give_up(vm, DIAG_CPU_PIN, symbol, "run on these CPUs");
}

_Noreturn static void run_launcher(const struct child_job *job, const struct child_ends *ends)
{
	const char *name = job->config->vm[job->slot].name;
	struct diag diag = { 0 };
	int vm = (int)job->slot;
	int root = child_begin(ends);

	facts_discover(root, &facts);
	set = (struct check_set){
		.config = job->config,
		.facts = &facts,
		.machine = true,
		.prepared = true,
		.root = root,
	};
	check_plan(&set);
	plan = set.plan[job->slot];
	check_vm(&set, job->slot, &diag);
	if (child_findings(&diag, vm))
		_exit(CHILD_FAILED);
	diag.count = 0;
	if (!launch_announce(&plan, vm, &diag)) {
		child_findings(&diag, vm);
		_exit(CHILD_FAILED);
	}
	if (!launch_bind(&plan, root, vm))
		_exit(CHILD_FAILED);
	argv_build(&plan, &argv);
	if (argv.overflow) {
		errno = E2BIG;
		child_give_up(vm, DIAG_LAUNCH_FAIL, name, "build QEMU's arguments");
	}
	opened.at[ARGV_FD_QMP] = opened.at[ARGV_FD_SERIAL] = true;
	opened.at[ARGV_FD_CTL] = plan.vm->ctl;
	if (!open_all(root, job->config, &plan, &opened, &diag)) {
		child_findings(&diag, vm);
		_exit(CHILD_FAILED);
	}
	move_to_cpus(vm);
	become_qemu(root, job);
}

/* Findings so far go first: PID 1 must know of them before it starts the VMs that it waited with. */
static void send_stage(enum launch_event event, struct diag *diag)
{
	const struct launch_report report = { .event = event };

	child_findings(diag, DIAG_HOST);
	child_report(&report);
	diag->count = 0;
}

_Noreturn static void run_host(const struct child_job *job, const struct child_ends *ends)
{
	struct diag diag = { 0 };
	int root = child_begin(ends);

	host_reserve(root, job->config, &diag);
	send_stage(LAUNCH_RESERVED, &diag);
	if (job->probe)
		host_prepare(root, job->config, &diag);
	send_stage(LAUNCH_READY, &diag);
	_exit(0);
}

int launch_vm(const struct config *config, unsigned slot, struct launch *launch)
{
	struct child_job job = { .run = run_launcher, .config = config, .slot = slot };
	int error;

	launch->cgroup = sys_cgroup_make(AT_FDCWD, slot);
	/* What an earlier start has left may still have the devices. */
	if (launch->cgroup == -EBUSY)
		return -EBUSY;
	job.grouped = launch->cgroup >= 0;
	error = child_start(&job, config->vm[slot].ctl ? CHILD_TALKS_CTL : CHILD_TALKS, -1, launch);
	if (error)
		close_fdp(&launch->cgroup);
	return error;
}

int launch_host(const struct config *config, bool probe, struct launch *launch)
{
	const struct child_job job = { .run = run_host, .config = config, .probe = probe };

	launch->cgroup = -1;
	return child_start(&job, CHILD_REPORTS, -1, launch);
}

/* Whether what the SMMU answers is kept already: facts tell it then. */
static bool is_learned(const char *name)
{
	const struct smmu_fact *smmu = facts_smmu(&facts, name);

	return smmu && smmu->probed;
}

/* Only which SMMUs are behind the VM's devices matters here, so a plan is made anew. */
_Noreturn static void run_learn(const struct config *config, unsigned slot, pid_t qemu)
{
	const char *smmu[HV_HOSTDEV_SLOTS];
	unsigned devices = 0;
	unsigned learned = 0;
	int root = sys_root_open("/");
	int iommufd;

	if (root < 0)
		_exit(CHILD_FAILED);
	facts_discover(root, &facts);
	plan_vm(config, slot, &facts, &plan);
	for (unsigned i = 0; i < plan.devices; i++) {
		if (!plan.device[i].fact)
			continue;
		smmu[devices] = plan.device[i].fact->smmu;
		learned += is_learned(smmu[devices++]);
	}
	if (learned == devices)
		_exit(0);
	/* As late as can be: a QEMU that ends now must not leave its memory to this child. */
	iommufd = sys_iommufd_of(root, qemu, ARGV_FD_IOMMUFD);
	if (iommufd < 0)
		_exit(CHILD_FAILED);
	probe_learn(root, iommufd, smmu, devices);
	_exit(0);
}

void launch_learn(const struct config *config, unsigned slot, pid_t qemu)
{
	if (fork() != 0)
		return;
	sys_unblock_signals();
	sys_close_range(STDERR_FILENO + 1, ~0U);
	alarm(LEARN_SECONDS);
	run_learn(config, slot, qemu);
}

int launch_read(int fd, struct launch_report *report)
{
	ssize_t n;
	int passed;

	do {
		n = pass_receive(fd, report, sizeof(*report), &passed);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (n == 0)
		return -ENODATA;
	report->listener = passed;
	if (n == sizeof(*report))
		return 1;
	close_fdp(&report->listener);
	return -EBADMSG;
}
