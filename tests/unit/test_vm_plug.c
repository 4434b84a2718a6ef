/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices that come and go while their VM runs; launchers are this test's own. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

#include "manifest.h"
#include "standins.h"
#include "vm_private.h"

enum { CHILD = 4711 };

#define BDF "0000:41:00.0"

static struct config config;
static struct vm vm;
static int qemu = -1; /* its end of the monitor */
static char launched[256];
static int launch_error;
static int report = -1; /* the child's end */
static pid_t killed;

int __wrap_kill(pid_t pid, int number);

int __wrap_kill(pid_t pid, int number)
{
	assert_int_equal(number, SIGKILL);
	killed = pid;
	return 0;
}

const struct config *vm_config(void)
{
	return &config;
}

struct vm *vm_at(unsigned slot)
{
	return slot == 0 ? &vm : NULL;
}

static unsigned proceeded;

void vm_policy_proceed(void)
{
	proceeded++;
}

static int launch(const char *what, unsigned slot, unsigned hostdev, struct launch *launch)
{
	size_t used = strlen(launched);
	int fd[2];

	str_format(launched + used, sizeof(launched) - used, "%s %u %u;", what, slot, hostdev);
	if (launch_error)
		return -launch_error;
	close_fdp(&report);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	*launch = LAUNCH_NOTHING;
	launch->pid = CHILD;
	launch->report = fd[0];
	report = fd[1];
	return 0;
}

int launch_attach(const struct config *all, unsigned slot, unsigned hostdev, int qmp_fd,
		  struct launch *l)
{
	assert_ptr_equal(all, &config);
	assert_int_equal(qmp_fd, vm.qmp.fd);
	return launch("attach", slot, hostdev, l);
}

int launch_release(const struct config *all, unsigned slot, unsigned hostdev, struct launch *l)
{
	assert_ptr_equal(all, &config);
	return launch("release", slot, hostdev, l);
}

static int setup(void **state)
{
	int fd[2];

	(void)state;
	manifest_defaults(&config);
	str_copy(config.vm[0].name, sizeof(config.vm[0].name), "demo");
	str_copy(config.vm[0].hostdev[0].bdf, SYS_BDF, "0000:01:00.0");
	str_copy(config.vm[0].hostdev[1].bdf, SYS_BDF, BDF);
	memset(&vm, 0, sizeof(vm));
	vm.config = &config.vm[0];
	vm.state = VM_RUNNING;
	vm.plug.fd = -1;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	vm.qmp.fd = fd[0];
	qemu = fd[1];
	for (unsigned i = 0; i < 2; i++) {
		device_release(&config, 0, i);
		device_come(&config, 0, i);
		device_note(&config, 0, i, DEVICE_FREE, config.vm[0].hostdev[i].bdf, "");
	}
	standins_reset();
	launched[0] = '\0';
	launch_error = 0;
	killed = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close_fdp(&report);
	report = -1;
	loop_close(&vm.plug);
	close(vm.qmp.fd);
	close(qemu);
	return 0;
}

static const char *told(void)
{
	return read_text(qemu);
}

static bool answer(enum qmp_kind kind, const char *id, const char *text)
{
	struct qmp_message m = { .kind = kind };

	str_copy(m.id, sizeof(m.id), id);
	str_copy(m.text, sizeof(m.text), text);
	return vm_plug_answer(&vm, &m);
}

static void event(const char *name, const char *device)
{
	struct qmp_message m = { .kind = QMP_EVENT };

	str_copy(m.name, sizeof(m.name), name);
	str_copy(m.device, sizeof(m.device), device);
	vm_plug_event(&vm, &m);
}

static void end_child(int status)
{
	close_fdp(&report);
	report = -1;
	assert_true(vm_plug_reaped(CHILD, status));
}

static enum device_state device(void)
{
	return device_look(0, 1)->state;
}

static void be_attached(void)
{
	device_note(&config, 0, 1, DEVICE_CLAIMED, NULL, "");
}

static void test_attach(void **state)
{
	(void)state;
	assert_null(vm_attach(0, 1));
	assert_string_equal(launched, "attach 0 1;");
	assert_string_equal(vm_attach(0, 0), "another device is just being attached or released");
	end_child(0);
	assert_true(answer(QMP_RETURN, "getfd:1", ""));
	assert_int_equal(device(), DEVICE_FREE);
	assert_true(answer(QMP_RETURN, "attach:1", ""));
	assert_int_equal(device(), DEVICE_CLAIMED);
	assert_said("device " BDF " is attached");
	assert_string_equal(vm_attach(0, 1), "it has that device");
	assert_string_equal(launched, "attach 0 1;");
}

