/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VM's devices on their way to its QEMU and back, side by side. */
#include "launch_devices.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "argv.h"
#include "check.h"
#include "child.h"
#include "claim.h"
#include "qmp.h"
#include "sys.h"
#include "util.h"

static void send_device(const struct plan_device *device, enum device_state state, const char *why)
{
	struct launch_report report = {
		.event = LAUNCH_DEVICE,
		.hostdev = device->slot,
		.device = state,
	};

	str_copy(report.finding.subject, sizeof(report.finding.subject), device->bdf);
	str_copy(report.finding.text, sizeof(report.finding.text), why);
	child_report(&report);
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
			_exit(CHILD_FAILED);
		work(root, device, vm, &diag);
		_exit(child_findings(&diag, vm) ? CHILD_FAILED : 0);
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
	child_failure(vm, DIAG_BIND_FAIL, device->bdf, step,
		      ended ? "it was killed" : "start a process for it");
	return false;
}

static bool for_devices(const struct plan *plan, device_work *work, const char *step, int root,
			int vm)
{
	pid_t child[HV_HOSTDEV_SLOTS] = { 0 };
	bool ok = true;

	for (unsigned i = 0; i < plan->devices; i++)
		if (!plan->device[i].absent)
			child[i] = start_work(work, root, &plan->device[i], vm);
	for (unsigned i = 0; i < plan->devices; i++)
		if (child[i])
			ok = end_work(child[i], &plan->device[i], step, vm) && ok;
	return ok;
}

/* From here on they count as the VM's, and those in quarantine end the start. */
bool launch_announce(const struct plan *plan, int vm, struct diag *diag)
{
	for (unsigned i = 0; i < plan->devices; i++) {
		const struct plan_device *d = &plan->device[i];
		const struct device *known = device_look((unsigned)vm, d->slot);

		if (known->state == DEVICE_QUARANTINED)
			diag_add(diag, vm, DIAG_DEV_QUARANTINE, d->bdf, "use it: %s", known->why);
		else if (!d->absent)
			send_device(d, DEVICE_CLAIMED, "");
	}
	return diag_failures(diag, vm) == 0;
}

bool launch_bind(const struct plan *plan, int root, int vm)
{
	return for_devices(plan, bind_device, "bind it to its VFIO driver", root, vm);
}

/* Only children touch these: in PID 1 their pages stay unused. */
static struct facts facts;
static struct plan plan;

/* Only what the manifest lets hvinit bind is released. */
_Noreturn static void run_release(const struct child_job *job, const struct child_ends *ends)
{
	int vm = (int)job->slot;
	int root = child_begin(ends);

	facts_discover(root, &facts);
	plan_vm(job->config, job->slot, &facts, &plan);
	for (unsigned i = 0; i < plan.devices; i++)
		plan.device[i].absent |=
			!plan.device[i].fact || !plan.device[i].config->managed ||
			(job->hostdev != LAUNCH_ALL && plan.device[i].slot != job->hostdev);
	for_devices(&plan, release_device, "release it", root, vm);
	_exit(0);
}

int launch_release(const struct config *config, unsigned slot, unsigned hostdev,
		   struct launch *launch)
{
	const struct child_job job = {
		.run = run_release,
		.config = config,
		.slot = slot,
		.hostdev = hostdev,
	};

	launch->cgroup = -1;
	return child_start(&job, CHILD_REPORTS, -1, launch);
}

/* --- a device for a VM that runs --- */

/* Of what check finds in the whole VM, which runs already, only what is about this device counts. */
static bool is_about(const struct finding *finding, const struct plan_device *d, unsigned slot)
{
	char symbol[DIAG_SUBJECT];

	str_format(symbol, sizeof(symbol), "VM%u_HOSTDEV%u_", slot, d->slot);
	return str_prefix(finding->subject, symbol) || strcmp(finding->subject, d->bdf) == 0;
}

static bool check_one(const struct child_job *job, int root, const struct plan_device *d,
		      struct diag *diag)
{
	static struct check_set set;
	static struct diag all;

	set = (struct check_set){
		.config = job->config,
		.facts = &facts,
		.machine = true,
		.prepared = true,
		.root = root,
	};
	check_plan(&set);
	check_vm(&set, job->slot, &all);
	for (unsigned i = 0; i < all.count; i++)
		if (is_about(&all.finding[i], d, job->slot))
			diag_add(diag, (int)job->slot, all.finding[i].code, all.finding[i].subject,
				 "%s", all.finding[i].text);
	return diag_failures(diag, (int)job->slot) == 0;
}

/* Both commands at once: QEMU takes them in order, and without the first the second fails. */
static int send_to_qemu(unsigned i, int fd)
{
	unsigned slot = plan.device[i].slot;
	char arguments[512];
	char name[32];
	char id[32];
	int error;

	str_format(name, sizeof(name), PLUG_FD, slot);
	str_format(arguments, sizeof(arguments), "{\"fdname\":\"%s\"}", name);
	str_format(id, sizeof(id), PLUG_GETFD "%u", slot);
	error = qmp_send_with(ARGV_FD_QMP, "getfd", arguments, id, fd);
	if (error)
		return error;
	if (!argv_hostdev(&plan, i, name, arguments, sizeof(arguments)))
		return -E2BIG;
	str_format(id, sizeof(id), PLUG_ATTACH "%u", slot);
	return qmp_send_with(ARGV_FD_QMP, "device_add", arguments, id, -1);
}

static bool attach(const struct child_job *job, int root, unsigned i, struct diag *diag)
{
	const struct plan_device *d = &plan.device[i];
	int vm = (int)job->slot;
	_cleanup_fd_ int fd = -1;
	int error;

	if (!check_one(job, root, d, diag) || !bind_device(root, d, vm, diag))
		return false;
	fd = claim_open(root, d->bdf, vm, diag);
	if (fd < 0)
		return false;
	error = send_to_qemu(i, fd);
	if (error)
		diag_add(diag, vm, DIAG_PLUG_FAIL, d->bdf, "send it to QEMU: %s", strerror(-error));
	return !error;
}

_Noreturn static void run_attach(const struct child_job *job, const struct child_ends *ends)
{
	struct diag diag = { 0 };
	int root = child_begin(ends);
	bool done = false;

	facts_discover(root, &facts);
	plan_vm(job->config, job->slot, &facts, &plan);
	for (unsigned i = 0; i < plan.devices; i++) {
		if (plan.device[i].slot != job->hostdev)
			continue;
		if (plan.device[i].absent || !plan.device[i].fact)
			diag_add(&diag, (int)job->slot, DIAG_DEV_NONE, plan.device[i].config->bdf,
				 "attach it: no such PCI device");
		else
			done = attach(job, root, i, &diag);
	}
	child_findings(&diag, (int)job->slot);
	_exit(done ? 0 : CHILD_FAILED);
}

int launch_attach(const struct config *config, unsigned slot, unsigned hostdev, int qmp,
		  struct launch *launch)
{
	const struct child_job job = {
		.run = run_attach,
		.config = config,
		.slot = slot,
		.hostdev = hostdev,
	};

	launch->cgroup = -1;
	return child_start(&job, CHILD_REPORTS, qmp, launch);
}
