/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's threads are told from the kernel's list of them, not by QMP's query-cpus-fast: a QEMU that
 * its guest owns must not have PID 1 move others' threads, and in a PID namespace the numbers that
 * QEMU knows are none of ours.
 */
#include "pin.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "sys_host.h"
#include "util.h"

_Static_assert(CPULIST_MAX <= CPU_SETSIZE, "a list of CPUs fits into the kernel's set");

static int set_affinity(pid_t thread, const struct cpulist *cpus)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (unsigned cpu = 0; cpu < CPULIST_MAX; cpu++)
		if (cpulist_has(cpus, cpu))
			CPU_SET(cpu, &set);
	return sched_setaffinity(thread, sizeof(set), &set) ? -errno : 0;
}

int pin_self(const struct cpulist *cpus)
{
	return set_affinity(0, cpus);
}

struct vcpus {
	const struct cpulist *cpus;
	unsigned pinned;
};

/* QEMU calls the thread of virtual CPU n "CPU n/KVM" (accel/kvm/kvm-accel-ops.c). */
static int pin(void *arg, pid_t thread, const char *name)
{
	static const char prefix[] = "CPU ";
	struct vcpus *vcpus = arg;
	struct cpulist one = { 0 };
	unsigned long vcpu;
	char *end;
	int error;
	int cpu;

	if (!str_prefix(name, prefix))
		return 0;
	vcpu = strtoul(name + strlen(prefix), &end, 10);
	if (strcmp(end, "/KVM") != 0)
		return 0;
	if (vcpu >= CPULIST_MAX)
		return -ENOENT;
	cpu = cpulist_nth(vcpus->cpus, (unsigned)vcpu);
	if (cpu < 0)
		return -ENOENT;
	one.bit[cpu / 64] = UINT64_C(1) << cpu % 64;
	error = set_affinity(thread, &one);
	if (!error)
		vcpus->pinned++;
	return error;
}

int pin_vcpus(int root, pid_t pid, const struct cpulist *cpus)
{
	struct vcpus vcpus = { cpus, 0 };
	int error = sys_thread_each(root, pid, pin, &vcpus);

	if (error)
		return error;
	return vcpus.pinned == cpulist_count(cpus) ? 0 : -ENOENT;
}
