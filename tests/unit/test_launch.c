/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The launcher, with a shell in QEMU's place that says what it was given: exactly the descriptors
 * of the argv, and nothing that PID 1 had open.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "argv.h"
#include "child.h"
#include "claim.h"
#include "confine.h"
#include "fakesys.h"
#include "host.h"
#include "launch.h"
#include "manifest.h"
#include "pin.h"
#include "sys.h"

static struct config config;
static struct launch launch;
static int root = -1;

/* What goes wrong in the child; set before the fork. */
static const char *unbindable; /* BDF */
static bool no_iommufd;
static const char *confine_step;
static wall_set missing_walls; /* told by the confinement */
static bool confine_leaks;
static const char *limit_file; /* that does not take its value */
static bool confine_listens;
static bool no_exec;
static const char *script;

int __wrap_sys_root_open(const char *dir);
bool __wrap_claim_bind(int dir, const char *bdf, const char *driver, int vm, struct diag *diag);
int __wrap_claim_iommufd(int dir, int vm, struct diag *diag);
int __real_pin_self(const struct cpulist *cpus);
const char *__wrap_confine_self(const struct confine *confine, struct confine_result *result);
const char *__wrap_limit_vm(int dir, const struct plan *plan, wall_set *missing);
int __wrap_execve(const char *path, char *const argv[], char *const env[]);
int __real_execve(const char *path, char *const argv[], char *const env[]);
void __wrap_host_reserve(int dir, const struct config *all, struct diag *diag);
void __wrap_host_prepare(int dir, const struct config *all, struct diag *diag);

int __wrap_sys_root_open(const char *dir)
{
	char path[32];

	assert_string_equal(dir, "/");
	/* The child closes the descriptor that it inherited, then asks again. */
	str_format(path, sizeof(path), "/proc/%d/fd/%d", (int)getppid(), root);
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

bool __wrap_claim_bind(int dir, const char *bdf, const char *driver, int vm, struct diag *diag)
{
	(void)dir;
	if (unbindable && strcmp(bdf, unbindable) == 0) {
		diag_add(diag, vm, DIAG_BIND_SILENT, bdf, "bind to %s: it is on nvme", driver);
		return false;
	}
	return true;
}

int __wrap_claim_iommufd(int dir, int vm, struct diag *diag)
{
	if (no_iommufd) {
		diag_add(diag, vm, DIAG_IOMMUFD_OPEN, "iommufd", "open /dev/iommu: no");
		return -1;
	}
	return sys_iommufd_open(dir);
}

const char *__wrap_limit_vm(int dir, const struct plan *limited, wall_set *missing)
{
	if (!sys_exists(dir, "dev/kvm") || !limited->memory_max)
		*missing |= 1U << WALL_MEMORY;
	errno = EINVAL;
	return limit_file;
}

const char *__wrap_confine_self(const struct confine *confine, struct confine_result *result)
{
	if (confine_leaks)
		dup2(STDIN_FILENO, ARGV_FD_HOSTDEV + 7);
	*result = (struct confine_result){ .missing = missing_walls, .listener = -1 };
	if (confine_listens)
		result->listener = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	errno = EPERM;
	return confine->uid == CONFINE_UID && confine->gid == CONFINE_UID && confine->memlock > 0 ?
		       confine_step :
		       "the wrong user";
}

int __wrap_execve(const char *path, char *const argv[], char *const env[])
{
	/* Not sh: dash cannot redirect to descriptors of two digits. */
	char *const words[] = { "bash", "-c", (char *)script, NULL };

	if (no_exec || strcmp(path, QEMU_PATH) != 0 || strcmp(argv[0], QEMU_PATH) != 0) {
		errno = ENOENT;
		return -1;
	}
	return __real_execve("/bin/bash", words, env);
}

int __wrap_pin_self(const struct cpulist *cpus);

int __wrap_pin_self(const struct cpulist *cpus)
{
	/* Only what the manifest says. */
	return cpulist_has(cpus, 1) && cpulist_count(cpus) == 1 ? __real_pin_self(cpus) : -EINVAL;
}

void __wrap_host_reserve(int dir, const struct config *all, struct diag *diag)
{
	(void)dir;
	(void)all;
	diag_add(diag, DIAG_HOST, DIAG_AUTOPROBE, "host", "turn driver autoprobe off: no");
}

void __wrap_host_prepare(int dir, const struct config *all, struct diag *diag)
{
	(void)all;
	if (dir < 0 || !sys_exists(dir, "dev/kvm"))
		_exit(99);
	diag_add(diag, DIAG_HOST, DIAG_MODULE_LOAD, "HOST_MODULES", "load x: no");
}

int __wrap_sys_iommufd_of(int dir, pid_t pid, int fd);
void __wrap_probe_learn(int dir, int iommufd, const char *const *smmu, unsigned devices);

int __wrap_sys_iommufd_of(int dir, pid_t pid, int fd)
{
	(void)dir;
	return pid == 4711 && fd == ARGV_FD_IOMMUFD ? 77 : -ESRCH;
}

/* Leaves a file, for it runs in a child. */
void __wrap_probe_learn(int dir, int iommufd, const char *const *smmu, unsigned devices)
{
	char text[256];
	int fd;

	str_format(text, sizeof(text), "%d %u %s %s", iommufd, devices, smmu[0],
		   devices > 1 ? smmu[1] : "");
	fd = openat(dir, "learned", O_WRONLY | O_CREAT | O_EXCL, 0600);
	_exit(fd >= 0 && write(fd, text, strlen(text)) > 0 ? 0 : 1);
}

/* --- helpers --- */

static char devices[512]; /* what was told of devices, in order */

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	str_copy(config.vm[0].name, sizeof(config.vm[0].name), "demo");
	str_copy(config.vm[0].hostdev[0].bdf, sizeof(config.vm[0].hostdev[0].bdf), "0000:41:00.0");
	str_copy(config.vm[0].hostdev[1].bdf, sizeof(config.vm[0].hostdev[1].bdf), "0000:81:00.0");
	root = fakesys_new();
	fakesys_lab(root);
	fakesys_file(root, "sys/bus/pci/devices/0000:41:00.0/vfio-dev/vfio0/dev", "");
	fakesys_file(root, "sys/bus/pci/devices/0000:81:00.0/vfio-dev/vfio1/dev", "");
	fakesys_file(root, "dev/vfio/devices/vfio0", "");
	fakesys_file(root, "dev/vfio/devices/vfio1", "");
	unbindable = NULL;
	no_iommufd = no_exec = false;
	confine_step = NULL;
	missing_walls = 0;
	limit_file = NULL;
	confine_leaks = confine_listens = false;
	script = "exit 7";
	devices[0] = '\0';
	launch = LAUNCH_NOTHING;
	return 0;
}

