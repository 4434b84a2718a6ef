/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The launcher. Everything after fork() here runs in a child and may block. */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "argv.h"
#include "check.h"
#include "claim.h"
#include "confine.h"
#include "host.h"
#include "open.h"
#include "pin.h"
#include "probe.h"
#include "sys.h"
#include "sys_cgroup.h"
#include "util.h"

/* The report pipe's place in a launcher, and the first number that no place has. */
enum { FD_REPORT = 12, FD_SPARE = 64 };

enum { LAUNCHER_FAILED = 1, LEARN_SECONDS = 60 };

/* The child's ends. */
struct ends {
	int qmp;
	int serial;
	int words;
	int report;
};

/* What a child is for. */
struct job {
	void (*run)(const struct job *job, const struct ends *ends);
	const struct config *config;
	unsigned slot; /* of a VM */
	bool grouped; /* the VM has a control group */
	bool probe; /* for the host */
};

/* Only children touch these: in PID 1 their pages stay unused. */
static struct facts facts;
static struct check_set set;
static struct plan plan;
static struct argv argv;
static struct opened opened;

static void send_report(const struct launch_report *report)
{
	ssize_t n;

	do {
		n = write(FD_REPORT, report, sizeof(*report));
	} while (n < 0 && errno == EINTR);
}

/* Hands over what diag holds; true when one of the findings forbids to go on. */
static bool send_findings(const struct diag *diag, int vm)
{
	struct launch_report report = { .event = LAUNCH_FINDING };

	for (unsigned i = 0; i < diag->count; i++) {
		report.finding = diag->finding[i];
		send_report(&report);
	}
	return diag_failures(diag, vm) > 0;
}

static void send_failure(int vm, enum diag_code code, const char *subject, const char *step,
			 const char *why)
{
	struct diag diag = { 0 };

	diag_add(&diag, vm, code, subject, "%s: %s", step, why);
	send_findings(&diag, vm);
}

_Noreturn static void give_up(int vm, enum diag_code code, const char *subject, const char *step)
{
	send_failure(vm, code, subject, step, strerror(errno));
	_exit(LAUNCHER_FAILED);
}

/*
 * Leaves only standard streams, channels and the report pipe. Whatever else PID 1 had open is
 * close-on-exec, but a launcher can live for seconds and must not keep it alive.
 */
static int keep_only(const struct ends *ends, int root)
{
	int nul = sys_null_open(root);
	struct ends high = {
		.qmp = fcntl(ends->qmp, F_DUPFD_CLOEXEC, FD_SPARE),
		.serial = fcntl(ends->serial, F_DUPFD_CLOEXEC, FD_SPARE),
		.words = fcntl(ends->words, F_DUPFD_CLOEXEC, FD_SPARE),
		.report = fcntl(ends->report, F_DUPFD_CLOEXEC, FD_SPARE),
	};

	if (nul < 0 || high.report < 0 || open_put(nul, 0) || open_put(high.report, FD_REPORT))
		return -1;
	if (dup2(ends->words < 0 ? 0 : high.words, 1) < 0 || dup2(1, 2) < 0)
		return -1;
	if (fcntl(FD_REPORT, F_SETFD, FD_CLOEXEC))
		return -1;
	sys_close_range(3, ARGV_FD_QMP - 1);
	if (ends->qmp >= 0 &&
	    (open_put(high.qmp, ARGV_FD_QMP) || open_put(high.serial, ARGV_FD_SERIAL)))
		return -1;
	return sys_close_range(FD_REPORT + 1, ~0U);
}

/* What every child does first. Returns a root of its own. */
static int begin_child(const struct ends *ends)
{
	int root = sys_root_open("/");

	sys_unblock_signals();
	if (root < 0 || keep_only(ends, root))
		_exit(LAUNCHER_FAILED);
	/* That one is closed by now. */
	root = sys_root_open("/");
	if (root < 0)
		_exit(LAUNCHER_FAILED);
	return root;
}

