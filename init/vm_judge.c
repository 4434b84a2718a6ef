/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a VM ended, told from its wait status, QEMU's own reason and the last words. */
#include <signal.h>
#include <sys/wait.h>

#include "util.h"
#include "vm_private.h"

enum { WORDS_TAIL = 2048 };

/* The last line in text that is not empty; cuts text there. */
static const char *last_line(char *text)
{
	size_t end = strlen(text);
	char *newline;

	while (end > 0 && text[end - 1] == '\n')
		text[--end] = '\0';
	newline = strrchr(text, '\n');
	return newline ? newline + 1 : text;
}

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
static void judge_exit(struct vm *vm)
{
	char tail[WORDS_TAIL];
	const char *nesting;
	const char *line;

	copy_words(vm, tail, sizeof(tail));
	nesting = strstr(tail, "IOMMU_VIOMMU_ALLOC failed");
	line = last_line(tail);
	if (!vm->execed)
		vm_fault_text(vm, DIAG_LAUNCH_FAIL, "the launcher ended with status %d%s%.200s",
			      WEXITSTATUS(vm->status), line[0] ? ": " : "", line);
	else if (nesting) /* the cause: what comes after it are consequences */
		vm_fault_text(vm, DIAG_NO_NESTING, "QEMU: %.*s", (int)strcspn(nesting, "\n"),
			      nesting);
	else if (line[0] && !vm->ran)
		vm_fault_text(vm, DIAG_QEMU_REFUSED, "QEMU: %.240s", line);
	else
		vm_fault_text(vm, DIAG_QEMU_DIED, "QEMU exited with status %d%s%.200s",
			      WEXITSTATUS(vm->status), line[0] ? ": " : "", line);
}

static void judge_signal(struct vm *vm)
{
	char tail[WORDS_TAIL];
	const char *line;

	copy_words(vm, tail, sizeof(tail));
	line = last_line(tail);
	vm_fault_text(vm, vm->execed ? DIAG_QEMU_DIED : DIAG_LAUNCH_FAIL,
		      "%s was killed by signal %d (%s)%s%.160s",
		      vm->execed ? "QEMU" : "the launcher", WTERMSIG(vm->status),
		      strsignal(WTERMSIG(vm->status)), line[0] ? ": " : "", line);
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