static int teardown(void **state)
{
	close_fdp(&launch.qmp);
	close_fdp(&launch.serial);
	close_fdp(&launch.ctl);
	close_fdp(&launch.words);
	close_fdp(&launch.report);
	close(root);
	return fakesys_teardown(state);
}

static void wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 20000), 1);
}

/* Waits for the end of a pipe and returns all of it. */
static const char *read_all(int fd)
{
	static char text[4096];
	size_t used = 0;
	ssize_t n;

	do {
		wait_readable(fd);
		n = read(fd, text + used, sizeof(text) - 1 - used);
		used += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	text[used] = '\0';
	return text;
}

static void note_device(const struct launch_report *report)
{
	size_t used = strlen(devices);

	str_format(devices + used, sizeof(devices) - used, "%u %s %s;", report->hostdev,
		   report->finding.subject, device_state_name(report->device));
}

/* The next one that is not about a device. */
static void next_report(struct launch_report *report)
{
	for (;;) {
		wait_readable(launch.report);
		assert_int_equal(launch_read(launch.report, report), 1);
		if (report->event != LAUNCH_DEVICE)
			return;
		note_device(report);
	}
}

static void assert_no_more_reports(void)
{
	struct launch_report report;

	wait_readable(launch.report);
	assert_int_equal(launch_read(launch.report, &report), -ENODATA);
}

static void assert_exit(int status)
{
	int got;

	assert_int_equal(waitpid(launch.pid, &got, 0), launch.pid);
	assert_true(WIFEXITED(got));
	assert_int_equal(WEXITSTATUS(got), status);
}

static void assert_fails(enum diag_code code, const char *part)
{
	struct launch_report report;

	assert_int_equal(launch_vm(&config, 0, &launch), 0);
	next_report(&report);
	if (report.event == LAUNCH_EXEC) /* told just before execve(), which then failed */
		next_report(&report);
	assert_int_equal(report.event, LAUNCH_FINDING);
	assert_string_equal(diag_code_text(report.finding.code), diag_code_text(code));
	assert_int_equal(report.finding.vm, 0);
	if (!strstr(report.finding.text, part))
		fail_msg("\"%s\"", report.finding.text);
	assert_no_more_reports();
	assert_exit(1);
	assert_string_equal(read_all(launch.words), "");
}

/* --- devices --- */

static void test_devices_told(void **state)
{
	struct launch_report report;

	(void)state;
	assert_int_equal(launch_vm(&config, 0, &launch), 0);
	next_report(&report);
	assert_int_equal(report.event, LAUNCH_EXEC);
	assert_string_equal(devices, "0 0000:41:00.0 claimed;1 0000:81:00.0 claimed;");
	assert_exit(7);
}

static void make_dead(const char *bdf)
{
	char path[96];

	str_format(path, sizeof(path), "sys/bus/pci/devices/%s/config", bdf);
	fakesys_file(root, path, "\377\377\377\377\377\377\377\377\377\377\377\377");
}

static void test_dead_device(void **state)
{
	(void)state;
	make_dead("0000:81:00.0");
	assert_fails(DIAG_DEV_DEAD, "reads ones");
}

static void test_quarantined_device(void **state)
{
	(void)state;
	device_note(&config, 0, 1, DEVICE_QUARANTINED, NULL, "it was dead");
	assert_fails(DIAG_DEV_QUARANTINE, "use it: it was dead");
	assert_string_equal(devices, "0 0000:41:00.0 claimed;");
	device_release(&config, 0, 1);
}

/* Side by side, so in any order. */
static void test_release(void **state)
{
	struct launch_report report;

	(void)state;
	make_dead("0000:41:00.0");
	assert_int_equal(launch_release(&config, 0, LAUNCH_ALL, &launch), 0);
	assert_int_equal(launch.cgroup, -1);
	next_report(&report);
	assert_int_equal(report.event, LAUNCH_FINDING);
	assert_string_equal(diag_code_text(report.finding.code), "DEV-DEAD");
	assert_exit(0);
	while (launch_read(launch.report, &report) == 1)
		note_device(&report);
	assert_non_null(strstr(devices, "0 0000:41:00.0 quarantined;"));
	assert_non_null(strstr(devices, "1 0000:81:00.0 free;"));
}

/* --- a start --- */

static void test_descriptors(void **state)
{
	const int leaks[] = { open("/dev/null", O_RDONLY), open("/dev/null", O_RDWR) };
	struct launch_report report;

	(void)state;
	/* PID 1 has forgotten O_CLOEXEC on some descriptors, two of them at places of QEMU's. */
	dup2(leaks[0], ARGV_FD_CTL);
	dup2(leaks[0], 15);
	dup2(leaks[0], ARGV_FD_HOSTDEV + 5);
	dup2(leaks[0], 200);
	script = "/bin/ls /proc/$$/fd; exit 7";
	assert_int_equal(launch_vm(&config, 0, &launch), 0);
	next_report(&report);
	assert_int_equal(report.event, LAUNCH_EXEC);
	assert_int_equal(report.devices, 2);
	assert_int_equal(report.vsmmus, 2);
	assert_no_more_reports();
	assert_int_equal(launch.ctl, -1);
	assert_string_equal(read_all(launch.words), "0\n1\n10\n11\n2\n20\n21\n22\n");
	assert_exit(7);
	close(ARGV_FD_CTL);
	close(15);
	close(ARGV_FD_HOSTDEV + 5);
	close(200);
	close(leaks[0]);
	close(leaks[1]);
}

/* The guest's programs have a line to PID 1, at its place and at no other. */
static void test_ctl(void **state)
{
	const int leak = open("/dev/null", O_RDONLY);

	(void)state;
	config.vm[0].ctl = true;
	dup2(leak, ARGV_FD_CTL);
	dup2(leak, ARGV_FD_CTL + 1);
	script = "/bin/ls /proc/$$/fd; exit 7";
	assert_int_equal(launch_vm(&config, 0, &launch), 0);
	assert_string_equal(read_all(launch.words), "0\n1\n10\n11\n13\n2\n20\n21\n22\n");
	assert_exit(7);
	close(ARGV_FD_CTL);
	close(ARGV_FD_CTL + 1);
	close(leak);
}

static void test_ctl_channel(void **state)
{
	char text[16] = "";

	(void)state;
	config.vm[0].ctl = true;
	script = "echo asked >&13; read x <&13; echo \"$x\"; echo serial >&11; exit 7";
	assert_int_equal(launch_vm(&config, 0, &launch), 0);
	wait_readable(launch.ctl);
	assert_int_equal(read(launch.ctl, text, sizeof(text)), 6);
	assert_memory_equal(text, "asked\n", 6);
	assert_int_equal(write(launch.ctl, "answer\n", 7), 7);
	assert_string_equal(read_all(launch.words), "answer\n");
	assert_int_equal(read(launch.serial, text, sizeof(text)), 7);
	assert_exit(7);
	/* QEMU has ended: so has the line. */
	assert_int_equal(read(launch.ctl, text, sizeof(text)), 0);
}

static void test_which_is_which(void **state)
{
	(void)state;
	script = "for f in 0 20 21 22; do /bin/readlink /proc/$$/fd/$f; done";
	assert_int_equal(launch_vm(&config, 0, &launch), 0);
	const char *words = read_all(launch.words);
	const char *iommu = strstr(words, "/dev/iommu\n");
	const char *first = strstr(words, "/dev/vfio/devices/vfio0\n");
	const char *second = strstr(words, "/dev/vfio/devices/vfio1\n");

	assert_non_null(strstr(words, "/dev/null\n"));
	assert_true(iommu && first && second && iommu < first && first < second);
	assert_exit(0);
}

static void test_channels(void **state)
{
	char text[16] = "";

	(void)state;
	script =
		"echo qmp >&10; echo serial >&11; echo words; read x <&11; echo \"$x\" >&2; exit 7";
	assert_int_equal(launch_vm(&config, 0, &launch), 0);
	wait_readable(launch.qmp);
	assert_int_equal(read(launch.qmp, text, sizeof(text)), 4);
	assert_memory_equal(text, "qmp\n", 4);
	wait_readable(launch.serial);
	assert_int_equal(read(launch.serial, text, sizeof(text)), 7);
	assert_memory_equal(text, "serial\n", 7);
	assert_int_equal(write(launch.serial, "typed\n", 6), 6);
	assert_string_equal(read_all(launch.words), "words\ntyped\n");
	assert_exit(7);
}

static void test_ours(void **state)
{
	(void)state;
	config.vm[0].ctl = true;
	assert_int_equal(launch_vm(&config, 0, &launch), 0);
	const int ours[] = { launch.qmp, launch.serial, launch.ctl, launch.words, launch.report };

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		const bool is_qemus = i < 3;
		socklen_t len = sizeof(int);
		int takes = -1;

		/* A kernel before 6.16 does not know. */
		if (is_qemus &&
		    getsockopt(ours[i], SOL_SOCKET, CHILD_PASSRIGHTS, &takes, &len) == 0)
			assert_int_equal(takes, 0);
		assert_true(ours[i] >= 0);
		assert_true(fcntl(ours[i], F_GETFD) & FD_CLOEXEC);
		assert_true(fcntl(ours[i], F_GETFL) & O_NONBLOCK);
	}
	assert_exit(7);
}