/* QEMU has the descriptor, but does not take the device: all of it goes back. */
static void test_roll_back(void **state)
{
	(void)state;
	vm_attach(0, 1);
	end_child(0);
	answer(QMP_RETURN, "getfd:1", "");
	answer(QMP_ERROR, "attach:1", "Bus 'pci.9' not found");
	assert_said(BDF ": attach it: QEMU: Bus 'pci.9' not found [PLUG-FAIL]");
	assert_string_equal(told(), "{\"execute\":\"closefd\",\"arguments\":{\"fdname\":"
				    "\"hostdev1-fd\"},\"id\":\"closefd:1\"}\n");
	assert_string_equal(launched, "attach 0 1;"); /* not while QEMU still has it open */
	answer(QMP_RETURN, "closefd:1", "");
	assert_string_equal(launched, "attach 0 1;release 0 1;");
	end_child(0);
	assert_int_equal(device(), DEVICE_FREE);
	assert_null(vm_attach(0, 1));
}

static void test_no_descriptor(void **state)
{
	(void)state;
	vm_attach(0, 1);
	end_child(0);
	assert_true(answer(QMP_ERROR, "getfd:1", "No file descriptor supplied via SCM_RIGHTS"));
	answer(QMP_ERROR, "attach:1", "File descriptor named 'hostdev1-fd' has not been found");
	answer(QMP_ERROR, "closefd:1", "File descriptor named 'hostdev1-fd' not found");
	assert_string_equal(launched, "attach 0 1;release 0 1;");
}

/* A child that fails tells why, and may have bound the device. */
static void test_child_fails(void **state)
{
	struct launch_report r = { .event = LAUNCH_FINDING };
	struct diag one = { 0 };

	(void)state;
	vm_attach(0, 1);
	diag_add(&one, 0, DIAG_CDEV_OPEN, BDF, "open VFIO device vfio0: no");
	r.finding = one.finding[0];
	assert_int_equal(write(report, &r, sizeof(r)), sizeof(r));
	end_child(1 << 8);
	assert_said("[CDEV-OPEN]");
	assert_string_equal(launched, "attach 0 1;release 0 1;");
	end_child(SIGKILL); /* which is not tried again and again */
	assert_string_equal(launched, "attach 0 1;release 0 1;");
	launch_error = EAGAIN;
	assert_string_equal(vm_attach(0, 1), strerror(EAGAIN));
}

static void test_detach(void **state)
{
	(void)state;
	be_attached();
	assert_null(vm_detach(0, 1));
	assert_string_equal(told(),
			    "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"hostdev1\"},"
			    "\"id\":\"detach:1\"}\n");
	answer(QMP_RETURN, "detach:1", "");
	assert_said("the guest is asked to let go");
	assert_int_equal(device(), DEVICE_CLAIMED);
	assert_string_equal(launched, "");
	event("DEVICE_DELETED", "hostdev1");
	event("DEVICE_DELETED", ""); /* of what it was made of */
	assert_said("is detached");
	assert_string_equal(launched, "release 0 1;");
	end_child(0);
	assert_int_equal(device(), DEVICE_FREE);
	assert_string_equal(vm_detach(0, 1), "it does not have that device");
}

static void test_not_detached(void **state)
{
	(void)state;
	be_attached();
	vm_detach(0, 1);
	answer(QMP_ERROR, "detach:1", "Bus does not support hotplugging");
	assert_said("detach it: QEMU: Bus does not support hotplugging [PLUG-FAIL]");
	vm_detach(0, 1);
	event("DEVICE_UNPLUG_GUEST_ERROR", "hostdev1");
	assert_said("detach it: the guest refuses [PLUG-FAIL]");
	assert_int_equal(device(), DEVICE_CLAIMED);
	assert_string_equal(launched, "");
}

/* Two at once: the second is released when the first is. */
static void test_two_come_back(void **state)
{
	(void)state;
	device_note(&config, 0, 0, DEVICE_CLAIMED, NULL, "");
	be_attached();
	event("DEVICE_DELETED", "hostdev0");
	event("DEVICE_DELETED", "hostdev1");
	assert_string_equal(launched, "release 0 0;");
	end_child(0);
	assert_string_equal(launched, "release 0 0;release 0 1;");
	end_child(0);
	/* One that is not ours to release is in the way of none that is. */
	config.vm[0].hostdev[0].managed = false;
	device_note(&config, 0, 0, DEVICE_CLAIMED, NULL, "");
	be_attached();
	launched[0] = '\0';
	vm_attach(0, 1);
	vm.plugging = CHILD;
	event("DEVICE_DELETED", "hostdev0");
	event("DEVICE_DELETED", "hostdev1");
	assert_string_equal(launched, "");
	end_child(0);
	assert_string_equal(launched, "release 0 1;");
}

