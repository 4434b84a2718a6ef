/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A function for each line of metrics.def. Names of VMs and addresses need no quoting. */
#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>

#include "bootcount.h"
#include "console.h"
#include "device.h"
#include "dma_fault.h"
#include "history.h"
#include "log.h"
#include "manifest.h"
#include "sys.h"
#include "util.h"
#include "version.h"
#include "vm.h"

static void print_info(const char *name, const struct config *config)
{
	char release[SYS_NAME];

	(void)config;
	sys_kernel_release(release, sizeof(release));
	printf("%s{version=\"" HVINIT_VERSION "\",board=\"" HVINIT_BOARD "\",kernel=\"%s\"} 1\n",
	       name, release);
}

static void print_up(const char *name, const struct config *config)
{
	uint64_t us = boottime_us();

	(void)config;
	printf("%s %" PRIu64 ".%06u\n", name, us / 1000000, (unsigned)(us % 1000000));
}

static void print_log_lost(const char *name, const struct config *config)
{
	(void)config;
	printf("%s %" PRIu64 "\n", name, log_lost());
}

static void print_dma_unnamed(const char *name, const struct config *config)
{
	(void)config;
	printf("%s %" PRIu64 "\n", name, dma_fault_unnamed());
}

static void print_boots_failed(const char *name, const struct config *config)
{
	(void)config;
	printf("%s %u\n", name, bootcount_failed());
}

/* Each VM that there is: for (slot = NONE; next_vm(&slot, &vm);) */
enum { NONE = HV_VM_SLOTS };

static bool next_vm(unsigned *slot, struct vm_view *vm)
{
	for (*slot = *slot == NONE ? 0 : *slot + 1; *slot < HV_VM_SLOTS; ++*slot) {
		if (!vm_exists(*slot))
			continue;
		*vm = vm_look(*slot);
		return true;
	}
	return false;
}

static void print_vm_state(const char *name, const struct config *config)
{
	struct vm_view vm;

	(void)config;
	for (unsigned slot = NONE; next_vm(&slot, &vm);)
		for (unsigned state = 0; state < VM_STATES; state++)
			printf("%s{vm=\"%s\",state=\"%s\"} %d\n", name, vm.name,
			       vm_state_name(state), strcmp(vm.state, vm_state_name(state)) == 0);
}

static void print_vm_ends(const char *name, const struct config *config)
{
	struct vm_view vm;

	(void)config;
	for (unsigned slot = NONE; next_vm(&slot, &vm);)
		for (unsigned cause = 0; cause < END_CAUSES; cause++)
			printf("%s{vm=\"%s\",cause=\"%s\"} %u\n", name, vm.name,
			       history_cause(cause), vm.history->tally[cause]);
}

static void print_vm_to_running(const char *name, const struct config *config)
{
	struct vm_view vm;

	(void)config;
	for (unsigned slot = NONE; next_vm(&slot, &vm);)
		if (vm.to_running_ms)
			printf("%s{vm=\"%s\"} %" PRIu64 ".%03u\n", name, vm.name,
			       vm.to_running_ms / 1000, (unsigned)(vm.to_running_ms % 1000));
}

/* One number for each VM. */
#define VM_NUMBER(function, number)                                                               \
	static void print_##function(const char *name, const struct config *config)               \
	{                                                                                         \
		struct vm_view vm;                                                                \
                                                                                                  \
		(void)config;                                                                     \
		for (unsigned slot = NONE; next_vm(&slot, &vm);)                                  \
			printf("%s{vm=\"%s\"} %" PRIu64 "\n", name, vm.name, (uint64_t)(number)); \
	}

VM_NUMBER(vm_state_seconds, vm.since_s)
VM_NUMBER(vm_starts, vm.starts)
VM_NUMBER(vm_resets, vm.history->resets)
VM_NUMBER(vm_devices, vm.devices)
VM_NUMBER(vm_vsmmus, vm.vsmmus)
VM_NUMBER(vm_calls_denied, vm.calls_denied)
VM_NUMBER(vm_console, vm_console(slot)->total)
VM_NUMBER(vm_dropped, console_dropped(slot))

typedef void print_one(const char *name, const struct config *config, unsigned slot, unsigned i);

static void print_one_state(const char *name, const struct config *config, unsigned slot,
			    unsigned i)
{
	const struct device *d = device_look(slot, i);
	const char *bdf = device_bdf(config, slot, i);

	for (unsigned state = 0; state < DEVICE_STATES; state++)
		printf("%s{vm=\"%s\",hostdev=\"%u\",bdf=\"%s\",state=\"%s\"} %d\n", name,
		       config->vm[slot].name, i, bdf, device_state_name(state), d->state == state);
}

static void print_one_count(const char *name, const struct config *config, unsigned slot,
			    unsigned i)
{
	printf("%s{vm=\"%s\",hostdev=\"%u\",bdf=\"%s\"} %" PRIu64 "\n", name, config->vm[slot].name,
	       i, device_bdf(config, slot, i), dma_fault_count(slot, i));
}

static void each_device(const char *name, const struct config *config, print_one *print)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		for (unsigned i = 0; vm_exists(slot) && i < HV_HOSTDEV_SLOTS; i++)
			if (manifest_hostdev_used(&config->vm[slot].hostdev[i]))
				print(name, config, slot, i);
}

static void print_device_state(const char *name, const struct config *config)
{
	each_device(name, config, print_one_state);
}

static void print_device_faults(const char *name, const struct config *config)
{
	each_device(name, config, print_one_count);
}

bool metrics_print(const struct config *config)
{
#define METRIC(name, type, function, labels, help)                       \
	printf("# HELP %s %s\n# TYPE %s %s\n", name, help, name, #type); \
	print_##function(name, config);
#include "metrics.def"
#undef METRIC
	return !ferror(stdout);
}