/* A start leaves nothing open in PID 1 but what it returns. */
static void test_nothing_left(void **state)
{
	const int before = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int after;

	(void)state;
	close(before);
	config.vm[0].ctl = true;
	assert_int_equal(launch_vm(&config, 0, &launch), 0);
	assert_exit(7);
	close(launch.qmp);
	close(launch.serial);
	close(launch.ctl);
	close(launch.words);
	close(launch.report);
	launch = LAUNCH_NOTHING;
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(after);
	assert_int_equal(before, after);
}

static void test_signals(void **state)
{
	sigset_t all;
	sigset_t old;

	(void)state;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	script = "while read k v; do [ $k != SigBlk: ] || echo $v; done < /proc/$$/status";
	assert_int_equal(launch_vm(&config, 0, &launch), 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_string_equal(read_all(launch.words), "0000000000000000\n");
	assert_exit(0);
}

static void test_without_devices(void **state)
{
	struct launch_report report;

	(void)state;
	config.vm[0].hostdev[0].bdf[0] = config.vm[0].hostdev[1].bdf[0] = '\0';
	fakesys_file(root, "boot/Image", "");
	str_copy(config.vm[0].kernel, sizeof(config.vm[0].kernel), "/boot/Image");
	no_iommufd = true;
	script = "/bin/ls /proc/$$/fd; exit 0";
	assert_int_equal(launch_vm(&config, 0, &launch), 0);
	next_report(&report);
	assert_int_equal(report.event, LAUNCH_EXEC);
	assert_int_equal(report.devices, 0);
	assert_string_equal(read_all(launch.words), "0\n1\n10\n11\n2\n");
	assert_exit(0);
}

static void test_cpus(void **state)
{
	(void)state;
	str_copy(config.vm[0].cpu_pin, sizeof(config.vm[0].cpu_pin), "1");
	script = "while read k v; do [ $k != Cpus_allowed_list: ] || echo $v; done "
		 "< /proc/$$/status";
	assert_int_equal(launch_vm(&config, 0, &launch), 0);
	assert_string_equal(read_all(launch.words), "1\n");
	assert_exit(0);
}

static void test_disks(void **state)
{
	(void)state;
	fakesys_file(root, "srv/a.img", "disk");
	str_copy(config.vm[0].disk[0].path, sizeof(config.vm[0].disk[0].path), "/srv/a.img");
	/* Not through a pipe: the shell has one end of it for a moment. */
	script = "/bin/ls /proc/$$/fd; /bin/cat <&40";
	assert_int_equal(launch_vm(&config, 0, &launch), 0);
	assert_string_equal(read_all(launch.words), "0\n1\n10\n11\n2\n20\n21\n22\n40\ndisk");
	assert_exit(0);
}

/* A device that is not to be bound is looked at, and only that. */
static void test_unmanaged(void **state)
{
	(void)state;
	config.vm[0].hostdev[1].managed = false;
	unbindable = "0000:81:00.0";
	assert_fails(DIAG_UNMANAGED, "it has no driver, and needs a VFIO driver");
}

/* --- what goes wrong --- */

static void test_no_disk(void **state)
{
	(void)state;
	str_copy(config.vm[0].disk[0].path, sizeof(config.vm[0].disk[0].path), "/srv");
	assert_int_equal(mkdirat(root, "srv", 0755), 0);
	assert_fails(DIAG_DISK_OPEN, "open /srv");
}

static void test_no_cpus(void **state)
{
	(void)state;
	str_copy(config.vm[0].cpu_pin, sizeof(config.vm[0].cpu_pin), "3");
	assert_fails(DIAG_CPU_PIN, "run on these CPUs: Invalid argument");
}

static void test_check(void **state)
{
	(void)state;
	str_copy(config.vm[0].hostdev[1].bdf, sizeof(config.vm[0].hostdev[1].bdf), "0000:99:00.0");
	assert_fails(DIAG_DEV_NONE, "0000:99:00.0");
}

static void test_bind(void **state)
{
	(void)state;
	unbindable = "0000:81:00.0";
	assert_fails(DIAG_BIND_SILENT, "it is on nvme");
}

static void test_iommufd(void **state)
{
	(void)state;
	no_iommufd = true;
	assert_fails(DIAG_IOMMUFD_OPEN, "open /dev/iommu");
}

static void test_cdev(void **state)
{
	(void)state;
	fakesys_remove(root, "dev/vfio/devices/vfio1");
	assert_fails(DIAG_CDEV_OPEN, "open VFIO device vfio1");
}

static void test_confine(void **state)
{
	(void)state;
	confine_step = "change the user";
	assert_fails(DIAG_CONFINE_FAIL, "change the user: Operation not permitted");
}

static void test_limit(void **state)
{
	(void)state;
	limit_file = "memory.max";
	assert_fails(DIAG_CONFINE_FAIL, "memory.max: Invalid argument");
}

/* Nothing goes with QEMU that nobody has meant to. */
static void test_stray(void **state)
{
	(void)state;
	confine_leaks = true;
	assert_fails(DIAG_CONFINE_FAIL, "verify that nothing else is open: Bad file descriptor");
}

static void test_missing_walls(void **state)
{
	(void)state;
	missing_walls = 1U << WALL_LANDLOCK | 1U << WALL_TASKS;
	assert_fails(DIAG_CONFINE_LACKS, "the kernel cannot give landlock, tasks");
}

static void test_weak(void **state)
{
	struct launch_report report;
	char code[24];

	(void)state;
	missing_walls = 1U << WALL_LANDLOCK | 1U << WALL_TASKS;
	config.host.allow_weak_confinement = true;
	assert_int_equal(launch_vm(&config, 0, &launch), 0);
	next_report(&report);
	assert_int_equal(report.event, LAUNCH_FINDING);
	str_format(code, sizeof(code), "[%s]", diag_code_text(report.finding.code));
	assert_string_equal(code, "[CONFINE-WEAK]");
	next_report(&report);
	assert_int_equal(report.event, LAUNCH_EXEC);
	assert_int_equal(report.confined.missing, missing_walls);
	assert_int_equal(report.confined.landlock_abi, 0);
	assert_exit(7);
}

/* PID 1 gets what tells of denied calls, and QEMU must not keep it. */
static void test_listener(void **state)
{
	struct launch_report report;
	char byte = 1;

	(void)state;
	confine_listens = true;
	script = "/bin/ls /proc/$$/fd; exit 7";
	assert_int_equal(launch_vm(&config, 0, &launch), 0);
	next_report(&report);
	assert_int_equal(report.event, LAUNCH_LISTENER);
	assert_int_equal(read(report.listener, &byte, 1), 1);
	assert_int_equal(byte, 0);
	assert_true(fcntl(report.listener, F_GETFD) & FD_CLOEXEC);
	close(report.listener);
	next_report(&report);
	assert_int_equal(report.event, LAUNCH_EXEC);
	assert_int_equal(report.listener, -1);
	assert_string_equal(read_all(launch.words), "0\n1\n10\n11\n2\n20\n21\n22\n");
	assert_exit(7);
}

/* What stands around a QEMU is told when it is executed. */
static void test_confined(void **state)
{
	struct launch_report report;
	unsigned calls;

	(void)state;
	assert_int_equal(launch_vm(&config, 0, &launch), 0);
	next_report(&report);
	assert_int_equal(report.event, LAUNCH_EXEC);
	assert_int_equal(report.confined.user, CONFINE_UID);
	assert_int_equal(report.confined.missing, 0);
	assert_true(report.confined.memory_max > (uint64_t)1024 << 20);
	assert_int_equal(report.confined.tasks_max, 129);
	calls = report.confined.denied_calls;
	assert_exit(7);
	teardown(state);
	setup(state);
	fakesys_file(root, "srv/a.img", "disk");
	str_copy(config.vm[0].disk[0].path, sizeof(config.vm[0].disk[0].path), "/srv/a.img");
	config.vm[0].disk[0].aio = DISK_AIO_IO_URING;
	assert_int_equal(launch_vm(&config, 0, &launch), 0);
	next_report(&report);
	assert_int_equal(report.confined.denied_calls, calls - 3);
	assert_exit(7);
}

static void test_exec(void **state)
{
	(void)state;
	no_exec = true;
	assert_fails(DIAG_EXEC_FAIL, "exec /usr/bin/qemu-system-aarch64: No such file");
}

static void test_host(void **state)
{
	struct launch_report report;

	(void)state;
	assert_int_equal(launch_host(&config, true, &launch), 0);
	next_report(&report);
	assert_string_equal(report.finding.subject, "host");
	next_report(&report);
	assert_int_equal(report.event, LAUNCH_RESERVED);
	next_report(&report);
	assert_int_equal(report.event, LAUNCH_FINDING);
	assert_int_equal(report.finding.vm, DIAG_HOST);
	assert_string_equal(report.finding.subject, "HOST_MODULES");
	next_report(&report);
	assert_int_equal(report.event, LAUNCH_READY);
	assert_no_more_reports();
	assert_exit(0);
}

/* A faulty manifest: VMs' devices are reserved, but no host driver is let loose. */
static void test_host_without_probe(void **state)
{
	struct launch_report report;

	(void)state;
	assert_int_equal(launch_host(&config, false, &launch), 0);
	next_report(&report);
	next_report(&report);
	assert_int_equal(report.event, LAUNCH_RESERVED);
	next_report(&report);
	assert_int_equal(report.event, LAUNCH_READY);
	assert_no_more_reports();
	assert_exit(0);
}

static void test_read(void **state)
{
	struct launch_report report;
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd),
			 0);
	assert_int_equal(launch_read(fd[0], &report), 0);
	assert_int_equal(write(fd[1], "short", 5), 5);
	assert_int_equal(launch_read(fd[0], &report), -EBADMSG);
	close(fd[1]);
	assert_int_equal(launch_read(fd[0], &report), -ENODATA);
	close(fd[0]);
	assert_int_equal(launch_read(-1, &report), -EBADF);
}