static void test_refused(void **state)
{
	(void)state;
	assert_string_equal(vm_attach(0, 2), "its manifest has no device of that number");
	assert_string_equal(vm_attach(0, HV_HOSTDEV_SLOTS),
			    "its manifest has no device of that number");
	device_note(&config, 0, 1, DEVICE_QUARANTINED, NULL, "broken");
	assert_non_null(strstr(vm_attach(0, 1), "quarantine"));
	vm.state = VM_STOPPED;
	assert_string_equal(vm_attach(0, 1), "its guest does not run");
	assert_string_equal(vm_detach(0, 1), "its guest does not run");
	assert_string_equal(launched, "");
}

/* QEMU takes its time, and the operator is impatient. */
static void test_attach_twice(void **state)
{
	(void)state;
	vm_attach(0, 1);
	end_child(0);
	assert_string_equal(vm_attach(0, 1),
			    "QEMU has not answered yet whether it takes that device");
	answer(QMP_ERROR, "attach:1", "no");
	assert_non_null(vm_attach(0, 1));
	answer(QMP_RETURN, "closefd:1", "");
	end_child(0);
	assert_null(vm_attach(0, 1));
}

/* A quarantine for the next start does not take the device from this one. */
static void test_quarantine_in_use(void **state)
{
	(void)state;
	be_attached();
	device_note(&config, 0, 1, DEVICE_QUARANTINED, NULL, "by the operator");
	assert_string_equal(vm_attach(0, 1), "it has that device");
	device_release(&config, 0, 1);
	assert_int_equal(device(), DEVICE_CLAIMED);
	assert_string_equal(vm_attach(0, 1), "it has that device");
	assert_null(vm_detach(0, 1));
}

/* A guest that owns its QEMU says what nobody has asked for. */
static void test_not_asked(void **state)
{
	(void)state;
	answer(QMP_RETURN, "attach:1", "");
	answer(QMP_ERROR, "attach:1", "x");
	answer(QMP_RETURN, "detach:1", "");
	answer(QMP_ERROR, "detach:1", "x");
	answer(QMP_RETURN, "closefd:1", "");
	event("DEVICE_DELETED", "hostdev1");
	event("DEVICE_UNPLUG_GUEST_ERROR", "hostdev1");
	assert_string_equal(said, "");
	assert_string_equal(launched, "");
	assert_int_equal(device(), DEVICE_FREE);
}

/* What is none of ours, or has no such slot. */
static void test_others(void **state)
{
	(void)state;
	assert_false(answer(QMP_RETURN, "status", ""));
	assert_false(answer(QMP_RETURN, "attach:", ""));
	assert_false(answer(QMP_RETURN, "attach:16", ""));
	assert_false(answer(QMP_RETURN, "attach:1x", ""));
	event("DEVICE_DELETED", "net0");
	event("SOMETHING", "hostdev1");
	assert_string_equal(launched, "");
	assert_false(vm_plug_reaped(CHILD, 0));
}

static void test_ended(void **state)
{
	(void)state;
	vm_attach(0, 1);
	vm_plug_ended(&vm);
	assert_int_equal(killed, CHILD);
	proceeded = 0;
	end_child(SIGKILL);
	/* The next start has waited for it, and it gives nothing back beside that. */
	assert_int_equal(proceeded, 1);
	assert_string_equal(launched, "attach 0 1;");
	killed = 0;
	vm.plugging = 0;
	vm_plug_ended(&vm);
	assert_int_equal(killed, 0);
}

#define PLUG_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLUG_CASE("attach", test_attach),
		PLUG_CASE("attach, and QEMU refuses", test_roll_back),
		PLUG_CASE("attach, and QEMU gets no descriptor", test_no_descriptor),
		PLUG_CASE("attach, and the child fails", test_child_fails),
		PLUG_CASE("detach", test_detach),
		PLUG_CASE("detach, and nobody does", test_not_detached),
		PLUG_CASE("two come back at once", test_two_come_back),
		PLUG_CASE("attach, and attach again", test_attach_twice),
		PLUG_CASE("a quarantine meanwhile", test_quarantine_in_use),
		PLUG_CASE("what nobody has asked", test_not_asked),
		PLUG_CASE("what is refused", test_refused),
		PLUG_CASE("what is none of ours", test_others),
		PLUG_CASE("the VM ends meanwhile", test_ended),
	};

	return cmocka_run_group_tests_name("vm_plug", tests, NULL, NULL);
}
