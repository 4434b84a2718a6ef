/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls that QEMU was denied. It has no use for any of them, so that each tells of a guest that
 * has taken it over, or of a mistake in sys_deny.c's table. PID 1 gives the answer itself, which
 * costs nothing while nobody asks; who asks without end waits for it.
 */
#include <sys/epoll.h>

#include "log.h"
#include "sys_deny.h"
#include "util.h"
#include "vm_private.h"

enum { TOLD = 8, A_SECOND = 100, PAUSE_MS = 1000 };

static void pause_over(void *arg, uint32_t events)
{
	struct vm *vm = arg;

	(void)events;
	if (!timer_fired(&vm->denied_pause))
		return;
	loop_close(&vm->denied_pause);
	vm->denied_now = 0;
	loop_want(&vm->denied, EPOLLIN);
}

/* Without a timer it goes on at once: a VM that waits for ever would be worse. */
static void make_wait(struct vm *vm)
{
	if (timer_add(&vm->denied_pause, pause_over, vm))
		return;
	loop_pause(&vm->denied);
	timer_set(&vm->denied_pause, PAUSE_MS);
}

/* A guest must not fill the logs. */
static void tell(struct vm *vm, const char *call)
{
	if (vm->denied_told == 0)
		vm_fault_text(vm, DIAG_CALL_DENIED, "ask the kernel for %s(): it may not", call);
	else if (vm->denied_told < TOLD)
		log_msg(LOG_LEVEL_WARN, vm->config->name, "ask the kernel for %s(): it may not",
			call);
	vm->denied_told++;
}

static void denied_ready(void *arg, uint32_t events)
{
	struct vm *vm = arg;
	int nr;

	/* Nobody is left who could ask. */
	if (!(events & EPOLLIN)) {
		vm_denial_end(vm);
		return;
	}
	nr = sys_denied_next(vm->denied.fd);
	if (++vm->denied_now >= A_SECOND)
		make_wait(vm);
	/* Who asked is gone, or was interrupted and asks again. */
	if (nr < 0)
		return;
	vm->calls_denied++;
	tell(vm, sys_call_name(nr));
}

void vm_denial_watch(struct vm *vm, int listener)
{
	vm_denial_end(vm);
	vm->denied_now = vm->denied_told = 0;
	/* Without a listener such calls fail by ENOSYS; who waits for an answer that never comes hangs. */
	if (listener >= 0 && loop_add(&vm->denied, listener, EPOLLIN, denied_ready, vm))
		vm_denial_end(vm);
}

void vm_denial_end(struct vm *vm)
{
	loop_close(&vm->denied);
	loop_close(&vm->denied_pause);
}
