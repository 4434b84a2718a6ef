/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls that QEMU was denied: answered, counted, told of, and no flood. */
#include "unit.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "standins.h"
#include "sys_deny.h"
#include "vm_private.h"

enum { LISTENER = 4242 };

static struct vm_config config = { .name = "demo" };
static struct vm vm;
static int next = SYS_reboot; /* what is asked for, or a negative errno */
static unsigned answered;

int __wrap_sys_denied_next(int listener);

int __wrap_sys_denied_next(int listener)
{
	assert_int_equal(listener, LISTENER);
	answered += next >= 0;
	return next;
}

void vm_fault_text(struct vm *of, enum diag_code code, const char *fmt, ...)
{
	char text[DIAG_TEXT];
	va_list ap;

	assert_ptr_equal(of, &vm);
	assert_int_equal(code, DIAG_CALL_DENIED);
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say("[CALL-DENIED]\n");
	say(text);
}

static int setup(void **state)
{
	(void)state;
	standins_reset();
	vm = (struct vm){ .config = &config, .denied.fd = -1, .denied_pause.fd = -1 };
	next = SYS_reboot;
	answered = 0;
	vm_denial_watch(&vm, LISTENER);
	return 0;
}

static void ask(unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		vm.denied.ready(vm.denied.arg, EPOLLIN);
}

static void test_told(void **state)
{
	(void)state;
	assert_ptr_equal(watched, &vm.denied);
	ask(1);
	assert_int_equal(answered, 1);
	assert_int_equal(vm.calls_denied, 1);
	assert_said("[CALL-DENIED]");
	assert_said("ask the kernel for reboot(): it may not");
	next = SYS_mount;
	ask(1);
	assert_said("demo: ask the kernel for mount(): it may not");
	assert_int_equal(times_said("[CALL-DENIED]"), 1);
}

/* All are answered and counted, few are told, and whoever asks without end waits. */
static void test_flood(void **state)
{
	(void)state;
	ask(100);
	assert_int_equal(answered, 100);
	assert_int_equal(vm.calls_denied, 100);
	assert_int_equal(times_said("it may not"), 8);
	assert_ptr_equal(timer, &vm.denied_pause);
	assert_int_equal(timer_ms, 1000);
	assert_int_equal(watched_events, 0);
	timer->ready(timer->arg, EPOLLIN);
	assert_int_equal(watched_events, EPOLLIN);
	assert_int_equal(vm.denied_pause.fd, -1);
	ask(99);
	assert_int_equal(vm.denied_pause.fd, -1);
	ask(1);
	assert_int_not_equal(vm.denied_pause.fd, -1);
}

/* Where no timer can be had it goes on: a guest that waits for ever would be worse. */
static void test_no_timer(void **state)
{
	(void)state;
	timer_error = -EMFILE;
	ask(100);
	assert_int_equal(watched_events, EPOLLIN);
}

static void test_gone(void **state)
{
	(void)state;
	next = -ENOENT;
	ask(1);
	assert_int_equal(vm.calls_denied, 0);
	vm.denied.ready(vm.denied.arg, EPOLLHUP);
	assert_int_equal(vm.denied.fd, -1);
}

/* A kernel that cannot tell denies all the same. */
static void test_no_listener(void **state)
{
	(void)state;
	vm_denial_watch(&vm, -1);
	assert_int_equal(vm.denied.fd, -1);
	assert_string_equal(sys_call_name(SYS_pidfd_getfd), "pidfd_getfd");
	assert_string_equal(sys_call_name(SYS_read), "?");
}

#define DENIAL_CASE(title, function) FIXTURE(title, function, setup, NULL, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DENIAL_CASE("told, the first with its code", test_told),
		DENIAL_CASE("a flood", test_flood),
		DENIAL_CASE("a flood, and no timer", test_no_timer),
		DENIAL_CASE("nobody is left who asks", test_gone),
		DENIAL_CASE("no listener", test_no_listener),
	};

	return cmocka_run_group_tests_name("vm_denial", tests, NULL, NULL);
}