static void send_device(const struct plan_device *device, enum device_state state, const char *why)
{
	struct launch_report report = {
		.event = LAUNCH_DEVICE,
		.hostdev = device->slot,
		.device = state,
	};

	str_copy(report.finding.subject, sizeof(report.finding.subject), device->bdf);
	str_copy(report.finding.text, sizeof(report.finding.text), why);
	send_report(&report);
}

static bool bind_device(int root, const struct plan_device *device, int vm, struct diag *diag)
{
	/* A probe of SMMUs may have it for a moment. That there is no lock is claim's to tell. */
	_cleanup_fd_ int lock = sys_pci_lock(root, device->bdf);
	bool bound = device->config->managed ?
			     claim_bind(root, device->bdf, plan_driver(device), vm, diag) :
			     claim_is_bound(root, device->bdf, vm, diag);

	(void)lock;
	return bound && claim_is_alive(root, device->bdf, vm, diag);
}

static bool release_device(int root, const struct plan_device *device, int vm, struct diag *diag)
{
	_cleanup_fd_ int lock = sys_pci_lock(root, device->bdf);
	bool alive = claim_is_alive(root, device->bdf, vm, diag);
	bool released = claim_release(root, device->bdf, vm, diag);

	(void)lock;
	send_device(device, alive ? DEVICE_FREE : DEVICE_QUARANTINED,
		    alive ? "" : "its configuration space reads ones");
	return alive && released;
}

typedef bool device_work(int root, const struct plan_device *device, int vm, struct diag *diag);

