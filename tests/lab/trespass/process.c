/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Other processes, and what its own may not become. */
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/sched.h>

#include "trespass.h"
#include "util.h"

enum {
	PIDS = 1000, /* that are tried where processes cannot be seen */
	BOMB = 1000,
	OTHER_USER = 64000, /* of VM 0 */
	CAPABILITY = 21, /* CAP_SYS_ADMIN */
	HARMLESS = SIGURG, /* ignored by who does not ask for it */
};

/* --- PID 1 --- */

static int open_pid1(void)
{
	return (int)syscall(SYS_pidfd_open, 1, 0);
}

int try_signal_pid1(void)
{
	return outcome(kill(1, HARMLESS));
}

int try_queue_signal(void)
{
	return outcome(sigqueue(1, HARMLESS, (union sigval){ 0 }));
}

int try_pidfd_signal(void)
{
	_cleanup_fd_ int pid1 = open_pid1();

	return outcome(syscall(SYS_pidfd_send_signal, pid1, HARMLESS, NULL, 0));
}

/* The end of the process that traces ends that, too. */
static int trace(pid_t pid)
{
	return outcome(ptrace(PTRACE_SEIZE, pid, 0, 0));
}

int try_ptrace_pid1(void)
{
	return trace(1);
}

int try_pidfd_getfd(void)
{
	_cleanup_fd_ int pid1 = open_pid1();

	return outcome(syscall(SYS_pidfd_getfd, pid1, 0, 0));
}

int try_setns(void)
{
	_cleanup_fd_ int pid1 = open_pid1();

	return outcome(setns(pid1, CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS));
}

int try_move_pages(void)
{
	void *page = NULL;
	int status;

	return outcome(syscall(SYS_move_pages, 1, 1UL, &page, NULL, &status, 0));
}

int try_migrate_pages(void)
{
	unsigned long nodes = 1;

	return outcome(syscall(SYS_migrate_pages, 1, 2UL, &nodes, &nodes));
}

/* What follows sets what is set already. */
int try_renice_pid1(void)
{
	return outcome(setpriority(PRIO_PROCESS, 1, getpriority(PRIO_PROCESS, 1)));
}

int try_schedule_pid1(void)
{
	struct sched_param param = { 0 };

	return outcome(syscall(SYS_sched_setscheduler, 1, SCHED_OTHER, &param));
}

int try_move_pid1(void)
{
	cpu_set_t cpus;

	if (sched_getaffinity(1, sizeof(cpus), &cpus))
		return -errno;
	return outcome(sched_setaffinity(1, sizeof(cpus), &cpus));
}

int try_ioprio_pid1(void)
{
	return outcome(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 1, 0));
}

static int limit(pid_t pid)
{
	struct rlimit now;

	if (prlimit(pid, RLIMIT_CORE, NULL, &now))
		return -errno;
	return outcome(prlimit(pid, RLIMIT_CORE, &now, NULL));
}

int try_limit_pid1(void)
{
	return limit(1);
}

int try_process_vm_readv(void)
{
	char byte;
	struct iovec here = { &byte, 1 };
	struct iovec there = { &byte, 1 };

	return outcome(process_vm_readv(1, &here, 1, &there, 1, 0));
}

int try_process_vm_writev(void)
{
	char byte = 0;
	struct iovec here = { &byte, 1 };
	struct iovec there = { NULL, 1 };

	return outcome(process_vm_writev(1, &here, 1, &there, 1, 0));
}

int try_kcmp(void)
{
	return outcome(syscall(SYS_kcmp, 1, getpid(), 0, 0, 0));
}

/* --- any other process --- */

static int is_qemu(pid_t pid)
{
	static const char name[] = "qemu-system-aar";
	char path[32];
	char text[sizeof(name)] = "";
	_cleanup_fd_ int fd = -1;

	str_format(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, text, sizeof(name) - 1) > 0 && strcmp(text, name) == 0;
}

/*
 * Does it to the other VM's QEMU; where it cannot be told which one that is, to every process but this
 * program's own two.
 */
