/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One object, from what other rooms tell. */
#include "status.h"

#include "bootcount.h"
#include "console.h"
#include "device.h"
#include "dma_fault.h"
#include "history.h"
#include "log.h"
#include "manifest.h"
#include "select.h"
#include "show.h"
#include "sys.h"
#include "trial.h"
#include "trust.h"
#include "util.h"
#include "version.h"
#include "vm.h"
#include "watchdog.h"

static void add_trust(struct json *json)
{
	const struct trust *trust = trust_get();

	if (trust->secure_boot < 0)
		json_null(json, "secure_boot");
	else
		json_bool(json, "secure_boot", trust->secure_boot);
	json_text(json, "lockdown", trust->lockdown);
	json_bool(json, "signed", trust->is_signed);
}

static void add_machine(struct json *json)
{
	char release[SYS_NAME];

	sys_kernel_release(release, sizeof(release));
	json_string(json, "board", HVINIT_BOARD);
	json_text(json, "kernel", release);
	json_number(json, "up_s", (int64_t)(boottime_us() / 1000000));
	json_number(json, "active", vm_active());
	add_trust(json);
	json_string(json, "watchdog", watchdog_state());
	json_text(json, "last_reset", watchdog_last_reset());
	json_string(json, "manifest", select_word(select_look()->from));
	json_text(json, "uuid", select_look()->uuid);
	json_number(json, "boots_failed", bootcount_failed());
	trial_json(json);
	json_number(json, "log_lost_lines", (int64_t)log_lost());
	json_number(json, "dma_faults_unnamed", (int64_t)dma_fault_unnamed());
}

static void add_ends(struct json *json, const struct history *history)
{
	json_number(json, "guest_resets", history->resets);
	json_object(json, "ends");
	for (unsigned cause = 0; cause < END_CAUSES; cause++)
		json_number(json, history_cause(cause), history->tally[cause]);
	json_end(json);
}

static void add_walls(struct json *json, wall_set missing)
{
	json_object(json, "walls");
	for (unsigned i = 0; i < WALLS; i++)
		json_bool(json, wall_name(i), !(missing & 1U << i));
	json_end(json);
}

static void add_confinement(struct json *json, const struct vm_view *vm)
{
	const struct confined *confined = vm->confined;

	if (!confined->user) {
		json_null(json, "confinement");
		return;
	}
	json_object(json, "confinement");
	json_number(json, "user", confined->user);
	add_walls(json, confined->missing);
	json_number(json, "landlock_abi", confined->landlock_abi);
	json_number(json, "denied_calls", confined->denied_calls);
	json_number(json, "calls_denied", (int64_t)vm->calls_denied);
	json_number(json, "lock_bytes", (int64_t)confined->memlock);
	json_number(json, "memory_bytes", (int64_t)confined->memory_max);
	json_number(json, "tasks", (int64_t)confined->tasks_max);
	json_end(json);
}

static void add_devices(struct json *json, const struct config *config, unsigned slot)
{
	json_array(json, "hostdevs");
	for (unsigned i = 0; i < HV_HOSTDEV_SLOTS; i++) {
		const struct device *d = device_look(slot, i);

		if (!manifest_hostdev_used(&config->vm[slot].hostdev[i]))
			continue;
		json_object(json, NULL);
		json_number(json, "hostdev", i);
		json_text(json, "bdf", device_bdf(config, slot, i));
		json_string(json, "state", device_state_name(d->state));
		json_text(json, "why", d->why);
		json_number(json, "dma_faults", (int64_t)dma_fault_count(slot, i));
		json_end(json);
	}
	json_end(json);
}

static void add_vm(struct json *json, const struct config *config, unsigned slot)
{
	struct vm_view vm = vm_look(slot);

	json_object(json, NULL);
	json_string(json, "name", vm.name);
	json_number(json, "vm", slot);
	json_string(json, "state", vm.state);
	json_text(json, "why", vm.why);
	json_number(json, "since_s", (int64_t)vm.since_s);
	json_number(json, "again_s", (int64_t)vm.again_s);
	json_count(json, "pid", vm.pid ? vm.pid : -1);
	json_number(json, "starts", vm.starts);
	json_count(json, "to_running_ms", vm.to_running_ms ? (int64_t)vm.to_running_ms : -1);
	json_number(json, "devices", vm.devices);
	json_number(json, "vsmmus", vm.vsmmus);
	json_number(json, "console_bytes", (int64_t)vm_console(slot)->total);
	json_number(json, "console_dropped_bytes", (int64_t)console_dropped(slot));
	add_confinement(json, &vm);
	add_ends(json, vm.history);
	add_devices(json, config, slot);
	json_end(json);
}

bool status_json(const struct config *config, unsigned slot)
{
	struct json json = show_begin_json();

	add_machine(&json);
	json_array(&json, "vms");
	for (unsigned i = 0; i < HV_VM_SLOTS; i++)
		if (vm_exists(i) && (slot == HV_VM_SLOTS || slot == i))
			add_vm(&json, config, i);
	json_end(&json);
	json_end(&json);
	return json_finish(&json);
}
