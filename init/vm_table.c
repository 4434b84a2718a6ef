/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an event means for a VM depends on its state: the table at the end of this file holds every
 * pair of them, and what its cells do stands before it.
 */
#include <fcntl.h>

#include "console.h"
#include "critical.h"
#include "event.h"
#include "log.h"
#include "pin.h"
#include "shutdown.h"
#include "util.h"
#include "vm_private.h"

enum {
	LOST_MS = 5 * 1000, /* from the end of the monitor to that of the process */
};

typedef void action(struct vm *vm);

static void ignore(struct vm *vm)
{
	(void)vm;
}

/* --- commands that do nothing here, and why --- */

static void no_manifest(struct vm *vm)
{
	vm->refusal = "its manifest has faults; see 'check'";
}

static void no_process(struct vm *vm)
{
	vm->refusal = "it is not running";
}

static void is_started(struct vm *vm)
{
	vm->refusal = "it is started already";
}

static void is_starting(struct vm *vm)
{
	vm->refusal = "its guest does not run yet";
}

static void is_running(struct vm *vm)
{
	vm->refusal = "it is running";
}

static void is_paused(struct vm *vm)
{
	vm->refusal = "it is paused already";
}

static void is_stopping(struct vm *vm)
{
	vm->refusal = "it is being stopped already; 'kill' ends it at once";
}

static void is_stuck(struct vm *vm)
{
	vm->refusal = "the kernel does not let go of its QEMU; only a reboot helps";
}

/* One that waits for its turn will not be started. */
static void stop_waiting(struct vm *vm)
{
	if (!vm->waiting)
		no_process(vm);
	else
		vm_enter(vm, VM_STOPPED, "not started after all");
	vm->waiting = false;
}

/* --- starting --- */

static void begin(struct vm *vm)
{
	vm->stop = STOP_NONE;
	vm->stop_wanted = vm->start_wanted = false;
	vm->execed = false;
	vm->garbage = 0;
	vm->waiting = false;
	vm->started = vm_now_ms();
	vm->ran = false;
	vm->faulty = false;
	vm->bitten = vm->panicked = vm->io_failed = vm->hung = false;
	vm->asked = 0;
	vm->messages = VM_MESSAGES;
	vm->counted = vm->started;
	vm->too_many = false;
	vm->status = 0;
	vm->reason[0] = '\0';
	vm->starts++;
}

static void start_again(struct vm *vm)
{
	struct launch launch;
	int error;

	if (shutdown_going_on()) {
		vm->refusal = "the machine is going down";
		return;
	}
	begin(vm);
	vm_enter(vm, VM_STARTING, "");
	error = launch_vm(vm_config(), vm->slot, &launch);
	if (error) {
		vm_fault_text(vm, DIAG_LAUNCH_FAIL, "start a launcher: %s", strerror(-error));
		vm_judge(vm);
		vm_policy_ended(vm);
		return;
	}
	vm->pid = launch.pid;
	vm_io_open(vm, &launch);
	timer_set(&vm->timer, vm_ready_ms(vm->config));
}

/* Said by somebody: what went wrong before is forgotten. */
static void start(struct vm *vm)
{
	/* Its turn comes when the devices are there. */
	vm->waiting = vm->releasing || vm->plugging;
	if (vm->waiting)
		return;
	vm->tries = 0;
	vm->forgiven = vm_now_ms();
	start_again(vm);
}

/* Its report can be read late, when QEMU has talked meanwhile. */
static void note_exec(struct vm *vm)
{
	vm->execed = true;
	log_msg(LOG_LEVEL_INFO, vm->config->name, "exec QEMU: pid %d, %u devices, %u vSMMUs",
		(int)vm->pid, vm->devices, vm->vsmmus);
}

static void tell_exec(struct vm *vm)
{
	static const char *const kind[] = {
		[VM_HUGEPAGES_NONE] = "ordinary",
		[VM_HUGEPAGES_2M] = "2 MiB",
		[VM_HUGEPAGES_1G] = "1 GiB",
	};

	note_exec(vm);
	if (vm->devices)
		str_format(vm->why, sizeof(vm->why), "QEMU pins %lu MiB of memory in %s pages",
			   (unsigned long)vm->config->memory_mib, kind[vm->config->hugepages]);
}

/* As many CPUs of the host as the guest has: each gets one for itself. */
static void pin(struct vm *vm)
{
	struct cpulist cpus;
	int error;

	if (!cpulist_parse(vm->config->cpu_pin, &cpus) ||
	    cpulist_count(&cpus) != (uint64_t)vm->config->cpus)
		return;
	error = pin_vcpus(AT_FDCWD, vm->pid, &cpus);
	if (error)
		vm_fault_text(vm, DIAG_VCPU_PIN, "pin virtual CPUs to %s: %s", vm->config->cpu_pin,
			      strerror(-error));
}