static int to_others(int (*act)(pid_t pid))
{
	int error = -ESRCH;
	int last;

	for (pid_t pid = 2; pid < PIDS; pid++)
		if (is_qemu(pid))
			return act(pid);
	for (pid_t pid = 2; pid < PIDS && error; pid++) {
		last = pid == getpid() || pid == getppid() ? -ESRCH : act(pid);
		error = last == -ESRCH ? error : last;
	}
	return error;
}

static int signal_it(pid_t pid)
{
	return outcome(kill(pid, HARMLESS));
}

int try_signal_other(void)
{
	return to_others(signal_it);
}

int try_ptrace_other(void)
{
	return to_others(trace);
}

int try_limit_other(void)
{
	return to_others(limit);
}

static int get_list(pid_t pid)
{
	void *list;
	size_t size;

	return outcome(syscall(SYS_get_robust_list, pid, &list, &size));
}

int try_robust_list(void)
{
	return to_others(get_list);
}

/* Nothing is at the address, and so nothing is done. */
static int advise(pid_t pid)
{
	_cleanup_fd_ int process = (int)syscall(SYS_pidfd_open, pid, 0);
	struct iovec nothing = { NULL, 0 };

	if (process < 0)
		return errno == EINVAL ? -ESRCH : -errno;
	return outcome(syscall(SYS_process_madvise, process, &nothing, 1, 20 /* MADV_COLD */, 0));
}

int try_process_madvise(void)
{
	return to_others(advise);
}

/* --- more than its share --- */

int try_fork_bomb(void)
{
	static pid_t child[BOMB];
	int error = 0;
	int count;

	for (count = 0; count < BOMB && !error; count++) {
		child[count] = fork();
		if (child[count] == 0) {
			pause();
			_exit(0);
		}
		error = outcome(child[count]);
	}
	while (count-- > 0)
		if (child[count] > 0)
			kill(child[count], SIGKILL);
	while (wait(NULL) > 0)
		;
	return error;
}

/* The VM is pinned to CPU 1. */
int try_affinity(void)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	return outcome(sched_setaffinity(0, sizeof(first), &first));
}

int try_nice(void)
{
	return outcome(setpriority(PRIO_PROCESS, 0, -5));
}

int try_realtime(void)
{
	struct sched_param param = { .sched_priority = 1 };

	return outcome(syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &param));
}

int try_ioprio_realtime(void)
{
	const int priority = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 0);

	return outcome(syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, priority));
}

static int raise_limit(int resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit))
		return -errno;
	if (limit.rlim_max != RLIM_INFINITY)
		limit.rlim_max++;
	return outcome(setrlimit(resource, &limit));
}

int try_raise_memlock(void)
{
	return raise_limit(RLIMIT_MEMLOCK);
}

int try_raise_files(void)
{
	return raise_limit(RLIMIT_NOFILE);
}

int try_raise_core(void)
{
	return raise_limit(RLIMIT_CORE);
}

/* --- privileges --- */

int try_setuid(void)
{
	return outcome(setuid(0));
}

int try_become_other(void)
{
	return outcome(setresuid(OTHER_USER, OTHER_USER, OTHER_USER));
}

int try_setgid(void)
{
	return outcome(setgid(0));
}

int try_setgroups(void)
{
	static const gid_t groups[] = { 0 };

	return outcome(setgroups(1, groups));
}

/* Raises a capability in all three sets. */
static int raise_capability(unsigned inheritable)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[0].effective |= 1U << CAPABILITY;
	data[0].permitted |= 1U << CAPABILITY;
	data[0].inheritable |= inheritable << CAPABILITY;
	return outcome(syscall(SYS_capset, &head, data));
}

int try_capset(void)
{
	return raise_capability(0);
}

int try_ambient(void)
{
	raise_capability(1);
	return outcome(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAPABILITY, 0, 0));
}

int try_securebits(void)
{
	return outcome(prctl(PR_SET_SECUREBITS, prctl(PR_GET_SECUREBITS), 0, 0, 0));
}

int try_keep_capabilities(void)
{
	return outcome(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
}
