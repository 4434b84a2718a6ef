/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documentation/admin-guide/cgroup-v2.rst of Linux. */
#include "limit.h"

#include <inttypes.h>

#include "sys_cgroup.h"
#include "util.h"

static wall_set set(int root, unsigned slot, enum wall wall, const char *file, const char *value)
{
	return sys_cgroup_set(root, slot, file, value) ? 1U << wall : 0;
}

static wall_set set_number(int root, unsigned slot, enum wall wall, const char *file,
			   uint64_t value)
{
	char text[24];

	str_format(text, sizeof(text), "%" PRIu64, value);
	return set(root, slot, wall, file, text);
}

wall_set limit_vm(int root, const struct plan *plan)
{
	unsigned slot = plan->slot;
	char text[CPULIST_TEXT];
	wall_set missing = 0;

	missing |= set_number(root, slot, WALL_MEMORY, "memory.max", plan->memory_max);
	missing |= set_number(root, slot, WALL_TASKS, "pids.max", plan->tasks_max);
	missing |=
		set_number(root, slot, WALL_WEIGHT, "cpu.weight", (uint64_t)plan->vm->cpu_weight);
	if (cpulist_count(&plan->cpus))
		missing |=
			set(root, slot, WALL_CPUS, "cpuset.cpus", cpulist_print(&plan->cpus, text));
	return missing;
}