/* Some drivers take seconds, and there may be sixteen devices: each has a process of its own. */
static pid_t start_work(device_work *work, int root, const struct plan_device *device, int vm)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid == 0) {
		struct diag diag = { 0 };

		/* A start that is given up must not go on writing to sysfs. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(LAUNCHER_FAILED);
		work(root, device, vm, &diag);
		_exit(send_findings(&diag, vm) ? LAUNCHER_FAILED : 0);
	}
	return pid;
}

/* Waits for it; what it found it has sent itself. */
static bool end_work(pid_t pid, const struct plan_device *device, const char *step, int vm)
{
	int status;
	bool ended = pid > 0 && waitpid(pid, &status, 0) == pid;

	if (ended && !WIFSIGNALED(status))
		return status == 0;
	send_failure(vm, DIAG_BIND_FAIL, device->bdf, step,
		     ended ? "it was killed" : "start a process for it");
	return false;
}

static bool for_devices(device_work *work, const char *step, int root, int vm)
{
	pid_t child[HV_HOSTDEV_SLOTS] = { 0 };
	bool ok = true;

	for (unsigned i = 0; i < plan.devices; i++)
		if (!plan.device[i].absent)
			child[i] = start_work(work, root, &plan.device[i], vm);
	for (unsigned i = 0; i < plan.devices; i++)
		if (child[i])
			ok = end_work(child[i], &plan.device[i], step, vm) && ok;
	return ok;
}

/* From here on they count as the VM's, and those in quarantine end the start. */
static bool announce_devices(int vm, struct diag *diag)
{
	for (unsigned i = 0; i < plan.devices; i++) {
		const struct plan_device *d = &plan.device[i];
		const struct device *known = device_look((unsigned)vm, d->slot);

		if (known->state == DEVICE_QUARANTINED)
			diag_add(diag, vm, DIAG_DEV_QUARANTINE, d->bdf, "use it: %s", known->why);
		else if (!d->absent)
			send_device(d, DEVICE_CLAIMED, "");
	}
	return diag_failures(diag, vm) == 0;
}

/* The last step of a launcher. Every thread of QEMU inherits its CPUs. */
_Noreturn static void become_qemu(int vm, const char *name)
{
	static char *const no_environment[] = { NULL };
	const struct confine confine = {
		.uid = CONFINE_UID + (uid_t)vm,
		.gid = CONFINE_UID + (gid_t)vm,
		.memlock = plan.memlock,
	};
	const struct launch_report report = {
		.event = LAUNCH_EXEC,
		.devices = plan.devices,
		.vsmmus = plan.vsmmus,
	};
	const char *step;

	if (open_close_others(&opened, FD_REPORT))
		give_up(vm, DIAG_CONFINE_FAIL, name, "close other descriptors");
	setsid();
	if (chdir("/"))
		give_up(vm, DIAG_CONFINE_FAIL, name, "change to /");
	step = confine_self(&confine);
	if (step)
		give_up(vm, DIAG_CONFINE_FAIL, name, step);
	send_report(&report);
	execve(QEMU_PATH, argv.word, no_environment);
	give_up(vm, DIAG_EXEC_FAIL, name, "exec " QEMU_PATH);
}

static void move_to_cpus(int vm)
{
	char symbol[DIAG_SUBJECT];

	str_format(symbol, sizeof(symbol), "VM%d_CPU_PIN", vm);
	if (cpulist_count(&plan.cpus) == 0)
		return;
	errno = -pin_self(&plan.cpus);
	if (errno)
		give_up(vm, DIAG_CPU_PIN, symbol, "run on these CPUs");
}

/* First of all, so that whatever is forked from here on can be killed and waited for as one. */
static void join_cgroup(const struct job *job, int root)
{
	errno = job->grouped ? -sys_cgroup_join(root, job->slot) : 0;
	if (errno)
		give_up((int)job->slot, DIAG_LAUNCH_FAIL, job->config->vm[job->slot].name,
			"join its control group");
}

_Noreturn static void run_launcher(const struct job *job, const struct ends *ends)
{
	const char *name = job->config->vm[job->slot].name;
	struct diag diag = { 0 };
	int vm = (int)job->slot;
	int root = begin_child(ends);

	join_cgroup(job, root);
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
	if (send_findings(&diag, vm))
		_exit(LAUNCHER_FAILED);
	diag.count = 0;
	if (!announce_devices(vm, &diag)) {
		send_findings(&diag, vm);
		_exit(LAUNCHER_FAILED);
	}
	if (!for_devices(bind_device, "bind it to its VFIO driver", root, vm))
		_exit(LAUNCHER_FAILED);
	argv_build(&plan, &argv);
	if (argv.overflow) {
		errno = E2BIG;
		give_up(vm, DIAG_LAUNCH_FAIL, name, "build QEMU's arguments");
	}
	opened.at[ARGV_FD_QMP] = opened.at[ARGV_FD_SERIAL] = true;
	if (!open_all(root, job->config, &plan, &opened, &diag)) {
		send_findings(&diag, vm);
		_exit(LAUNCHER_FAILED);
	}
	move_to_cpus(vm);
	become_qemu(vm, name);
}

/* Only what the manifest lets hvinit bind is released. */
_Noreturn static void run_release(const struct job *job, const struct ends *ends)
{
	int vm = (int)job->slot;
	int root = begin_child(ends);

	facts_discover(root, &facts);
	plan_vm(job->config, job->slot, &facts, &plan);
	for (unsigned i = 0; i < plan.devices; i++)
		plan.device[i].absent |= !plan.device[i].fact || !plan.device[i].config->managed;
	for_devices(release_device, "release it", root, vm);
	_exit(0);
}

/* Findings so far go first: PID 1 must know of them before it starts the VMs that it waited with. */
static void send_stage(enum launch_event event, struct diag *diag)
{
	const struct launch_report report = { .event = event };

	send_findings(diag, DIAG_HOST);
	send_report(&report);
	diag->count = 0;
}

_Noreturn static void run_host(const struct job *job, const struct ends *ends)
{
	struct diag diag = { 0 };
	int root = begin_child(ends);

	host_reserve(root, job->config, &diag);
	send_stage(LAUNCH_RESERVED, &diag);
	if (job->probe)
		host_prepare(root, job->config, &diag);
	send_stage(LAUNCH_READY, &diag);
	_exit(0);
}

static void close_ends(const struct ends *ends)
{
	close_fdp(&ends->qmp);
	close_fdp(&ends->serial);
	close_fdp(&ends->words);
	close_fdp(&ends->report);
}

static void close_launch(const struct launch *launch)
{
	const struct ends ours = { launch->qmp, launch->serial, launch->words, launch->report };

	close_ends(&ours);
}

static int open_pipe(int *ours, int *theirs)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC))
		return -errno;
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	*ours = fd[0];
	*theirs = fd[1];
	return 0;
}

