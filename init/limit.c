/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Documentation/admin-guide/cgroup-v2.rst of Linux. */
#include "limit.h"

#include <errno.h>
#include <inttypes.h>

#include "sys_cgroup.h"
#include "util.h"

struct value {
	enum wall wall;
	const char *file;
	char text[CPULIST_TEXT]; /* "": it is left as it is */
};

static struct value number(enum wall wall, const char *file, uint64_t n)
{
	struct value value = { wall, file, "" };

	str_format(value.text, sizeof(value.text), "%" PRIu64, n);
	return value;
}

static struct value cpus(const struct plan *plan)
{
	struct value value = { WALL_CPUS, "cpuset.cpus", "" };

	if (cpulist_count(&plan->cpus))
		cpulist_print(&plan->cpus, value.text);
	return value;
}

const char *limit_vm(int root, const struct plan *plan, wall_set *missing)
{
	const struct value values[] = {
		number(WALL_MEMORY, "memory.max", plan->memory_max),
		number(WALL_TASKS, "pids.max", plan->tasks_max),
		number(WALL_WEIGHT, "cpu.weight", (uint64_t)plan->vm->cpu_weight),
		cpus(plan),
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		const struct value *v = &values[i];
		int error = v->text[0] ? sys_cgroup_set(root, plan->slot, v->file, v->text) : 0;

		errno = -error;
		if (error && error != -ENOENT)
			return v->file;
		if (error)
			*missing |= 1U << v->wall;
	}
	return NULL;
}
