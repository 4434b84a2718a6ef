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
#include "manifest.h"
#include "probe.h"
#include "sys.h"
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

/* Only children touch these: in PID 1 their pages stay unused. */
static struct facts facts;
static struct plan plan;
static struct argv argv;

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

/* Moves a descriptor to its place, where it survives execve(). */
static int put(int fd, int place)
{
	if (fd == place)
		return fcntl(fd, F_SETFD, 0);
	if (dup2(fd, place) < 0)
		return -1;
	return close(fd);
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

	if (nul < 0 || high.report < 0 || put(nul, 0) || put(high.report, FD_REPORT))
		return -1;
	if (dup2(ends->words < 0 ? 0 : high.words, 1) < 0 || dup2(1, 2) < 0)
		return -1;
	if (fcntl(FD_REPORT, F_SETFD, FD_CLOEXEC))
		return -1;
	sys_close_range(3, ARGV_FD_QMP - 1);
	if (ends->qmp >= 0 && (put(high.qmp, ARGV_FD_QMP) || put(high.serial, ARGV_FD_SERIAL)))
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

/* Binds one device in a process of its own: some drivers take seconds, and there may be sixteen. */
static pid_t start_bind(int root, const struct plan_device *device, int vm)
{
	const char *driver = plan_driver(device);
	pid_t launcher = getpid();
	pid_t pid = fork();

	if (pid == 0) {
		struct diag diag = { 0 };

		/* A start that is given up must not go on writing to sysfs. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != launcher)
			_exit(LAUNCHER_FAILED);
		claim_bind(root, device->bdf, driver, vm, &diag);
		_exit(send_findings(&diag, vm) ? LAUNCHER_FAILED : 0);
	}
	return pid;
}

static bool bind_devices(int root, int vm)
{
	pid_t child[HV_HOSTDEV_SLOTS] = { 0 };
	bool ok = true;
	int status;

	for (unsigned i = 0; i < plan.devices; i++)
		if (!plan.device[i].absent && plan.device[i].config->managed)
			child[i] = start_bind(root, &plan.device[i], vm);
	for (unsigned i = 0; i < plan.devices; i++) {
		bool ended;

		if (child[i] == 0)
			continue;
		ended = child[i] > 0 && waitpid(child[i], &status, 0) == child[i];

		if (!ended || WIFSIGNALED(status))
			send_failure(vm, DIAG_BIND_FAIL, plan.device[i].bdf,
				     "bind it to its VFIO driver",
				     !ended ? "start a process for it" : "it was killed");
		ok = ok && ended && status == 0;
	}
	return ok;
}

/* Opens what QEMU gets and puts it in its place. */
static bool open_devices(int root, int vm, struct diag *diag)
{
	int fd;

	if (plan.devices == 0)
		return true;
	fd = claim_iommufd(root, vm, diag);
	if (fd < 0 || put(fd, ARGV_FD_IOMMUFD))
		return false;
	for (unsigned i = 0; i < plan.devices; i++) {
		if (plan.device[i].absent)
			continue;
		fd = claim_open(root, plan.device[i].bdf, vm, diag);
		if (fd < 0 || put(fd, (int)(ARGV_FD_HOSTDEV + i)))
			return false;
	}
	return true;
}

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

	sys_close_range(FD_REPORT + 1, ARGV_FD_IOMMUFD - 1);
	sys_close_range(ARGV_FD_HOSTDEV + plan.devices, ~0U);
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

_Noreturn static void run_launcher(const struct config *config, unsigned slot,
				   const struct ends *ends)
{
	const char *name = config->vm[slot].name;
	struct diag diag = { 0 };
	int vm = (int)slot;
	int root = begin_child(ends);

	facts_discover(root, &facts);
	plan_vm(config, slot, &facts, &plan);
	check_vm(root, config, &facts, &plan, &diag);
	if (send_findings(&diag, vm) || !bind_devices(root, vm))
		_exit(LAUNCHER_FAILED);
	argv_build(&plan, &argv);
	diag.count = 0;
	if (argv.overflow) {
		errno = E2BIG;
		give_up(vm, DIAG_LAUNCH_FAIL, name, "build QEMU's arguments");
	}
	if (!open_devices(root, vm, &diag)) {
		send_findings(&diag, vm);
		_exit(LAUNCHER_FAILED);
	}
	become_qemu(vm, name);
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

int launch_vm(const struct config *config, unsigned slot, struct launch *launch)
{
	struct ends ends = { -1, -1, -1, -1 };
	int error;

	*launch = (struct launch){ -1, -1, -1, -1, -1 };
	error = open_socketpair(&launch->qmp, &ends.qmp);
	if (!error)
		error = open_socketpair(&launch->serial, &ends.serial);
	if (!error)
		error = open_pipe(&launch->words, &ends.words);
	if (!error)
		error = open_pipe(&launch->report, &ends.report);
	if (!error) {
		launch->pid = fork();
		if (launch->pid == 0)
			run_launcher(config, slot, &ends);
		error = launch->pid < 0 ? -errno : 0;
	}
	close_ends(&ends);
	if (error)
		close_launch(launch);
	return error;
}

_Noreturn static void run_host(const struct config *config, bool probe, const struct ends *ends)
{
	const struct launch_report reserved = { .event = LAUNCH_RESERVED };
	struct diag diag = { 0 };
	int root = begin_child(ends);

	host_reserve(root, config, &diag);
	send_findings(&diag, DIAG_HOST);
	send_report(&reserved);
	diag.count = 0;
	if (probe)
		host_probe(root, config, &diag);
	send_findings(&diag, DIAG_HOST);
	_exit(0);
}

int launch_host(const struct config *config, bool probe, struct launch *launch)
{
	struct ends ends = { -1, -1, -1, -1 };
	int error;

	*launch = (struct launch){ -1, -1, -1, -1, -1 };
	error = open_pipe(&launch->report, &ends.report);
	if (!error) {
		launch->pid = fork();
		if (launch->pid == 0)
			run_host(config, probe, &ends);
		error = launch->pid < 0 ? -errno : 0;
	}
	close_ends(&ends);
	if (error)
		close_launch(launch);
	return error;
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
	iommufd = sys_fd_of(qemu, ARGV_FD_IOMMUFD);
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