/* PID 1's end must not block; QEMU sets its own end as it likes. */
static int open_socketpair(int *ours, int *theirs)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd))
		return -errno;
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	*ours = fd[0];
	*theirs = fd[1];
	return 0;
}

/* Forks; the child begins with its ends of the report pipe and, if it talks, of the others. */
static int start(const struct job *job, bool talks, struct launch *launch)
{
	struct ends ends = { -1, -1, -1, -1 };
	int error;

	*launch = (struct launch){ -1, -1, -1, -1, -1, launch->cgroup };
	error = open_pipe(&launch->report, &ends.report);
	if (!error && talks)
		error = open_socketpair(&launch->qmp, &ends.qmp);
	if (!error && talks)
		error = open_socketpair(&launch->serial, &ends.serial);
	if (!error && talks)
		error = open_pipe(&launch->words, &ends.words);
	if (!error) {
		launch->pid = fork();
		if (launch->pid == 0)
			job->run(job, &ends);
		error = launch->pid < 0 ? -errno : 0;
	}
	close_ends(&ends);
	if (error)
		close_launch(launch);
	return error;
}

int launch_vm(const struct config *config, unsigned slot, struct launch *launch)
{
	struct job job = { .run = run_launcher, .config = config, .slot = slot };
	int error;

	launch->cgroup = sys_cgroup_make(AT_FDCWD, slot);
	/* What an earlier start has left may still have the devices. */
	if (launch->cgroup == -EBUSY)
		return -EBUSY;
	job.grouped = launch->cgroup >= 0;
	error = start(&job, true, launch);
	if (error)
		close_fdp(&launch->cgroup);
	return error;
}

int launch_release(const struct config *config, unsigned slot, struct launch *launch)
{
	const struct job job = { .run = run_release, .config = config, .slot = slot };

	launch->cgroup = -1;
	return start(&job, false, launch);
}

int launch_host(const struct config *config, bool probe, struct launch *launch)
{
	const struct job job = { .run = run_host, .config = config, .probe = probe };

	launch->cgroup = -1;
	return start(&job, false, launch);
}

/* Only which SMMUs are behind the VM's devices matters here, so a plan is made anew. */
_Noreturn static void run_learn(const struct config *config, unsigned slot, pid_t qemu)
{
	const char *smmu[HV_HOSTDEV_SLOTS];
	unsigned devices = 0;
	int root = sys_root_open("/");
	int iommufd;

	if (root < 0)
		_exit(LAUNCHER_FAILED);
	facts_discover(root, &facts);
	plan_vm(config, slot, &facts, &plan);
	for (unsigned i = 0; i < plan.devices; i++)
		if (plan.device[i].fact)
			smmu[devices++] = plan.device[i].fact->smmu;
	/* As late as can be: a QEMU that ends now must not leave its memory to this child. */
	iommufd = sys_iommufd_of(root, qemu, ARGV_FD_IOMMUFD);
	if (iommufd < 0)
		_exit(LAUNCHER_FAILED);
	probe_learn(root, iommufd, smmu, devices);
	_exit(0);
}

void launch_learn(const struct config *config, unsigned slot, pid_t qemu)
{
	static bool learned[HV_VM_SLOTS];

	if (learned[slot])
		return;
	learned[slot] = true;
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

	do {
		n = read(fd, report, sizeof(*report));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	if (n == 0)
		return -ENODATA;
	return n == sizeof(*report) ? 1 : -EBADMSG;
}