static void let_run(struct vm *vm)
{
	vm_enter(vm, VM_PRELAUNCH, "");
	pin(vm);
	qmp_send(vm->qmp.fd, "cont", "cont");
}

static void run(struct vm *vm)
{
	bool first = !vm->ran;

	timer_set(&vm->timer, 0);
	if (first) {
		vm->ran_from = vm_now_ms();
		vm->to_running = vm->ran_from - vm->started;
	}
	vm->ran = true;
	vm->panicked = false;
	vm_enter(vm, VM_RUNNING, "");
	vm_pulse_changed();
	if (vm->devices && first)
		launch_learn(vm_config(), vm->slot, vm->pid);
}

static void late(struct vm *vm)
{
	vm->hung = true;
	vm_fault_text(vm, DIAG_QMP_LATE, "wait for QEMU: no answer in %lu s",
		      (unsigned long)((vm_now_ms() - vm->started) / 1000));
	vm_abandon(vm);
}

/* --- running and paused --- */

/* Why is QEMU's to say: by us, for an I/O error, or because the guest has panicked. */
static void note_pause(struct vm *vm)
{
	vm_enter(vm, VM_PAUSED, vm->panicked ? "guest-panicked" : "");
	qmp_send(vm->qmp.fd, "query-status", "paused");
}

static void ask_pause(struct vm *vm)
{
	qmp_send(vm->qmp.fd, "stop", "pause");
}

static void ask_resume(struct vm *vm)
{
	qmp_send(vm->qmp.fd, "cont", "resume");
}

static void ask_reset(struct vm *vm)
{
	qmp_send(vm->qmp.fd, "system_reset", "reset");
}

static void be_hung(struct vm *vm)
{
	vm->hung = true;
	vm_fault_text(vm, DIAG_QEMU_HUNG, "talk to QEMU: it has not answered for %lu s",
		      (unsigned long)((vm_now_ms() - vm->asked) / 1000));
	vm_abandon(vm);
}

/* When QEMU ends its monitor closes a moment before the process is gone: give it that moment. */
static void expect_end(struct vm *vm)
{
	timer_set(&vm->timer, LOST_MS);
}

static void lost(struct vm *vm)
{
	vm->hung = true;
	vm_fault_text(vm, DIAG_QMP_LATE, "talk to QEMU: it closed its monitor and runs on");
	vm_abandon(vm);
}

/* --- stopping --- */

static void restart(struct vm *vm)
{
	vm_stop(vm);
	vm->start_wanted = true;
}

static void restart_paused(struct vm *vm)
{
	vm_stop_paused(vm);
	vm->start_wanted = true;
}

static void restart_early(struct vm *vm)
{
	vm_stop_early(vm);
	vm->start_wanted = true;
}

static void want_start(struct vm *vm)
{
	vm->start_wanted = true;
}

static void finish(struct vm *vm)
{
	bool again = vm->start_wanted && !shutdown_going_on();

	timer_set(&vm->timer, 0);
	loop_close(&vm->cgroup);
	vm->lingering = false;
	vm_plug_ended(vm);
	vm_judge(vm);
	vm_pulse_changed();
	console_guest_ended(vm->slot);
	if (again)
		vm_handle(vm, VM_EV_START);
	else if (!vm->stop_wanted)
		vm_policy_ended(vm);
	if (vm->state == VM_STOPPED || vm->state == VM_FAILED)
		vm_release(vm);
	vm_policy_last(vm);
	shutdown_proceed();
}

/* The process is reaped; what else it has left in its control group must go, too. */
static void ended(struct vm *vm)
{
	enum vm_state before;

	vm_io_close(vm);
	vm->pid = 0;
	if (vm_is_gone(vm)) {
		finish(vm);
	} else if (vm->state != VM_STUCK) {
		/* Without a line: as a rule the kernel takes a moment longer, and that is all. */
		before = vm->state;
		vm->state = VM_STOPPING;
		str_copy(vm->why, sizeof(vm->why), "waits for the end of what QEMU has left");
		event_vm(vm->config->name, vm_state_name(vm->state), vm_state_name(before),
			 vm->why);
	}
}

static void emptied(struct vm *vm)
{
	if (vm->pid == 0)
		finish(vm);
}

/* --- no process --- */

static void end_backoff(struct vm *vm)
{
	timer_set(&vm->timer, 0);
	vm_enter(vm, VM_STOPPED, "not started again");
	vm_release(vm);
	vm_policy_last(vm);
}