#define LAUNCH_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

/* What the child of launch_learn() found, or "". */
static const char *learn(unsigned slot, pid_t qemu)
{
	static char text[256];

	launch_learn(&config, slot, qemu);
	while (wait(NULL) > 0)
		;
	sys_read(root, "learned", text, sizeof(text));
	return text;
}

static void test_learn(void **state)
{
	(void)state;
	assert_string_equal(learn(0, 4711),
			    "77 2 smmu3.0x000000000c000000 smmu3.0x000000000c020000");
	/* As long as one of them is not kept, each start tries again. */
	fakesys_remove(root, "learned");
	fakesys_file(root, "run/hvinit/smmu/smmu3.0x000000000c000000", "1 2 3 4 5 6 7 8 9");
	assert_string_equal(learn(0, 4711),
			    "77 2 smmu3.0x000000000c000000 smmu3.0x000000000c020000");
	fakesys_remove(root, "learned");
	fakesys_file(root, "run/hvinit/smmu/smmu3.0x000000000c020000", "1 2 3 4 5 6 7 8 9");
	assert_string_equal(learn(0, 4711), "");
	fakesys_remove(root, "run/hvinit/smmu/smmu3.0x000000000c020000");
	/* A QEMU that has ended has nothing to tell. */
	config.vm[1] = config.vm[0];
	assert_string_equal(learn(1, 4712), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		LAUNCH_CASE("devices are told of", test_devices_told),
		LAUNCH_CASE("a device that is dead", test_dead_device),
		LAUNCH_CASE("a device in quarantine", test_quarantined_device),
		LAUNCH_CASE("devices are released", test_release),
		LAUNCH_CASE("QEMU gets its descriptors and no others", test_descriptors),
		LAUNCH_CASE("a VM with a port for its programs", test_ctl),
		LAUNCH_CASE("that port is connected", test_ctl_channel),
		LAUNCH_CASE("each descriptor is what the argv says", test_which_is_which),
		LAUNCH_CASE("the channels are connected", test_channels),
		LAUNCH_CASE("PID 1's ends do not block and do not leak", test_ours),
		LAUNCH_CASE("nothing is left open in PID 1", test_nothing_left),
		LAUNCH_CASE("QEMU blocks no signal", test_signals),
		LAUNCH_CASE("a VM without devices", test_without_devices),
		LAUNCH_CASE("learning what the SMMUs are", test_learn),
		LAUNCH_CASE("a VM on its CPUs", test_cpus),
		LAUNCH_CASE("a VM with a disk", test_disks),
		LAUNCH_CASE("a device that is not to be bound", test_unmanaged),
		LAUNCH_CASE("the check finds something", test_check),
		LAUNCH_CASE("a disk does not open", test_no_disk),
		LAUNCH_CASE("CPUs cannot be had", test_no_cpus),
		LAUNCH_CASE("a device does not bind", test_bind),
		LAUNCH_CASE("no iommufd", test_iommufd),
		LAUNCH_CASE("a device does not open", test_cdev),
		LAUNCH_CASE("privileges stay", test_confine),
		LAUNCH_CASE("a stray descriptor", test_stray),
		LAUNCH_CASE("a limit that is refused", test_limit),
		LAUNCH_CASE("walls that the kernel lacks", test_missing_walls),
		LAUNCH_CASE("walls that may be missing", test_weak),
		LAUNCH_CASE("what stands around it", test_confined),
		LAUNCH_CASE("what tells of denied calls", test_listener),
		LAUNCH_CASE("QEMU does not start", test_exec),
		LAUNCH_CASE("the host's child", test_host),
		LAUNCH_CASE("host: without probing", test_host_without_probe),
		LAUNCH_CASE("reading reports", test_read),
	};

	return cmocka_run_group_tests_name("launch", tests, NULL, NULL);
}
