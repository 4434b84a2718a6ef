/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything after fork() runs in a child and may block. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "argv.h"
#include "open.h"
#include "pass.h"
#include "sys.h"
#include "sys_cgroup.h"
#include "util.h"

/* The first number that no place has. */
enum { FD_SPARE = 64 };

int child_hand_over(const struct launch_report *report, int fd)
{
	return pass_send(CHILD_FD_REPORT, report, sizeof(*report), fd, 0) < 0 ? -1 : 0;
}

void child_report(const struct launch_report *report)
{
	ssize_t n;

	do {
		n = write(CHILD_FD_REPORT, report, sizeof(*report));
	} while (n < 0 && errno == EINTR);
}

/* Hands over what diag holds; true when one of the findings forbids to go on. */
bool child_findings(const struct diag *diag, int vm)
{
	struct launch_report report = { .event = LAUNCH_FINDING };

	for (unsigned i = 0; i < diag->count; i++) {
		report.finding = diag->finding[i];
		child_report(&report);
	}
	return diag_failures(diag, vm) > 0;
}

void child_failure(int vm, enum diag_code code, const char *subject, const char *step,
		   const char *why)
{
	struct diag diag = { 0 };

	diag_add(&diag, vm, code, subject, "%s: %s", step, why);
	child_findings(&diag, vm);
}

_Noreturn void child_give_up(int vm, enum diag_code code, const char *subject, const char *step)
{
	child_failure(vm, code, subject, step, strerror(errno));
	_exit(CHILD_FAILED);
}

/*
 * Leaves only standard streams and channels. Whatever else PID 1 had open is
 * close-on-exec, but a launcher can live for seconds and must not keep it alive.
 */
static int keep_only(const struct child_ends *ends, int root)
{
	int nul = sys_null_open(root);
	struct child_ends high = {
		.qmp = fcntl(ends->qmp, F_DUPFD_CLOEXEC, FD_SPARE),
		.serial = fcntl(ends->serial, F_DUPFD_CLOEXEC, FD_SPARE),
		.ctl = fcntl(ends->ctl, F_DUPFD_CLOEXEC, FD_SPARE),
		.words = fcntl(ends->words, F_DUPFD_CLOEXEC, FD_SPARE),
		.report = fcntl(ends->report, F_DUPFD_CLOEXEC, FD_SPARE),
	};

	if (nul < 0 || high.report < 0 || open_put(nul, 0) ||
	    open_put(high.report, CHILD_FD_REPORT))
		return -1;
	if (dup2(ends->words < 0 ? 0 : high.words, 1) < 0 || dup2(1, 2) < 0)
		return -1;
	if (fcntl(CHILD_FD_REPORT, F_SETFD, FD_CLOEXEC))
		return -1;
	sys_close_range(3, CHILD_FD_REPORT - 1);
	if ((ends->qmp >= 0 && open_put(high.qmp, ARGV_FD_QMP)) ||
	    (ends->serial >= 0 && open_put(high.serial, ARGV_FD_SERIAL)))
		return -1;
	/* Its place is behind the reports': all others there are closed around it. */
	if (ends->ctl < 0)
		return sys_close_range(CHILD_FD_REPORT + 1, ~0U);
	sys_close_range(CHILD_FD_REPORT + 1, FD_SPARE - 1);
	if (open_put(high.ctl, ARGV_FD_CTL))
		return -1;
	return sys_close_range(ARGV_FD_CTL + 1, ~0U);
}

/* What every child does first. Returns a root of its own. */
int child_begin(const struct child_ends *ends)
{
	int root = sys_root_open("/");

	sys_unblock_signals();
	if (root < 0 || keep_only(ends, root))
		_exit(CHILD_FAILED);
	/* That one is closed by now. */
	root = sys_root_open("/");
	if (root < 0)
		_exit(CHILD_FAILED);
	return root;
}

static void close_ends(const struct child_ends *ends)
{
	close_fdp(&ends->qmp);
	close_fdp(&ends->serial);
	close_fdp(&ends->ctl);
	close_fdp(&ends->words);
	close_fdp(&ends->report);
}

static void close_launch(const struct launch *launch)
{
	const struct child_ends ours = { launch->qmp, launch->serial, launch->ctl, launch->words,
					 launch->report };

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

/* Each message of reports stands for itself, and can have a descriptor with it. */
static int open_socketpair(int type, int *ours, int *theirs)
{
	int fd[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fd))
		return -errno;
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	*ours = fd[0];
	*theirs = fd[1];
	return 0;
}

/*
 * PID 1's end must not block; QEMU sets its own end as it likes. Nor may QEMU send a descriptor along: as
 * long as it is on its way PID 1 would hold it, and when it is dropped its last close, which for a device
 * is its reset, would be PID 1's to wait for. A kernel before 6.16 cannot be told.
 */
static int open_line(int *ours, int *theirs)
{
	const int no = 0;
	int error = open_socketpair(SOCK_STREAM, ours, theirs);

	if (!error)
		setsockopt(*ours, SOL_SOCKET, CHILD_PASSRIGHTS, &no, sizeof(no));
	return error;
}

/* A launcher is in its VM's group from the first, so that whatever it forks dies with it. */
static pid_t start_process(const struct child_job *job)
{
	pid_t pid;

	if (job->grouped)
		return sys_cgroup_fork(AT_FDCWD, job->slot);
	pid = fork();
	return pid < 0 ? -errno : pid;
}

int child_start(const struct child_job *job, enum child_channels channels, int qmp,
		struct launch *launch)
{
	struct child_ends ends = { -1, -1, -1, -1, -1 };
	bool talks = channels != CHILD_REPORTS;
	int cgroup = launch->cgroup;
	int error;

	*launch = LAUNCH_NOTHING;
	launch->cgroup = cgroup;
	error = open_socketpair(SOCK_SEQPACKET, &launch->report, &ends.report);
	if (!error && talks)
		error = open_line(&launch->qmp, &ends.qmp);
	if (!error && talks)
		error = open_line(&launch->serial, &ends.serial);
	if (!error && channels == CHILD_TALKS_CTL)
		error = open_line(&launch->ctl, &ends.ctl);
	if (!error && talks)
		error = open_pipe(&launch->words, &ends.words);
	if (!error) {
		launch->pid = start_process(job);
		if (launch->pid == 0) {
			if (qmp >= 0)
				ends.qmp = qmp;
			job->run(job, &ends);
		}
		error = launch->pid < 0 ? launch->pid : 0;
	}
	close_ends(&ends);
	if (error)
		close_launch(launch);
	return error;
}
