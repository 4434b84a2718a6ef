/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a VM ended, told from its wait status, QEMU's own reason and the last words. */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "event.h"
#include "refusal.h"
#include "sys_cgroup.h"
#include "util.h"
#include "vm_private.h"

enum { WORDS_TAIL = 8192, WORDS_QUOTED = 256 };

/* Copies the end of what launcher and QEMU wrote in this start. */
static void copy_words(const struct vm *vm, char *tail, size_t size)
{
	uint64_t at = vm->words_from;
	size_t n;

	if (vm->words_kept.total - at > size - 1)
		at = vm->words_kept.total - (size - 1);
	n = ring_read(&vm->words_kept, &at, tail, size - 1);
	tail[n] = '\0';
}

/* QEMU's words beside our code: an operator should not have to know QEMU's sources. */
static enum diag_code find_cause(const struct vm *vm, char *quoted, size_t size)
{
	char tail[WORDS_TAIL];
	enum diag_code code;

	copy_words(vm, tail, sizeof(tail));
	refusal_quote(refusal_cause(tail, &code), quoted, size);
	return code;
}

static void judge_exit(struct vm *vm)
{
	char words[WORDS_QUOTED];
	enum diag_code code = find_cause(vm, words, sizeof(words));

	if (!vm->execed)
		vm_fault_text(vm, DIAG_LAUNCH_FAIL, "the launcher ended with status %d%s%s",
			      WEXITSTATUS(vm->status), words[0] ? ": " : "", words);
	else if (code != DIAG_CODES)
		vm_fault_text(vm, code, "QEMU: %s", words);
	else if (words[0] && !vm->ran)
		vm_fault_text(vm, DIAG_QEMU_REFUSED, "QEMU: %s", words);
	else
		vm_fault_text(vm, DIAG_QEMU_DIED, "QEMU exited with status %d%s%s",
			      WEXITSTATUS(vm->status), words[0] ? ": " : "", words);
}

static void judge_signal(struct vm *vm)
{
	char words[WORDS_QUOTED];
	enum diag_code code = find_cause(vm, words, sizeof(words));

	if (!vm->execed)
		code = DIAG_LAUNCH_FAIL;
	else if (code == DIAG_CODES)
		code = DIAG_QEMU_DIED;
	vm_fault_text(vm, code, "%s was killed by signal %d (%s)%s%s",
		      vm->execed ? "QEMU" : "the launcher", WTERMSIG(vm->status),
		      strsignal(WTERMSIG(vm->status)), words[0] ? ": " : "", words);
}

/* Whether this end is one that our own stop makes: then it is no fault. */
static bool is_asked_for(const struct vm *vm)
{
	if (!vm->stop_wanted)
		return false;
	if (WIFSIGNALED(vm->status))
		return vm->stop == STOP_KILL || WTERMSIG(vm->status) == SIGTERM;
	return WEXITSTATUS(vm->status) == 0 || !vm->execed;
}

/* QEMU ended in order: its SHUTDOWN event says why. */
static enum end_cause cause_in_order(const struct vm *vm)
{
	bool reset = strcmp(vm->reason, "guest-reset") == 0;

	/* The watchdog's "poweroff" ends QEMU without a word. */
	if (vm->bitten && (reset || !vm->reason[0]))
		return END_WATCHDOG;
	return reset					 ? END_RESET :
	       strcmp(vm->reason, "guest-shutdown") == 0 ? END_SHUTDOWN :
	       strcmp(vm->reason, "guest-panic") == 0	 ? END_PANIC :
	       strcmp(vm->reason, "host-signal") == 0	 ? END_SIGNAL :
							   END_EXIT;
}

static enum end_cause find_end(const struct vm *vm)
{
	if (is_asked_for(vm))
		return vm->stop == STOP_KILL ? END_KILLED : END_STOPPED;
	if (!vm->execed)
		return END_LAUNCH;
	if (vm->hung)
		return END_HUNG;
	if (vm->stop == STOP_KILL)
		return END_REFUSED; /* killed for what it said */
	if (WIFSIGNALED(vm->status))
		return sys_cgroup_oom_kills(AT_FDCWD, vm->slot) ? END_OOM : END_CRASH;
	if (WEXITSTATUS(vm->status))
		return vm->ran ? END_EXIT : END_REFUSED;
	return cause_in_order(vm);
}

/* What is a failure only because of what the guest did, or somebody did to QEMU. */
static void judge_in_order(struct vm *vm, enum end_cause cause)
{
	if (cause == END_PANIC)
		vm_fault_text(vm, DIAG_GUEST_PANIC, "run: the guest's kernel has panicked");
	else if (cause == END_WATCHDOG)
		vm_fault_text(vm, DIAG_GUEST_WATCHDOG, "run: the guest's watchdog has bitten");
	else if (cause == END_SIGNAL)
		vm_fault_text(vm, DIAG_QEMU_DIED, "run: somebody has sent QEMU a signal to end");
	else if (cause == END_SHUTDOWN && vm->config->on_shutdown == VM_ON_SHUTDOWN_FAILED)
		vm_fault_text(vm, DIAG_GUEST_ENDED, "run: the guest has shut itself down");
	else if (cause == END_RESET && vm->config->on_reset == VM_ON_RESET_FAILED)
		vm_fault_text(vm, DIAG_GUEST_ENDED, "run: the guest has reset itself");
}

static void judge_failure(struct vm *vm, enum end_cause cause)
{
	if (vm->faulty)
		return;
	if (cause == END_OOM)
		vm_fault_text(vm, DIAG_OOM_KILL,
			      "run: the kernel has killed QEMU for want of memory");
	else if (WIFSIGNALED(vm->status))
		judge_signal(vm);
	else if (WEXITSTATUS(vm->status))
		judge_exit(vm);
	else
		judge_in_order(vm, cause);
}

/* The first entry into a state after an end: the history must have it before policy is asked. */
static void remember(struct vm *vm, enum end_cause cause)
{
	const struct history_entry entry = {
		.at_ms = vm_now_ms(),
		.ran_ms = vm->ran ? vm_now_ms() - vm->ran_from : 0,
		.cause = cause,
		.failure = vm->state == VM_FAILED,
	};

	history_add(&vm->history, entry, vm->why);
	event_end(vm->config->name, history_cause(cause), entry.ran_ms, vm->why);
}

void vm_judge(struct vm *vm)
{
	enum end_cause cause = find_end(vm);

	if (is_asked_for(vm)) {
		vm_enter(vm, VM_STOPPED,
			 vm->stop == STOP_KILL ? "killed" :
			 vm->reason[0]	       ? vm->reason :
						 "QEMU ended");
	} else {
		judge_failure(vm, cause);
		if (vm->faulty)
			vm_enter(vm, VM_FAILED, vm->fault.text);
		else
			vm_enter(vm, VM_STOPPED, vm->reason[0] ? vm->reason : "QEMU ended");
	}
	remember(vm, cause);
}