static void reject(struct vm *vm)
{
	vm->waiting = false;
	vm->faulty = true;
	vm_enter(vm, VM_FAILED, vm->fault.text);
	critical_failed(vm_config(), vm->slot);
}

/*
 * A row for each state, a cell for each event in the order of enum vm_event. The macro takes just
 * so many cells, so that one that is forgotten does not compile.
 */
#define ROW(state, start, stop, kill, restart, pause, resume, reset, exec, ready, resumed, paused,   \
	    refused, lost, hung, timeout, ended, empty, unfit)                                       \
	[state] = {                                                                                  \
		[VM_EV_START] = (start),     [VM_EV_STOP] = (stop),	[VM_EV_KILL] = (kill),       \
		[VM_EV_RESTART] = (restart), [VM_EV_PAUSE] = (pause),	[VM_EV_RESUME] = (resume),   \
		[VM_EV_RESET] = (reset),     [VM_EV_EXEC] = (exec),	[VM_EV_READY] = (ready),     \
		[VM_EV_RESUMED] = (resumed), [VM_EV_PAUSED] = (paused), [VM_EV_REFUSED] = (refused), \
		[VM_EV_LOST] = (lost),	     [VM_EV_HUNG] = (hung),	[VM_EV_TIMEOUT] = (timeout), \
		[VM_EV_ENDED] = (ended),     [VM_EV_EMPTY] = (empty),	[VM_EV_UNFIT] = (unfit),     \
	}

static action *const table[VM_STATES][VM_EVENTS] = {
	/* clang-format off */
	/*                START        STOP            KILL            RESTART         PAUSE        RESUME       RESET        EXEC       READY    RESUMED PAUSED      REFUSED     LOST        HUNG     TIMEOUT         ENDED   EMPTY    UNFIT */
	ROW(VM_INVALID,   no_manifest, no_process,     no_process,     no_manifest,    no_process,  no_process,  no_process,  ignore,    ignore,  ignore, ignore,     ignore,     ignore,     ignore,  ignore,         ignore, ignore,  ignore),
	ROW(VM_STOPPED,   start,       stop_waiting,   stop_waiting,   start,          no_process,  no_process,  no_process,  ignore,    ignore,  ignore, ignore,     ignore,     ignore,     ignore, vm_release_late,         ignore, ignore,  reject),
	ROW(VM_STARTING,  is_started,  vm_stop_early,  vm_stop_now,    restart_early,  is_starting, is_starting, is_starting, tell_exec, let_run, ignore, ignore,     vm_abandon, expect_end, ignore,  late,           ended,  ignore,  ignore),
	ROW(VM_PRELAUNCH, is_started,  vm_stop_early,  vm_stop_now,    restart_early,  is_starting, is_starting, is_starting, note_exec,    ignore,  run,    ignore,     vm_abandon, expect_end, ignore,  late,           ended,  ignore,  ignore),
	ROW(VM_RUNNING,   is_started,  vm_stop,        vm_stop_now,    restart,        ask_pause,   is_running,  ask_reset, note_exec,    ignore,  ignore, note_pause, ignore,     expect_end, be_hung, lost,           ended,  ignore,  ignore),
	ROW(VM_PAUSED,    is_started,  vm_stop_paused, vm_stop_now,    restart_paused, is_paused,   ask_resume,  ask_reset, note_exec,    ignore,  run,    ignore,     ignore,     expect_end, be_hung, lost,           ended,  ignore,  ignore),
	ROW(VM_STOPPING,  is_stopping, is_stopping,    vm_stop_now,    want_start,     is_stopping, is_stopping, is_stopping, note_exec,    ignore,  ignore, ignore,     ignore,     ignore,     ignore,  vm_stop_harder, ended,  emptied, ignore),
	ROW(VM_STUCK,     is_stuck,    is_stuck,       vm_kill_again,  is_stuck,       is_stuck,    is_stuck,    is_stuck,    ignore,    ignore,  ignore, ignore,     ignore,     ignore,     ignore,  ignore,         ended,  emptied, ignore),
	ROW(VM_BACKOFF,   start,       end_backoff,    end_backoff,    start,          no_process,  no_process,  no_process,  ignore,    ignore,  ignore, ignore,     ignore,     ignore,     ignore,  start_again,    ignore, ignore,  ignore),
	ROW(VM_FAILED,    start,       no_process,     no_process,     start,          no_process,  no_process,  no_process,  ignore,    ignore,  ignore, ignore,     ignore,     ignore,     ignore, vm_release_late,         ignore, ignore,  ignore),
	/* clang-format on */
};

void vm_handle(struct vm *vm, enum vm_event event)
{
	table[vm->state][event](vm);
	vm_policy_proceed();
}
