/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a VM ended, told from its wait status, QEMU's own reason and the last words. */
#include <signal.h>
#include <sys/wait.h>

#include "refusal.h"
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
	if (WIFSIGNALED(vm->status))
		return vm->stop == STOP_KILL || WTERMSIG(vm->status) == SIGTERM;
	return WEXITSTATUS(vm->status) == 0 || !vm->execed;
}

void vm_judge(struct vm *vm)
{
	if (vm->stop_wanted && is_asked_for(vm)) {
		vm_enter(vm, VM_STOPPED,
			 vm->stop == STOP_KILL ? "killed" :
			 vm->reason[0]	       ? vm->reason :
						 "QEMU ended");
		return;
	}
	if (!vm->faulty && WIFSIGNALED(vm->status))
		judge_signal(vm);
	else if (!vm->faulty && WEXITSTATUS(vm->status))
		judge_exit(vm);
	if (vm->faulty)
		vm_enter(vm, VM_FAILED, vm->fault.text);
	else
		vm_enter(vm, VM_STOPPED, vm->reason[0] ? vm->reason : "QEMU ended");
}
