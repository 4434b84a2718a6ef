/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a VM: each cell of the table that something outside can reach, and the stories of
 * how VMs end. The loop, the launcher, the log and the console are this test's own.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "console.h"
#include "device.h"
#include "launch.h"
#include "log.h"
#include "loop.h"
#include "manifest.h"
#include "pin.h"
#include "shutdown.h"
#include "sys_cgroup.h"
#include "vm_private.h"

enum { STATUS_OK = 0, STATUS_1 = 1 << 8, KILLED = SIGKILL, SEGFAULT = SIGSEGV };

static struct config config;
static struct diag diag;

/* --- the rooms around it --- */

/* What a launcher or QEMU has in its hands. */
static struct launch theirs;
static pid_t next_pid = 1000;
static int launch_error;
static unsigned launches;

static struct source *watched[5]; /* qmp, serial, words, report, cgroup of the last start */
static unsigned watching;
/* The same of each VM's last start, for stories of several. */
static struct {
	struct launch theirs;
	struct source *watched[5];
} starts[HV_VM_SLOTS];
static unsigned chosen; /* the VM that things happen to */
static char order[64]; /* names of VMs as they were started */
static struct source *timer; /* of VM 0 */
static bool timer_runs_out;
static uint64_t timer_ms;
static struct source *patience; /* the timer that is no VM's; it stays from story to story */
static uint64_t patience_ms;
static struct source *pulse; /* the timer by which QEMU is asked whether it is there; it stays, too */
static uint64_t pulse_ms;
static bool grouped; /* VMs have a control group */
static bool populated; /* and a process is in it */
static unsigned groups_killed;
static unsigned oom_kills;

static char said[8192]; /* log and console, a line each */
static pid_t killed;
static int killed_with; /* signals, a bit each */
static bool going_down;
static int shutdowns; /* bit for each way that was asked for */
static unsigned guest_ended;
static unsigned guest_printed;
static int pin_error;
static char pins[64]; /* process and CPUs that were asked for */
static uint64_t clock_ms; /* added to the real one */

static void say(const char *text)
{
	size_t used = strlen(said);

	str_format(said + used, sizeof(said) - used, "%s\n", text);
}

void log_msg(enum log_level level, const char *subject, const char *fmt, ...)
{
	char text[512];
	char line[600];
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_format(line, sizeof(line), "%s: %s", subject, text);
	say(line);
}

void log_stamp(char *stamp, size_t size)
{
	str_copy(stamp, size, "[    1.000000]");
}

void log_finding(const struct finding *finding)
{
	char line[512];

	diag_format(finding, line, sizeof(line));
	say(line);
}

void console_line(const char *line)
{
	say(line);
}

void console_echo(unsigned slot, const char *line)
{
	(void)slot;
	say(line);
}

void console_guest(unsigned slot)
{
	(void)slot;
	guest_printed++;
}

void console_guest_ended(unsigned slot)
{
	(void)slot;
	guest_ended++;
}

bool shutdown_going_on(void)
{
	return going_down;
}

void shutdown_proceed(void)
{
}

void shutdown_begin(enum shutdown_how how)
{
	shutdowns |= 1 << how;
}

int loop_add(struct source *source, int fd, uint32_t events, void (*ready)(void *, uint32_t),
	     void *arg)
{
	(void)events;
	source->fd = fd;
	source->ready = ready;
	source->arg = arg;
	watched[watching++ % 5] = source;
	return 0;
}

void loop_close(struct source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}

int timer_add(struct source *source, void (*ready)(void *, uint32_t), void *arg)
{
	source->fd = 999;
	source->ready = ready;
	source->arg = arg;
	if (!arg)
		patience = source;
	else if (arg == source)
		pulse = source;
	else if (!timer)
		timer = source;
	return 0;
}

void timer_set(const struct source *source, uint64_t ms)
{
	if (source == timer)
		timer_ms = ms;
	if (source == patience)
		patience_ms = ms;
	if (source == pulse)
		pulse_ms = ms;
}

bool timer_fired(const struct source *source)
{
	return (source == timer || source == pulse) && timer_runs_out;
}

int __wrap_kill(pid_t pid, int number);

int __wrap_kill(pid_t pid, int number)
{
	killed = pid;
	killed_with |= 1 << number;
	return 0;
}

int sys_cgroup_kill(int root, unsigned slot)
{
	(void)slot;
	assert_int_equal(root, AT_FDCWD);
	groups_killed++;
	return 0;
}

bool sys_cgroup_populated(int events)
{
	assert_true(events >= 0);
	return populated;
}

unsigned sys_cgroup_oom_kills(int root, unsigned slot)
{
	(void)slot;
	assert_int_equal(root, AT_FDCWD);
	return oom_kills;
}

static void make_pair(int *ours, int *other)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	*ours = fd[0];
	*other = fd[1];
}

static void close_theirs(void)
{
	close_fdp(&theirs.qmp);
	close_fdp(&theirs.serial);
	close_fdp(&theirs.words);
	close_fdp(&theirs.report);
	theirs = (struct launch){ -1, -1, -1, -1, -1, -1 };
}

/* From now on things happen to that VM. */
static void choose(unsigned slot)
{
	starts[chosen].theirs = theirs;
	memcpy(starts[chosen].watched, watched, sizeof(watched));
	theirs = starts[slot].theirs;
	memcpy(watched, starts[slot].watched, sizeof(watched));
	chosen = slot;
}

int launch_vm(const struct config *all, unsigned slot, struct launch *launch)
{
	assert_ptr_equal(all, &config);
	if (launch_error)
		return -launch_error;
	launches++;
	if (slot != chosen)
		choose(slot);
	watching = 0;
	str_format(order + strlen(order), sizeof(order) - strlen(order), "%s ",
		   config.vm[slot].name);
	make_pair(&launch->qmp, &theirs.qmp);
	make_pair(&launch->serial, &theirs.serial);
	make_pair(&launch->words, &theirs.words);
	make_pair(&launch->report, &theirs.report);
	launch->cgroup = grouped ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
	launch->pid = theirs.pid = next_pid++;
	return 0;
}

static pid_t releaser; /* the child that gives devices back */
static int releaser_report = -1;
static int release_error;
static unsigned releases;

int launch_release(const struct config *all, unsigned slot, unsigned hostdev, struct launch *launch)
{
	assert_int_equal(hostdev, LAUNCH_ALL);
	assert_ptr_equal(all, &config);
	assert_int_equal(slot, 0);
	if (release_error)
		return -release_error;
	releases++;
	close_fdp(&releaser_report);
	make_pair(&launch->report, &releaser_report);
	launch->pid = releaser = next_pid++;
	return 0;
}

int launch_attach(const struct config *all, unsigned slot, unsigned hostdev, int qmp_fd,
		  struct launch *launch)
{
	(void)all;
	(void)slot;
	(void)hostdev;
	(void)qmp_fd;
	(void)launch;
	return -ENOSYS; /* its stories are in test_vm_plug.c */
}

static unsigned learned; /* the slot's bit */

void launch_learn(const struct config *all, unsigned slot, pid_t qemu)
{
	assert_ptr_equal(all, &config);
	assert_int_equal(qemu, theirs.pid);
	learned |= 1U << slot;
}

int pin_vcpus(int root, pid_t pid, const struct cpulist *cpus)
{
	char text[CPULIST_TEXT];

	assert_int_equal(root, AT_FDCWD);
	str_format(pins, sizeof(pins), "%d: %s", (int)pid, cpulist_print(cpus, text));
	return -pin_error;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *now);
int __real_clock_gettime(clockid_t id, struct timespec *now);

int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
	int error = __real_clock_gettime(id, now);

	now->tv_sec += (time_t)(clock_ms / 1000);
	return error;
}

int launch_read(int fd, struct launch_report *report)
{
	ssize_t n = read(fd, report, sizeof(*report));

	return n < 0 ? 0 : n == 0 ? -ENODATA : 1;
}

/* --- what can happen --- */

static void wake(unsigned which)
{
	watched[which]->ready(watched[which]->arg, 1);
}

static void write_all(int fd, const void *data, size_t len)
{
	assert_int_equal(write(fd, data, len), len);
}

static void qmp(const char *line)
{
	write_all(theirs.qmp, line, strlen(line));
	write_all(theirs.qmp, "\r\n", 2);
	wake(0);
}

/* What PID 1 told QEMU since the last time. */
static const char *told(void)
{
	static char text[1024];
	ssize_t n = read(theirs.qmp, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void report(const struct launch_report *r)
{
	write_all(theirs.report, r, sizeof(*r));
	wake(3);
}

static void finding(enum diag_code code, const char *text)
{
	struct launch_report r = { .event = LAUNCH_FINDING };
	struct diag one = { 0 };

	diag_add(&one, 0, code, "0000:41:00.0", "%s", text);
	r.finding = one.finding[0];
	report(&r);
}

/* The host could not be prepared for it. */
static void unfit(enum diag_code code)
{
	struct diag one = { 0 };

	diag_add(&one, 0, code, "VM0_HUGEPAGES", "reserve 512 pages: no");
	vm_unfit(0, &one.finding[0]);
}

static void happen_exec(void)
{
	const struct launch_report r = { .event = LAUNCH_EXEC, .devices = 2, .vsmmus = 1 };

	report(&r);
}

static void happen_ready(void)
{
	qmp("{\"return\": {\"status\": \"prelaunch\"}, \"id\": \"status\"}");
}

static void happen_resume(void)
{
	qmp("{\"event\": \"RESUME\"}");
}

static void happen_pause(void)
{
	qmp("{\"event\": \"STOP\"}");
}

static void happen_refused(void)
{
	qmp("{\"error\": {\"desc\": \"no\"}, \"id\": \"cont\"}");
}

/* QEMU closes its monitor. */
static void happen_lost(void)
{
	close(theirs.qmp);
	theirs.qmp = -1;
	wake(0);
}

static void happen_timeout(void)
{
	timer_runs_out = true;
	timer->ready(timer->arg, 1);
	timer_runs_out = false;
}

/* QEMU has not answered for as long as it may take. */
static void happen_hung(void)
{
	timer_runs_out = true;
	pulse->ready(pulse->arg, 1);
	clock_ms += (uint64_t)config.vm[0].hang_timeout * 1000;
	pulse->ready(pulse->arg, 1);
	timer_runs_out = false;
}

static void happen_empty(void)
{
	populated = false;
	wake(4);
}

static void end(int status)
{
	const pid_t pid = theirs.pid;

	close_theirs();
	assert_true(vm_reaped(pid, status));
}

static void end_of(unsigned slot, int status)
{
	choose(slot);
	end(status);
}

static const char *command(enum vm_event event)
{
	return vm_command(0, event);
}

static void assert_state(const char *state)
{
	assert_string_equal(vm_look(0).state, state);
}

static void assert_said(const char *part)
{
	if (!strstr(said, part))
		fail_msg("nobody said \"%s\", but:\n%s", part, said);
}

/* --- setting up --- */

static void init(void)
{
	assert_int_equal(vm_init(&config, &diag), 0);
}

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	memset(&diag, 0, sizeof(diag));
	str_copy(config.vm[0].name, sizeof(config.vm[0].name), "demo");
	close_theirs();
	launch_error = 0;
	launches = 0;
	timer = NULL;
	timer_ms = 0;
	killed = 0;
	killed_with = 0;
	going_down = false;
	shutdowns = 0;
	guest_ended = 0;
	guest_printed = 0;
	pin_error = 0;
	grouped = populated = false;
	groups_killed = oom_kills = 0;
	release_error = 0;
	releases = 0;
	pins[0] = order[0] = '\0';
	chosen = 0;
	memset(starts, 0, sizeof(starts));
	init();
	said[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	going_down = true; /* nothing starts again */
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		if (vm_exists(slot) && vm_look(slot).pid)
			end_of(slot, STATUS_OK);
	return 0;
}

static void go_running(void)
{
	assert_null(command(VM_EV_START));
	happen_exec();
	happen_ready();
	happen_resume();
	assert_state("running");
	told();
}

static void go(enum vm_state state)
{
	switch (state) {
	case VM_INVALID:
		diag_add(&diag, 0, DIAG_SYMBOL_VALUE, "VM0_CPUS", "bad");
		init();
		break;
	case VM_STOPPED:
		break;
	case VM_STARTING:
		command(VM_EV_START);
		break;
	case VM_PRELAUNCH:
		command(VM_EV_START);
		happen_ready();
		break;
	case VM_RUNNING:
		go_running();
		break;
	case VM_PAUSED:
		go_running();
		happen_pause();
		break;
	case VM_STOPPING:
		go_running();
		command(VM_EV_STOP);
		break;
	case VM_STUCK:
		go_running();
		command(VM_EV_KILL);
		happen_timeout();
		break;
	case VM_BACKOFF:
		config.vm[0].restart = VM_RESTART_ALWAYS;
		command(VM_EV_START);
		end(STATUS_1);
		break;
	case VM_FAILED:
		command(VM_EV_START);
		end(STATUS_1);
		break;
	default:
		fail();
	}
	told();
	said[0] = '\0';
	killed = 0;
}

/* --- the table --- */

struct cell {
	enum vm_state state;
	enum vm_event event;
	const char *to; /* the state after it */
	const char *refusal; /* part of why a command did nothing; NULL: it did something */
	const char *tells; /* what QEMU is told; "" nothing */
	bool kills;
};

#define NO_PROCESS(state)                                                 \
	{ state, VM_EV_STOP, NULL, "is not running", "", false },         \
		{ state, VM_EV_KILL, NULL, "is not running", "", false }, \
		{ state, VM_EV_PAUSE, NULL, "not running", "", false },   \
		{ state, VM_EV_RESUME, NULL, "not running", "", false },  \
		{ state, VM_EV_RESET, NULL, "not running", "", false },   \
	{                                                                 \
		state, VM_EV_TIMEOUT, NULL, NULL, "", false               \
	}

static const struct cell cells[] = {
	/* clang-format off */
	{ VM_INVALID, VM_EV_START, "invalid", "", "", false },
	NO_PROCESS(VM_INVALID),
	{ VM_INVALID, VM_EV_RESTART, "invalid", "faults", "", false },
	{ VM_INVALID, VM_EV_UNFIT, "invalid", NULL, "", false },

	{ VM_STOPPED, VM_EV_START, "starting", NULL, "", false },
	NO_PROCESS(VM_STOPPED),
	{ VM_STOPPED, VM_EV_RESTART, "starting", NULL, "", false },
	{ VM_STOPPED, VM_EV_UNFIT, "failed", NULL, "", false },

	{ VM_STARTING, VM_EV_START, "starting", "", "", false },
	{ VM_STARTING, VM_EV_STOP, "stopping", NULL, "", true },
	{ VM_STARTING, VM_EV_KILL, "stopping", NULL, "", true },
	{ VM_STARTING, VM_EV_RESTART, "stopping", NULL, "", true },
	{ VM_STARTING, VM_EV_PAUSE, "starting", "does not run yet", "", false },
	{ VM_STARTING, VM_EV_RESUME, "starting", "does not run yet", "", false },
	{ VM_STARTING, VM_EV_RESET, "starting", "does not run yet", "", false },
	{ VM_STARTING, VM_EV_EMPTY, "starting", NULL, "", false },
	{ VM_STARTING, VM_EV_EXEC, "starting", NULL, "", false },
	{ VM_STARTING, VM_EV_READY, "prelaunch", NULL, "\"cont\"", false },
	{ VM_STARTING, VM_EV_RESUMED, "starting", NULL, "", false },
	{ VM_STARTING, VM_EV_PAUSED, "starting", NULL, "", false },
	{ VM_STARTING, VM_EV_REFUSED, "stopping", NULL, "", true },
	{ VM_STARTING, VM_EV_LOST, "starting", NULL, "", false },
	{ VM_STARTING, VM_EV_TIMEOUT, "stopping", NULL, "", true },
	{ VM_STARTING, VM_EV_ENDED, "stopped", NULL, "", false },
	{ VM_STARTING, VM_EV_UNFIT, "starting", NULL, "", false },

	{ VM_PRELAUNCH, VM_EV_START, "prelaunch", "", "", false },
	{ VM_PRELAUNCH, VM_EV_STOP, "stopping", NULL, "", true },
	{ VM_PRELAUNCH, VM_EV_KILL, "stopping", NULL, "", true },
	{ VM_PRELAUNCH, VM_EV_RESTART, "stopping", NULL, "", true },
	{ VM_PRELAUNCH, VM_EV_PAUSE, "prelaunch", "does not run yet", "", false },
	{ VM_PRELAUNCH, VM_EV_RESUME, "prelaunch", "does not run yet", "", false },
	{ VM_PRELAUNCH, VM_EV_RESET, "prelaunch", "does not run yet", "", false },
	{ VM_PRELAUNCH, VM_EV_EMPTY, "prelaunch", NULL, "", false },
	{ VM_PRELAUNCH, VM_EV_EXEC, "prelaunch", NULL, "", false },
	{ VM_PRELAUNCH, VM_EV_READY, "prelaunch", NULL, "", false },
	{ VM_PRELAUNCH, VM_EV_RESUMED, "running", NULL, "", false },
	{ VM_PRELAUNCH, VM_EV_PAUSED, "prelaunch", NULL, "", false },
	{ VM_PRELAUNCH, VM_EV_REFUSED, "stopping", NULL, "", true },
	{ VM_PRELAUNCH, VM_EV_LOST, "prelaunch", NULL, "", false },
	{ VM_PRELAUNCH, VM_EV_TIMEOUT, "stopping", NULL, "", true },
	{ VM_PRELAUNCH, VM_EV_ENDED, "stopped", NULL, "", false },
	{ VM_PRELAUNCH, VM_EV_UNFIT, "prelaunch", NULL, "", false },

	{ VM_RUNNING, VM_EV_START, "running", "", "", false },
	{ VM_RUNNING, VM_EV_STOP, "stopping", NULL, "\"system_powerdown\"", false },
	{ VM_RUNNING, VM_EV_KILL, "stopping", NULL, "", true },
	{ VM_RUNNING, VM_EV_RESTART, "stopping", NULL, "\"system_powerdown\"", false },
	{ VM_RUNNING, VM_EV_PAUSE, "running", NULL, "\"stop\"", false },
	{ VM_RUNNING, VM_EV_RESUME, "running", "is running", "", false },
	{ VM_RUNNING, VM_EV_RESET, "running", NULL, "\"system_reset\"", false },
	{ VM_RUNNING, VM_EV_HUNG, "stopping", NULL, "query-status", true },
	{ VM_RUNNING, VM_EV_EMPTY, "running", NULL, "", false },
	{ VM_RUNNING, VM_EV_EXEC, "running", NULL, "", false },
	{ VM_RUNNING, VM_EV_READY, "running", NULL, "", false },
	{ VM_RUNNING, VM_EV_RESUMED, "running", NULL, "", false },
	{ VM_RUNNING, VM_EV_PAUSED, "paused", NULL, "query-status", false },
	{ VM_RUNNING, VM_EV_REFUSED, "running", NULL, "", false },
	{ VM_RUNNING, VM_EV_LOST, "running", NULL, "", false },
	{ VM_RUNNING, VM_EV_TIMEOUT, "stopping", NULL, "", true },
	{ VM_RUNNING, VM_EV_ENDED, "stopped", NULL, "", false },
	{ VM_RUNNING, VM_EV_UNFIT, "running", NULL, "", false },

	{ VM_PAUSED, VM_EV_START, "paused", "", "", false },
	{ VM_PAUSED, VM_EV_STOP, "stopping", NULL, "\"quit\"", false },
	{ VM_PAUSED, VM_EV_KILL, "stopping", NULL, "", true },
	{ VM_PAUSED, VM_EV_RESTART, "stopping", NULL, "\"quit\"", false },
	{ VM_PAUSED, VM_EV_PAUSE, "paused", "already", "", false },
	{ VM_PAUSED, VM_EV_RESUME, "paused", NULL, "\"cont\"", false },
	{ VM_PAUSED, VM_EV_RESET, "paused", NULL, "\"system_reset\"", false },
	{ VM_PAUSED, VM_EV_HUNG, "stopping", NULL, "query-status", true },
	{ VM_PAUSED, VM_EV_EMPTY, "paused", NULL, "", false },
	{ VM_PAUSED, VM_EV_EXEC, "paused", NULL, "", false },
	{ VM_PAUSED, VM_EV_READY, "paused", NULL, "", false },
	{ VM_PAUSED, VM_EV_RESUMED, "running", NULL, "", false },
	{ VM_PAUSED, VM_EV_PAUSED, "paused", NULL, "", false },
	{ VM_PAUSED, VM_EV_REFUSED, "paused", NULL, "", false },
	{ VM_PAUSED, VM_EV_LOST, "paused", NULL, "", false },
	{ VM_PAUSED, VM_EV_TIMEOUT, "stopping", NULL, "", true },
	{ VM_PAUSED, VM_EV_ENDED, "stopped", NULL, "", false },
	{ VM_PAUSED, VM_EV_UNFIT, "paused", NULL, "", false },

	{ VM_STOPPING, VM_EV_START, "stopping", "", "", false },
	{ VM_STOPPING, VM_EV_STOP, "stopping", "", "", false },
	{ VM_STOPPING, VM_EV_KILL, "stopping", NULL, "", true },
	{ VM_STOPPING, VM_EV_RESTART, "stopping", NULL, "", false },
	{ VM_STOPPING, VM_EV_PAUSE, "stopping", "being stopped", "", false },
	{ VM_STOPPING, VM_EV_RESUME, "stopping", "being stopped", "", false },
	{ VM_STOPPING, VM_EV_RESET, "stopping", "being stopped", "", false },
	{ VM_STOPPING, VM_EV_EMPTY, "stopping", NULL, "", false },
	{ VM_STOPPING, VM_EV_EXEC, "stopping", NULL, "", false },
	{ VM_STOPPING, VM_EV_READY, "stopping", NULL, "", false },
	{ VM_STOPPING, VM_EV_RESUMED, "stopping", NULL, "", false },
	{ VM_STOPPING, VM_EV_PAUSED, "stopping", NULL, "", false },
	{ VM_STOPPING, VM_EV_REFUSED, "stopping", NULL, "", false },
	{ VM_STOPPING, VM_EV_LOST, "stopping", NULL, "", false },
	{ VM_STOPPING, VM_EV_TIMEOUT, "stopping", NULL, "system_powerdown", false },
	{ VM_STOPPING, VM_EV_ENDED, "stopped", NULL, "", false },
	{ VM_STOPPING, VM_EV_UNFIT, "stopping", NULL, "", false },

	{ VM_STUCK, VM_EV_START, "stuck", "reboot", "", false },
	{ VM_STUCK, VM_EV_STOP, "stuck", "reboot", "", false },
	{ VM_STUCK, VM_EV_KILL, "stuck", NULL, "", true },
	{ VM_STUCK, VM_EV_RESTART, "stuck", "reboot", "", false },
	{ VM_STUCK, VM_EV_PAUSE, "stuck", "reboot", "", false },
	{ VM_STUCK, VM_EV_RESUME, "stuck", "reboot", "", false },
	{ VM_STUCK, VM_EV_RESET, "stuck", "reboot", "", false },
	{ VM_STUCK, VM_EV_EMPTY, "stuck", NULL, "", false },
	{ VM_STUCK, VM_EV_EXEC, "stuck", NULL, "", false },
	{ VM_STUCK, VM_EV_READY, "stuck", NULL, "", false },
	{ VM_STUCK, VM_EV_RESUMED, "stuck", NULL, "", false },
	{ VM_STUCK, VM_EV_PAUSED, "stuck", NULL, "", false },
	{ VM_STUCK, VM_EV_REFUSED, "stuck", NULL, "", false },
	{ VM_STUCK, VM_EV_LOST, "stuck", NULL, "", false },
	{ VM_STUCK, VM_EV_TIMEOUT, "stuck", NULL, "", false },
	{ VM_STUCK, VM_EV_ENDED, "stopped", NULL, "", false },
	{ VM_STUCK, VM_EV_UNFIT, "stuck", NULL, "", false },

	{ VM_BACKOFF, VM_EV_START, "starting", NULL, "", false },
	{ VM_BACKOFF, VM_EV_STOP, "stopped", NULL, "", false },
	{ VM_BACKOFF, VM_EV_KILL, "stopped", NULL, "", false },
	{ VM_BACKOFF, VM_EV_RESTART, "starting", NULL, "", false },
	{ VM_BACKOFF, VM_EV_PAUSE, "backoff", "not running", "", false },
	{ VM_BACKOFF, VM_EV_RESUME, "backoff", "not running", "", false },
	{ VM_BACKOFF, VM_EV_RESET, "backoff", "not running", "", false },
	{ VM_BACKOFF, VM_EV_TIMEOUT, "starting", NULL, "", false },
	{ VM_BACKOFF, VM_EV_UNFIT, "backoff", NULL, "", false },

	{ VM_FAILED, VM_EV_START, "starting", NULL, "", false },
	NO_PROCESS(VM_FAILED),
	{ VM_FAILED, VM_EV_RESTART, "starting", NULL, "", false },
	{ VM_FAILED, VM_EV_UNFIT, "failed", NULL, "", false },
	/* clang-format on */
};

static void happen(enum vm_event event)
{
	switch (event) {
	case VM_EV_EXEC:
		happen_exec();
		break;
	case VM_EV_READY:
		happen_ready();
		break;
	case VM_EV_RESUMED:
		happen_resume();
		break;
	case VM_EV_PAUSED:
		happen_pause();
		break;
	case VM_EV_REFUSED:
		happen_refused();
		break;
	case VM_EV_LOST:
		happen_lost();
		break;
	case VM_EV_TIMEOUT:
		happen_timeout();
		break;
	case VM_EV_HUNG:
		happen_hung();
		break;
	case VM_EV_EMPTY:
		happen_empty();
		break;
	case VM_EV_UNFIT:
		unfit(DIAG_HUGE_SHORT);
		break;
	default:
		end(STATUS_OK);
	}
}

static void test_cell(void **state)
{
	const struct cell *cell = *state;
	const char *refusal = NULL;
	const char *before;
	pid_t pid;

	grouped = cell->event == VM_EV_EMPTY;
	go(cell->state);
	before = vm_look(0).state;
	pid = theirs.pid;
	if (cell->event <= VM_EV_RESET)
		refusal = command(cell->event);
	else
		happen(cell->event);
	assert_state(cell->to ? cell->to : before);
	if (cell->refusal && !refusal)
		fail_msg("it was not refused");
	if (!cell->refusal && refusal)
		fail_msg("refused: %s", refusal);
	assert_int_equal(killed, cell->kills ? pid : 0);
	if (cell->event != VM_EV_ENDED && cell->event != VM_EV_LOST && theirs.pid == pid &&
	    pid > 0) {
		const char *words = told();

		if (cell->tells[0] ? !strstr(words, cell->tells) : words[0] != '\0')
			fail_msg("QEMU was told \"%s\"", words);
	}
}

/* --- how a start goes --- */

static void test_start(void **state)
{
	const unsigned before = vm_look(0).starts;

	(void)state;
	assert_null(command(VM_EV_START));
	assert_said("demo: starting");
	happen_exec();
	assert_said("demo: exec");
	assert_int_equal(vm_look(0).devices, 2);
	assert_int_equal(vm_look(0).vsmmus, 1);
	assert_int_equal(vm_look(0).pid, theirs.pid);
	qmp("{\"QMP\": {\"version\": {}, \"capabilities\": []}}");
	assert_state("starting"); /* the greeting says nothing about the devices */
	assert_non_null(strstr(told(), "\"qmp_capabilities\""));
	qmp("{\"return\": {}, \"id\": \"capabilities\"}");
	assert_non_null(strstr(told(), "\"query-status\""));
	happen_ready();
	assert_state("prelaunch");
	assert_true(timer_ms > 0);
	happen_resume();
	assert_state("running");
	assert_said("demo: running");
	assert_int_equal(timer_ms, 0);
	assert_int_equal(vm_active(), 1);
	assert_int_equal(vm_look(0).starts, before + 1);
}

/* What its SMMUs say of themselves is asked of a VM that runs and has devices. */
static void test_learn(void **state)
{
	(void)state;
	learned = 0;
	command(VM_EV_START);
	happen_exec();
	happen_ready();
	assert_int_equal(learned, 0);
	happen_resume();
	assert_int_equal(learned, 1);
}

static void test_launch_error(void **state)
{
	(void)state;
	launch_error = EMFILE;
	command(VM_EV_START);
	assert_state("failed");
	assert_said("[LAUNCH-FAIL]");
	assert_said("Too many open files");
	launch_error = 0;
	assert_null(command(VM_EV_START));
	assert_state("starting");
}

static void test_launcher_finding(void **state)
{
	(void)state;
	command(VM_EV_START);
	finding(DIAG_DEV_NONE, "find it: no such PCI device");
	finding(DIAG_LAUNCH_FAIL, "a consequence");
	end(STATUS_1);
	assert_state("failed");
	assert_string_equal(vm_look(0).why, "find it: no such PCI device");
	assert_said("[DEV-NONE]");
	assert_said("demo: failed: find it: no such PCI device");
}

/* Reports that are still in the pipe when the launcher is reaped count, too. */
static void test_late_report(void **state)
{
	struct launch_report r = { .event = LAUNCH_FINDING };
	struct diag one = { 0 };

	(void)state;
	command(VM_EV_START);
	diag_add(&one, 0, DIAG_BIND_FAIL, "0000:41:00.0", "probe its driver: No such device");
	r.finding = one.finding[0];
	write_all(theirs.report, &r, sizeof(r));
	end(STATUS_1);
	assert_state("failed");
	assert_said("[BIND-FAIL]");
}

static void test_launcher_warning(void **state)
{
	(void)state;
	command(VM_EV_START);
	finding(DIAG_MODULE_LOAD, "only a warning");
	happen_exec();
	happen_ready();
	happen_resume();
	assert_state("running");
	end(STATUS_OK);
	assert_state("stopped");
}

static void test_no_answer(void **state)
{
	(void)state;
	config.vm[0].memory_mib = 24 * 1024;
	command(VM_EV_START);
	assert_true(timer_ms > 210 * 1000); /* what 24 GiB have been seen to take */
	happen_timeout();
	assert_int_equal(killed, theirs.pid);
	end(KILLED);
	assert_state("failed");
	assert_said("[QMP-LATE]");
}

static void test_start_again(void **state)
{
	(void)state;
	command(VM_EV_START);
	finding(DIAG_DEV_NONE, "the first time");
	end(STATUS_1);
	assert_state("failed");
	go_running();
	assert_string_equal(vm_look(0).why, "");
	end(STATUS_OK);
	assert_state("stopped");
}

/* --- how a VM ends --- */

static void words(const char *text)
{
	write_all(theirs.words, text, strlen(text));
	wake(2);
}

static void test_guest_shutdown(void **state)
{
	(void)state;
	go_running();
	qmp("{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": \"guest-shutdown\"}}");
	end(STATUS_OK);
	assert_state("stopped");
	assert_said("demo: stopped: guest-shutdown");
	assert_int_equal(guest_ended, 1);
	assert_int_equal(vm_active(), 0);
	assert_int_equal(vm_look(0).pid, 0);
}

static void test_crash(void **state)
{
	(void)state;
	go_running();
	end(SEGFAULT);
	assert_state("failed");
	assert_said("[QEMU-DIED]");
	assert_said("signal 11");
}

static void test_killed_from_outside(void **state)
{
	(void)state;
	go_running();
	end(KILLED);
	assert_state("failed");
	assert_said("signal 9");
	assert_null(command(VM_EV_START));
	assert_state("starting");
}

static void test_refused(void **state)
{
	(void)state;
	command(VM_EV_START);
	happen_exec();
	words("qemu-system-aarch64: warning: something\n"
	      "qemu-system-aarch64: -device x: no such device\n\n");
	end(STATUS_1);
	assert_state("failed");
	assert_said("[QEMU-REFUSED]");
	assert_string_equal(vm_look(0).why, "QEMU: -device x: no such device");
}

static void test_no_nesting(void **state)
{
	(void)state;
	command(VM_EV_START);
	happen_exec();
	words("IOMMU_VIOMMU_ALLOC failed: Operation not supported\nvfio 0000:41:00.0: failed\n");
	end(STATUS_1);
	assert_said("[NO-NESTING]");
	assert_state("failed");
}

static void test_refusal_known(void **state)
{
	(void)state;
	command(VM_EV_START);
	happen_exec();
	words("qemu-system-aarch64: -device {\"driver\":\"x\",\"id\":\"iommu0\"}: "
	      "An iommu is already attached to this bus\n");
	end(STATUS_1);
	assert_said("[SMMU-TWICE]");
	assert_string_equal(vm_look(0).why,
			    "QEMU: iommu0: An iommu is already attached to this bus");
}

/* QEMU gives up by abort() where a guest has asked for the impossible. */
static void test_refusal_by_signal(void **state)
{
	(void)state;
	go_running();
	words("qemu: hardware error: vfio: DMA mapping failed, unable to continue\nCPU #0:\n");
	end(SEGFAULT);
	assert_said("[MAP-FAIL]");
	assert_said("signal 11");
	assert_said("unable to continue");
}

/* QEMU goes on after some words: they are told once, and are no reason for its end. */
static void test_warnings(void **state)
{
	(void)state;
	go_running();
	words("qemu-system-aarch64: warning: IOMMU_IOAS_MAP failed: Bad add");
	assert_null(strstr(said, "MAP-EFAULT"));
	words("ress, PCI BAR?\nqemu-system-aarch64: Failed to attach GBPA hwpt 6 for hiodi\n");
	assert_said("[MAP-EFAULT]");
	assert_said("[ATTACH-FAIL]");
	said[0] = '\0';
	words("qemu-system-aarch64: warning: IOMMU_IOAS_MAP failed: Bad address, PCI BAR?\n");
	assert_null(strstr(said, "MAP-EFAULT"));
	end(STATUS_OK);
	assert_state("stopped");
	go_running();
	words("qemu-system-aarch64: warning: IOMMU_IOAS_MAP failed: Bad address, PCI BAR?\n");
	assert_said("[MAP-EFAULT]");
}

/* A warning is found behind a line that is longer than what is looked at in one go. */
static void test_warning_after_long_line(void **state)
{
	char part[1000];

	(void)state;
	memset(part, 'x', sizeof(part) - 1);
	part[sizeof(part) - 1] = '\0';
	go_running();
	for (unsigned i = 0; i < 9; i++)
		words(part);
	words("\nqemu-system-aarch64: Device 0x100: Failed to install STE\n");
	assert_said("[ATTACH-FAIL]");
}

/* The machine goes on when the kernel does not let go of a process. */
static void test_stuck(void **state)
{
	(void)state;
	go_running();
	command(VM_EV_KILL);
	assert_true(timer_ms > 0);
	happen_timeout();
	assert_state("stuck");
	assert_said("[STUCK]");
	assert_int_equal(vm_active(), 0); /* nobody waits for it */
	end(KILLED);
	assert_int_equal(vm_look(0).pid, 0);
	assert_null(command(VM_EV_START));
}

/* As the end of one that nobody has asked to end: nothing else will ever come. */
static void test_stuck_critical(void **state)
{
	(void)state;
	config.vm[0].critical = true;
	config.host.on_critical_failed = HOST_ON_CRITICAL_FAILED_POWEROFF;
	config.vm[0].hang_timeout = 30;
	go_running();
	happen_hung();
	happen_timeout();
	assert_state("stuck");
	assert_said("it is critical and has failed, so the machine powers off");
	assert_int_equal(shutdowns, 1 << SHUTDOWN_POWEROFF);
}

static void test_stuck_last(void **state)
{
	(void)state;
	config.host.on_last_vm = HOST_ON_LAST_VM_POWEROFF;
	go_running();
	command(VM_EV_KILL);
	happen_timeout();
	assert_state("stuck");
	assert_int_equal(shutdowns, 1 << SHUTDOWN_POWEROFF);
}

static void test_lost_monitor(void **state)
{
	(void)state;
	go_running();
	happen_lost();
	assert_state("running");
	assert_true(timer_ms > 0);
	happen_timeout();
	assert_state("stopping");
	assert_said("closed its monitor and runs on");
	end(KILLED);
	assert_state("failed");
}

/* The usual end: the monitor closes a moment before the process is reaped. */
static void test_monitor_closes_first(void **state)
{
	(void)state;
	go_running();
	qmp("{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-shutdown\"}}");
	happen_lost();
	end(STATUS_OK);
	assert_state("stopped");
	assert_string_equal(vm_look(0).why, "guest-shutdown");
	assert_int_equal(timer_ms, 0);
}

static void test_command_refused(void **state)
{
	(void)state;
	command(VM_EV_START);
	happen_exec();
	happen_ready();
	happen_refused();
	assert_said("[QEMU-REFUSED]");
	assert_state("stopping");
	end(KILLED);
	assert_state("failed");
}

/* Whoever owns QEMU must not be able to fill the log. */
static void test_much_garbage(void **state)
{
	unsigned lines = 0;

	(void)state;
	go_running();
	for (unsigned i = 0; i < 500; i++)
		qmp("nonsense");
	for (const char *c = said; (c = strstr(c, "QMP-BAD")); c++)
		lines++;
	assert_in_range(lines, 1, 20);
}

/* Messages that are well formed, but far too many. */
static void test_many_messages(void **state)
{
	unsigned lines = 0;

	(void)state;
	learned = 0;
	config.vm[0].hang_timeout = 30;
	go_running();
	for (unsigned i = 0; i < 2000; i++) {
		qmp("{\"event\": \"STOP\"}");
		qmp("{\"event\": \"RESUME\"}");
	}
	for (const char *c = said; (c = strstr(c, "paused")); c++)
		lines++;
	assert_in_range(lines, 1, 300);
	assert_said("messages were skipped");
	assert_in_range(learned, 0, 1);
}

static void test_launcher_dies(void **state)
{
	(void)state;
	command(VM_EV_START);
	end(STATUS_1);
	assert_string_equal(vm_look(0).why, "the launcher ended with status 1");
	command(VM_EV_START);
	end(SEGFAULT);
	assert_said("[LAUNCH-FAIL]");
	assert_said("the launcher was killed by signal 11");
	assert_state("failed");
}

static void test_died_silently(void **state)
{
	(void)state;
	go_running();
	end(3 << 8);
	assert_said("[QEMU-DIED]");
	assert_said("status 3");
}

/* Words of an earlier start must not explain a later end. */
static void test_old_words(void **state)
{
	(void)state;
	command(VM_EV_START);
	words("IOMMU_VIOMMU_ALLOC failed\n");
	end(STATUS_1);
	said[0] = '\0';
	go_running();
	end(STATUS_1);
	assert_said("[QEMU-DIED]");
	assert_null(strstr(said, "NO-NESTING"));
}

static void test_many_words(void **state)
{
	(void)state;
	command(VM_EV_START);
	happen_exec();
	for (unsigned i = 0; i < 400; i++)
		words("a line of some length, so that the log runs over, and over, and over\n");
	words("the last word\n");
	end(STATUS_1);
	assert_string_equal(vm_look(0).why, "QEMU: the last word");
}

/* --- how it ended, in the history --- */

static void shut_down(const char *reason)
{
	char line[128];

	str_format(line, sizeof(line), "{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"%s\"}}",
		   reason);
	qmp(line);
}

static void assert_ended(const char *to, enum end_cause cause)
{
	const struct history_entry *last = history_back(vm_look(0).history, 0);

	assert_state(to);
	assert_non_null(last);
	assert_string_equal(history_cause(last->cause), history_cause(cause));
	assert_int_equal(last->failure, strcmp(to, "stopped") != 0);
}

static void test_history(void **state)
{
	const struct history *history = vm_look(0).history;

	(void)state;
	go_running();
	clock_ms += 7000;
	shut_down("guest-shutdown");
	end(STATUS_OK);
	assert_ended("stopped", END_SHUTDOWN);
	assert_in_range(history_back(history, 0)->ran_ms, 7000, 7999);
	command(VM_EV_START);
	end(STATUS_1);
	assert_ended("failed", END_LAUNCH);
	assert_int_equal(history_back(history, 0)->ran_ms, 0);
	command(VM_EV_START);
	happen_exec();
	end(STATUS_1);
	assert_ended("failed", END_REFUSED);
	go_running();
	end(STATUS_1);
	assert_ended("failed", END_EXIT);
	go_running();
	end(SEGFAULT);
	assert_ended("failed", END_CRASH);
	go_running();
	command(VM_EV_STOP);
	end(STATUS_OK);
	assert_ended("stopped", END_STOPPED);
	go_running();
	command(VM_EV_KILL);
	end(KILLED);
	assert_ended("stopped", END_KILLED);
	launch_error = EAGAIN;
	command(VM_EV_START);
	assert_ended("failed", END_LAUNCH);
	assert_int_equal(history->count, 8);
	assert_int_equal(history->tally[END_LAUNCH], 2);
}

static void test_guest_may_not_shut_down(void **state)
{
	(void)state;
	config.vm[0].on_shutdown = VM_ON_SHUTDOWN_FAILED;
	go_running();
	shut_down("guest-shutdown");
	end(STATUS_OK);
	assert_ended("failed", END_SHUTDOWN);
	assert_said("[GUEST-ENDED]");
}

static void test_guest_reset(void **state)
{
	(void)state;
	go_running();
	qmp("{\"event\": \"RESET\", \"data\": {\"guest\": true, \"reason\": \"guest-reset\"}}");
	qmp("{\"event\": \"RESET\", \"data\": {\"guest\": true, \"reason\": \"guest-reset\"}}");
	qmp("{\"event\": \"RESET\", \"data\": {\"reason\": \"host-qmp-system-reset\"}}");
	assert_state("running");
	assert_int_equal(vm_look(0).history->resets, 2);
	assert_non_null(strstr(said, "has reset itself"));
	assert_null(strstr(strstr(said, "has reset itself") + 1, "has reset itself"));
	shut_down("guest-reset");
	end(STATUS_OK);
	assert_ended("stopped", END_RESET);
	config.vm[0].on_reset = VM_ON_RESET_FAILED;
	go_running();
	shut_down("guest-reset");
	end(STATUS_OK);
	assert_ended("failed", END_RESET);
	assert_said("[GUEST-ENDED]");
}

static void test_guest_panic(void **state)
{
	(void)state;
	go_running();
	qmp("{\"event\": \"GUEST_PANICKED\", \"data\": {\"action\": \"poweroff\"}}");
	assert_said("demo: the guest's kernel has panicked");
	shut_down("guest-panic");
	end(STATUS_OK);
	assert_ended("failed", END_PANIC);
	assert_said("[GUEST-PANIC]");
}

/* A guest that is to be looked at stays, and its pause says why it was. */
static void test_guest_panic_paused(void **state)
{
	(void)state;
	go_running();
	qmp("{\"event\": \"GUEST_PANICKED\", \"data\": {\"action\": \"pause\"}}");
	happen_pause();
	assert_state("paused");
	assert_string_equal(vm_look(0).why, "guest-panicked");
	qmp("{\"return\": {\"status\": \"guest-panicked\"}, \"id\": \"paused\"}");
	assert_string_equal(vm_look(0).why, "guest-panicked");
	end(STATUS_OK);
}

static void test_io_error(void **state)
{
	(void)state;
	go_running();
	for (unsigned i = 0; i < 2; i++)
		qmp("{\"event\": \"BLOCK_IO_ERROR\", \"data\": {\"device\": \"disk0\"}}");
	happen_pause();
	qmp("{\"return\": {\"status\": \"io-error\"}, \"id\": \"paused\"}");
	assert_state("paused");
	assert_string_equal(vm_look(0).why, "io-error");
	assert_said("demo: a disk has failed");
	happen_resume();
	assert_state("running");
	qmp("{\"return\": {\"status\": \"io-error\"}, \"id\": \"paused\"}"); /* it comes late */
	assert_state("running");
	end(STATUS_OK);
}

static void test_guest_watchdog(void **state)
{
	(void)state;
	go_running();
	qmp("{\"event\": \"WATCHDOG\", \"data\": {\"action\": \"poweroff\"}}");
	end(STATUS_OK);
	assert_ended("failed", END_WATCHDOG);
	assert_said("[GUEST-WATCHDOG]");
	go_running();
	qmp("{\"event\": \"WATCHDOG\", \"data\": {\"action\": \"reset\"}}");
	qmp("{\"event\": \"RESET\", \"data\": {\"reason\": \"guest-reset\"}}");
	shut_down("guest-shutdown");
	end(STATUS_OK);
	assert_ended("stopped", END_SHUTDOWN);
}

/* In an appliance nobody has a reason to: a VM that is to be there comes back. */
static void test_host_signal(void **state)
{
	(void)state;
	go_running();
	shut_down("host-signal");
	end(STATUS_OK);
	assert_ended("failed", END_SIGNAL);
}

static void test_oom(void **state)
{
	(void)state;
	grouped = true;
	oom_kills = 1;
	go_running();
	end(KILLED);
	assert_ended("failed", END_OOM);
	assert_said("[OOM-KILL]");
}

static void test_hung(void **state)
{
	(void)state;
	config.vm[0].hang_timeout = 30;
	go_running();
	assert_int_equal(pulse_ms, 15000);
	happen_hung();
	assert_said("[QEMU-HUNG]");
	assert_said("not answered for 30 s");
	end(KILLED);
	assert_ended("failed", END_HUNG);
	assert_int_equal(pulse_ms, 0);
}

/* One that answers lives, and one that may hang is not even asked. */
/* QEMU pins all of the guest's memory for the first device that comes later. */
static void test_not_hung_by_attach(void **state)
{
	(void)state;
	config.vm[0].hang_timeout = 30;
	go_running();
	vm_at(0)->sent = 1;
	timer_runs_out = true;
	pulse->ready(pulse->arg, 1);
	clock_ms += 45 * 1000;
	pulse->ready(pulse->arg, 1);
	assert_state("running");
	vm_at(0)->sent = 0;
	pulse->ready(pulse->arg, 1);
	assert_state("stopping");
}

/* Another one that comes and goes does not put it off. */
static void test_pulse_is_not_put_off(void **state)
{
	(void)state;
	config.vm[0].hang_timeout = 30;
	go_running();
	assert_int_equal(pulse_ms, 15000);
	pulse_ms = 1;
	clock_ms += 5000;
	vm_pulse_changed();
	assert_int_equal(pulse_ms, 1);
	config.vm[0].hang_timeout = 10;
	vm_pulse_changed();
	assert_int_equal(pulse_ms, 5000);
}

static void test_not_hung(void **state)
{
	(void)state;
	go_running();
	timer_runs_out = true;
	for (unsigned i = 0; i < 5; i++) {
		pulse->ready(pulse->arg, 1);
		assert_non_null(strstr(told(), "query-status"));
		qmp("{\"return\": {\"status\": \"running\"}, \"id\": \"pulse\"}");
		clock_ms += 120 * 1000;
	}
	timer_runs_out = false;
	assert_state("running");
	end(STATUS_OK);
	config.vm[0].on_hang = VM_ON_HANG_IGNORE;
	go_running();
	assert_int_equal(pulse_ms, 0);
	happen_hung();
	assert_string_equal(told(), "");
	assert_state("running");
	end(STATUS_OK);
}

static void test_stopped_process(void **state)
{
	(void)state;
	go_running();
	assert_true(vm_reaped(theirs.pid, SIGSTOP << 8 | 0x7f));
	assert_said("demo: QEMU was stopped by signal 19");
	assert_said("unless it goes on");
	assert_state("running");
	assert_true(vm_reaped(theirs.pid, 0xffff));
	assert_said("demo: QEMU goes on");
	end(STATUS_OK);
}

/* --- what a process leaves --- */

static void test_lingering(void **state)
{
	(void)state;
	grouped = populated = true;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	go_running();
	clock_ms += 5000;
	end(SEGFAULT);
	assert_state("stopping");
	assert_int_equal(groups_killed, 1);
	assert_int_equal(vm_active(), 1);
	assert_int_equal(launches, 1);
	happen_empty();
	assert_int_equal(launches, 2); /* and not before */
	assert_said("demo: failed: ");
	assert_int_equal(history_back(vm_look(0).history, 0)->cause, END_CRASH);
}

static void test_lingering_for_ever(void **state)
{
	(void)state;
	grouped = populated = true;
	go_running();
	command(VM_EV_KILL);
	assert_int_equal(groups_killed, 1);
	end(KILLED);
	assert_state("stopping");
	happen_timeout();
	assert_state("stuck");
	assert_said("its cgroup is not empty");
	assert_int_equal(vm_active(), 0);
	happen_empty();
	assert_state("stopped");
	assert_null(command(VM_EV_START));
}

/* --- its devices --- */

static void give_device(void)
{
	str_copy(config.vm[0].hostdev[0].bdf, sizeof(config.vm[0].hostdev[0].bdf), "0000:41:00.0");
	init();
}

static void device_report(int fd, enum device_state state, const char *why)
{
	struct launch_report r = { .event = LAUNCH_DEVICE, .device = state };

	str_copy(r.finding.subject, sizeof(r.finding.subject), "0000:41:00.0");
	str_copy(r.finding.text, sizeof(r.finding.text), why);
	write_all(fd, &r, sizeof(r));
}

static void end_release(void)
{
	close_fdp(&releaser_report);
	releaser_report = -1;
	assert_true(vm_reaped(releaser, STATUS_OK));
}

static enum device_state device_state(void)
{
	return device_look(0, 0)->state;
}

/* Who ends for good gives its devices back, and only then can it be started. */
static void test_release(void **state)
{
	(void)state;
	give_device();
	command(VM_EV_START);
	device_report(theirs.report, DEVICE_CLAIMED, "");
	wake(3);
	assert_int_equal(device_state(), DEVICE_CLAIMED);
	happen_exec();
	happen_ready();
	happen_resume();
	end(STATUS_OK);
	assert_state("stopped");
	assert_int_equal(releases, 1);
	assert_int_equal(vm_active(), 1); /* a machine that goes down waits for it */
	assert_null(command(VM_EV_START));
	assert_state("stopped");
	assert_int_equal(launches, 1);
	device_report(releaser_report, DEVICE_FREE, "");
	end_release();
	assert_int_equal(device_state(), DEVICE_FREE);
	assert_state("starting");
	assert_int_equal(launches, 2);
}

/* The machine that ends with its last VM waits for its devices, too, and then does end. */
static void test_release_and_last_vm(void **state)
{
	(void)state;
	give_device();
	config.host.on_last_vm = HOST_ON_LAST_VM_POWEROFF;
	go_running();
	end(STATUS_OK);
	assert_int_equal(shutdowns, 0);
	end_release();
	assert_int_equal(shutdowns, 1 << SHUTDOWN_POWEROFF);
}

/* Who comes back at once keeps them. */
static void test_no_release(void **state)
{
	(void)state;
	give_device();
	config.vm[0].restart = VM_RESTART_ALWAYS;
	go_running();
	clock_ms += 2000;
	end(SEGFAULT);
	assert_state("starting");
	end(STATUS_1);
	assert_state("backoff");
	assert_int_equal(releases, 0);
	command(VM_EV_STOP);
	assert_int_equal(releases, 1);
	end_release();
	config.vm[0].hostdev[0].managed = false;
	go_running();
	command(VM_EV_STOP);
	end(STATUS_OK);
	assert_int_equal(releases, 1);
}

static void test_release_late(void **state)
{
	(void)state;
	give_device();
	go_running();
	end(STATUS_OK);
	assert_int_equal(timer_ms, 30000);
	happen_timeout();
	assert_said("does not let go");
	assert_int_equal(vm_active(), 0);
	command(VM_EV_START);
	assert_int_equal(launches, 1); /* nor does it start before it has */
	command(VM_EV_STOP);
	end_release();
	assert_int_equal(launches, 1);
}

static void test_release_fails(void **state)
{
	(void)state;
	give_device();
	release_error = EAGAIN;
	go_running();
	end(STATUS_OK);
	assert_said("start a child to release devices");
	assert_null(command(VM_EV_START));
	assert_state("starting");
}

/* A broken device is kept from everybody until somebody says otherwise. */
static void test_quarantine(void **state)
{
	(void)state;
	give_device();
	go_running();
	end(STATUS_OK);
	device_report(releaser_report, DEVICE_QUARANTINED, "its configuration space reads ones");
	end_release();
	assert_int_equal(device_state(), DEVICE_QUARANTINED);
	assert_said("demo: device 0000:41:00.0 is quarantined: its configuration space reads ones");
	command(VM_EV_START);
	device_report(theirs.report, DEVICE_CLAIMED, "");
	wake(3);
	assert_int_equal(device_state(), DEVICE_QUARANTINED);
	end(STATUS_1);
	end_release();
	assert_true(device_release(&config, 0, 0));
	assert_false(device_release(&config, 0, 0));
	command(VM_EV_START);
	finding(DIAG_DEV_DEAD, "talk to it: its configuration space reads ones");
	assert_int_equal(device_state(), DEVICE_QUARANTINED);
	end(STATUS_1);
	end_release();
	device_release(&config, 0, 0);
	command(VM_EV_START);
	finding(DIAG_RESET_FAIL, "bind it: Resource temporarily unavailable");
	assert_said("[RESET-FAIL]");
	assert_int_equal(device_state(), DEVICE_QUARANTINED);
	end(STATUS_1);
	end_release();
	device_release(&config, 0, 0);
}

/* --- stopping --- */

static void test_restart(void **state)
{
	(void)state;
	go_running();
	assert_null(command(VM_EV_RESTART));
	assert_state("stopping");
	end(STATUS_OK);
	assert_state("starting");
	assert_int_equal(launches, 2);
	command(VM_EV_RESTART);
	end(KILLED);
	assert_state("starting");
	/* The last word counts. */
	command(VM_EV_STOP);
	command(VM_EV_RESTART);
	command(VM_EV_KILL);
	end(KILLED);
	assert_state("stopped");
}

static void test_pinning(void **state)
{
	(void)state;
	command(VM_EV_START);
	assert_string_equal(vm_look(0).why, "");
	happen_exec();
	assert_string_equal(vm_look(0).why, "QEMU pins 1024 MiB of memory in ordinary pages");
	happen_ready();
	assert_string_equal(vm_look(0).why, "");
}

static void test_stop(void **state)
{
	(void)state;
	config.vm[0].stop_timeout = 7;
	go_running();
	assert_null(command(VM_EV_STOP));
	assert_in_range(timer_ms, 6900, 7000);
	assert_non_null(strstr(told(), "system_powerdown"));
	qmp("{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"guest-shutdown\"}}");
	end(STATUS_OK);
	assert_state("stopped");
}

/* A guest that was still booting has missed the first press. */
static void test_press_again(void **state)
{
	(void)state;
	config.vm[0].stop_timeout = 60;
	go_running();
	command(VM_EV_STOP);
	assert_int_equal(timer_ms, 10000);
	told();
	happen_timeout();
	assert_non_null(strstr(told(), "system_powerdown"));
	assert_int_equal(killed, 0);
	end(STATUS_OK);
}

static void test_stop_harder(void **state)
{
	(void)state;
	config.vm[0].stop_timeout = 0; /* over at once */
	go_running();
	command(VM_EV_STOP);
	told();
	happen_timeout();
	assert_non_null(strstr(told(), "\"quit\""));
	assert_int_equal(killed, 0);
	assert_int_equal(timer_ms, 10000);
	happen_timeout();
	assert_int_equal(killed, theirs.pid);
	end(KILLED);
	assert_state("stopped");
	assert_string_equal(vm_look(0).why, "killed");
}

/* What the operator ended did not fail, however it ended. */
static void test_kill(void **state)
{
	(void)state;
	go_running();
	assert_null(command(VM_EV_KILL));
	end(KILLED);
	assert_state("stopped");
	assert_string_equal(vm_look(0).why, "killed");
	command(VM_EV_START);
	assert_null(command(VM_EV_STOP));
	end(KILLED);
	assert_state("stopped");
	assert_string_equal(vm_look(0).why, "killed");
	assert_null(strstr(said, "QEMU-DIED"));
}

/* Nothing of an ended VM stays open or goes off later. */
static void test_cleaned_up(void **state)
{
	(void)state;
	go_running();
	command(VM_EV_STOP);
	assert_true(timer_ms > 0);
	end(STATUS_OK);
	assert_int_equal(timer_ms, 0);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(watched[i]->fd, -1);
}

/* Somebody else may still hold the other ends. */
static void test_cleaned_up_at_once(void **state)
{
	(void)state;
	go_running();
	assert_true(vm_reaped(theirs.pid, STATUS_OK));
	assert_state("stopped");
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(watched[i]->fd, -1);
}

/* Only the answer to our own question, and only the right one, says that devices are there. */
static void test_not_ready(void **state)
{
	(void)state;
	command(VM_EV_START);
	happen_exec();
	qmp("{\"return\": {\"status\": \"running\"}, \"id\": \"status\"}");
	assert_state("starting");
	qmp("{\"return\": {\"status\": \"prelaunch\"}, \"id\": \"capabilities\"}");
	assert_state("starting");
	qmp("{\"return\": {\"status\": \"prelaunch\"}}");
	assert_state("starting");
}

static void test_other_reasons(void **state)
{
	(void)state;
	go_running();
	qmp("{\"event\": \"SHUTDOWN\", \"data\": {\"reason\": \"host-qmp-quit\"}}");
	qmp("{\"event\": \"DEVICE_DELETED\", \"data\": {\"reason\": \"another\"}}");
	end(STATUS_OK);
	assert_string_equal(vm_look(0).why, "host-qmp-quit");
}

/* An error at the end is told, though the end was asked for: something may not be written. */
static void test_stop_with_error(void **state)
{
	(void)state;
	go_running();
	command(VM_EV_STOP);
	end(STATUS_1);
	assert_state("failed");
	assert_said("status 1");
}

static void test_stop_without_qmp(void **state)
{
	(void)state;
	go_running();
	close(theirs.qmp);
	theirs.qmp = -1;
	command(VM_EV_STOP);
	assert_state("stopping");
	assert_int_equal(killed, theirs.pid);
	assert_int_equal(killed_with, 1 << SIGTERM);
	end(SIGTERM);
	assert_state("stopped");
}

static void test_start_while_going_down(void **state)
{
	(void)state;
	going_down = true;
	assert_non_null(command(VM_EV_START));
	assert_state("stopped");
	assert_int_equal(launches, 0);
}

/* --- the machine after the last VM --- */

static void test_last_vm(void **state)
{
	(void)state;
	go_running();
	end(STATUS_OK);
	assert_int_equal(shutdowns, 0);
	config.host.on_last_vm = HOST_ON_LAST_VM_POWEROFF;
	go_running();
	end(STATUS_OK);
	assert_int_equal(shutdowns, 1 << SHUTDOWN_POWEROFF);
	shutdowns = 0;
	config.host.on_last_vm = HOST_ON_LAST_VM_REBOOT;
	go_running();
	end(STATUS_OK);
	assert_int_equal(shutdowns, 1 << SHUTDOWN_REBOOT);
}

/* A VM that cannot even start must not send the machine into a reboot loop. */
static void test_last_vm_never_ran(void **state)
{
	(void)state;
	config.host.on_last_vm = HOST_ON_LAST_VM_REBOOT;
	go_running();
	end(STATUS_OK);
	shutdowns = 0;
	command(VM_EV_START);
	end(STATUS_1);
	assert_int_equal(shutdowns, 0);
}

/* --- channels --- */

static void test_echo(void **state)
{
	(void)state;
	config.vm[0].console_echo = true;
	go_running();
	write_all(theirs.serial, "\033[31mhel", 8);
	wake(1);
	assert_null(strstr(said, "demo| "));
	write_all(theirs.serial, "lo\r\n\a\nlast", 11);
	wake(1);
	assert_said("] demo| hello\n");
	assert_null(strstr(said, "] demo| \n")); /* empty lines are left out */
	end(STATUS_OK);
	assert_said("] demo| last\n");
}

/* Without echo it is for those who have its console before them. */
static void test_no_echo(void **state)
{
	(void)state;
	go_running();
	write_all(theirs.serial, "hello\n", 6);
	wake(1);
	assert_null(strstr(said, "hello"));
	assert_int_equal(guest_printed, 1);
	assert_true(vm_console(0)->total >= 6);
}

static void test_echo_of_a_long_line(void **state)
{
	char line[1000];

	(void)state;
	config.vm[0].console_echo = true;
	go_running();
	memset(line, 'x', sizeof(line));
	write_all(theirs.serial, line, sizeof(line));
	wake(1);
	assert_said("demo| xxxxxxxx");
	assert_true(strlen(said) < 2 * sizeof(line));
}

static void test_type(void **state)
{
	char text[8];

	(void)state;
	assert_false(vm_type(0, "x", 1));
	go_running();
	assert_true(vm_type(0, "abc", 3));
	assert_int_equal(read(theirs.serial, text, sizeof(text)), 3);
	while (vm_type(0, said, 64))
		;
	assert_state("running");
}

/* QEMU closes one channel after the other; each must be noticed once and for all. */
static void test_closed_channels(void **state)
{
	(void)state;
	go_running();
	close(theirs.qmp);
	close(theirs.serial);
	close(theirs.words);
	close(theirs.report);
	theirs.qmp = theirs.serial = theirs.words = theirs.report = -1;
	for (unsigned i = 0; i < 4; i++) {
		wake(i);
		assert_int_equal(watched[i]->fd, -1);
	}
	assert_state("running");
	end(STATUS_OK);
}

static void test_garbage(void **state)
{
	(void)state;
	go_running();
	qmp("nonsense");
	assert_said("[QMP-BAD]");
	assert_state("running");
	end(STATUS_OK);
	assert_state("stopped");
}

/* --- the others --- */

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(vm_find("demo"), 0);
	assert_int_equal(vm_find("dem"), -1);
	assert_int_equal(vm_find(""), -1);
	assert_true(vm_exists(0));
	assert_false(vm_exists(1));
	assert_false(vm_exists(HV_VM_SLOTS));
}

static void test_reaped(void **state)
{
	(void)state;
	assert_false(vm_reaped(1, STATUS_OK));
	go_running();
	assert_false(vm_reaped(theirs.pid + 1, STATUS_OK));
	assert_state("running");
}

static void test_autostart(void **state)
{
	(void)state;
	config.vm[0].autostart = false;
	vm_autostart();
	assert_state("stopped");
	config.vm[0].autostart = true;
	vm_autostart();
	assert_state("starting");
	assert_int_equal(launches, 1);
}

static void test_autostart_invalid(void **state)
{
	(void)state;
	go(VM_INVALID);
	vm_autostart();
	assert_state("invalid");
	assert_int_equal(launches, 0);
}

/* --- starting again --- */

static void test_never_again(void **state)
{
	(void)state;
	go_running();
	end(SEGFAULT);
	assert_state("failed");
}

/* What had been running for a second comes back at once, what had not waits longer and longer. */
static void test_again_on_failure(void **state)
{
	static const unsigned seconds[] = { 1, 2, 4, 8, 16, 32, 60, 60 };

	(void)state;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	config.vm[0].restart_limit = 0;
	go_running();
	clock_ms += 1000;
	end(KILLED);
	assert_state("starting");
	assert_said("demo: failed: ");
	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
		end(STATUS_1);
		assert_state("backoff");
		assert_int_equal(timer_ms, seconds[i] * 1000);
		assert_int_equal(vm_look(0).again_s, seconds[i]);
		assert_non_null(strstr(vm_look(0).why, "status 1"));
		clock_ms += timer_ms;
		assert_int_equal(vm_look(0).again_s, 0);
		happen_timeout();
		assert_state("starting");
	}
	assert_said("demo: backoff: it starts again in 60 s");
}

/* A minute of running makes up for what was before, and so does somebody's word. */
static void test_backoff_forgets(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	command(VM_EV_START);
	end(STATUS_1);
	happen_timeout();
	end(STATUS_1);
	assert_int_equal(timer_ms, 2000);
	happen_timeout();
	happen_ready();
	happen_resume();
	clock_ms += 60 * 1000;
	end(KILLED);
	assert_state("starting");
	end(STATUS_1);
	assert_int_equal(timer_ms, 1000);
	assert_null(command(VM_EV_START));
	end(STATUS_1);
	assert_int_equal(timer_ms, 1000);
}

/* Less than a minute does not. */
static void test_backoff_remembers(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	command(VM_EV_START);
	end(STATUS_1);
	happen_timeout();
	happen_ready();
	happen_resume();
	clock_ms += 59 * 1000;
	end(KILLED);
	assert_state("starting");
	end(STATUS_1);
	assert_int_equal(timer_ms, 2000);
}

static void test_not_after_shutdown(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	go_running();
	end(STATUS_OK);
	assert_state("stopped");
}

static void test_always(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ALWAYS;
	go_running();
	clock_ms += 5000;
	end(STATUS_OK);
	assert_state("starting");
}

/* What was asked for to end stays ended, however it ends. */
static void test_not_after_stop(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ALWAYS;
	go_running();
	command(VM_EV_STOP);
	end(STATUS_OK);
	assert_state("stopped");
	go_running();
	command(VM_EV_STOP);
	end(SEGFAULT);
	assert_state("failed");
}

static void test_not_while_going_down(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ALWAYS;
	go_running();
	clock_ms += 5000;
	going_down = true;
	end(KILLED);
	assert_state("failed");
}

static void test_launch_error_again(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	launch_error = ENOMEM;
	command(VM_EV_START);
	assert_state("backoff");
	launch_error = 0;
	happen_timeout();
	assert_state("starting");
}

/* The machine does not end while a VM is about to come back. */
static void test_last_vm_in_backoff(void **state)
{
	(void)state;
	config.host.on_last_vm = HOST_ON_LAST_VM_POWEROFF;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	go_running();
	end(SEGFAULT);
	assert_state("backoff");
	assert_int_equal(shutdowns, 0);
	command(VM_EV_STOP);
	assert_state("stopped");
	assert_int_equal(shutdowns, 1 << SHUTDOWN_POWEROFF);
}

/* The fourth end in ten minutes is one too many, also of a VM that always runs for a while. */
static void test_restart_limit(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	config.vm[0].restart_limit = 3;
	go_running();
	for (unsigned i = 0; i < 3; i++) {
		clock_ms += 5000;
		end(SEGFAULT);
		assert_state("starting");
		happen_exec();
		happen_ready();
		happen_resume();
	}
	clock_ms += 5000;
	end(SEGFAULT);
	assert_state("failed");
	assert_said("start it again: it has ended 4 times in 2");
	assert_said("[RESTART-LIMIT]");
	assert_null(command(VM_EV_START)); /* somebody may have helped: it counts anew */
	end(STATUS_1);
	assert_state("backoff");
}

/* What was long ago does not count, and a minute of running makes up for all. */
static void test_restart_limit_forgets(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	config.vm[0].restart_limit = 1;
	config.vm[0].restart_window = 100;
	go_running();
	clock_ms += 2000;
	end(SEGFAULT);
	clock_ms += 101 * 1000;
	end(STATUS_1);
	assert_state("backoff");
	happen_timeout();
	happen_ready();
	happen_resume();
	clock_ms += 60 * 1000;
	end(SEGFAULT);
	assert_state("starting");
}

/* --- order at boot --- */

/* "a" is before "b" and "c", which are before "d". */
static void four(void)
{
	static const char names[] = "abcd";
	static const int64_t orders[] = { 1, 5, 5, 99 };

	for (unsigned slot = 0; slot < 4; slot++) {
		struct vm_config *vm = &config.vm[slot];

		str_format(vm->name, sizeof(vm->name), "%c", names[slot]);
		vm->start_order = orders[slot];
	}
	init();
}

static void test_order(void **state)
{
	(void)state;
	four();
	vm_autostart();
	assert_string_equal(order, "a ");
	assert_string_equal(vm_look(1).why, "waits for its turn to be started");
	happen_ready();
	assert_string_equal(order, "a ");
	happen_resume();
	assert_string_equal(order, "a b c ");
	choose(1);
	happen_ready();
	happen_resume();
	assert_string_equal(order, "a b c ");
	end_of(2, STATUS_1); /* a failure does not hold up the rest */
	assert_string_equal(order, "a b c d ");
}

/* Nobody waits for a VM that is invalid, has no AUTOSTART, or has run already. */
static void test_order_of_others(void **state)
{
	(void)state;
	diag_add(&diag, 0, DIAG_SYMBOL_VALUE, "VM0_CPUS", "bad");
	config.vm[1].autostart = false;
	four();
	vm_autostart();
	assert_string_equal(order, "c ");
	end_of(2, STATUS_OK);
	assert_string_equal(order, "c d ");
	vm_autostart();
	assert_string_equal(order, "c d ");
}

/* One in backoff has failed: others do not wait for it. */
static void test_order_and_backoff(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ON_FAILURE;
	four();
	vm_autostart();
	end(STATUS_1);
	assert_state("backoff");
	assert_string_equal(order, "a b c ");
}

static void test_order_and_commands(void **state)
{
	(void)state;
	four();
	vm_autostart();
	assert_null(vm_command(3, VM_EV_START)); /* by hand: not ordered */
	assert_string_equal(order, "a d ");
	assert_null(vm_command(1, VM_EV_STOP));
	assert_string_equal(vm_look(1).why, "not started after all");
	assert_non_null(vm_command(1, VM_EV_STOP));
	choose(0);
	happen_ready();
	happen_resume();
	assert_string_equal(order, "a d c ");
}

/* A machine that waits with its last VM is not at its end. */
static void test_order_and_last_vm(void **state)
{
	(void)state;
	config.host.on_last_vm = HOST_ON_LAST_VM_POWEROFF;
	four();
	config.vm[1].uefi_vars = config.vm[2].uefi_vars = VM_UEFI_VARS_KEEP;
	vm_autostart();
	happen_ready();
	happen_resume();
	end(STATUS_OK);
	assert_string_equal(order, "a ");
	assert_int_equal(shutdowns, 0);
}

/* Nothing starts by itself from then on, so this story is one of the last, too. */
static void test_safe(void **state)
{
	(void)state;
	config.vm[0].restart = VM_RESTART_ALWAYS;
	go_running();
	end(SEGFAULT);
	assert_state("backoff");
	vm_safe();
	assert_state("stopped");
	go_running();
	end(SEGFAULT);
	assert_state("failed");
}

/*
 * One that needs what the host makes waits for that, and those after it wait with it, but not
 * longer than a host takes that will be ready at all. This story must be the last: a host once
 * ready stays so.
 */
static void test_host_ready(void **state)
{
	(void)state;
	four();
	config.vm[1].uefi_vars = VM_UEFI_VARS_KEEP;
	vm_autostart();
	assert_int_equal(patience_ms, 120 * 1000);
	happen_ready();
	happen_resume();
	assert_string_equal(order, "a c ");
	end_of(2, STATUS_OK);
	timer = patience;
	timer->ready(timer->arg, 1); /* it has not run out */
	assert_string_equal(order, "a c ");
	happen_timeout();
	assert_said("host: prepare devices: not done in 120 s");
	assert_string_equal(order, "a c b ");
	assert_int_equal(timer->fd, -1);
	vm_host_ready(); /* after all */
	end_of(1, STATUS_OK);
	assert_string_equal(order, "a c b d ");
}

static void test_unfit(void **state)
{
	(void)state;
	unfit(DIAG_VCPU_PIN); /* a warning */
	assert_state("stopped");
	unfit(DIAG_HUGE_SHORT);
	assert_state("failed");
	assert_string_equal(vm_look(0).why, "reserve 512 pages: no");
	vm_autostart();
	assert_state("failed");
	assert_null(command(VM_EV_START)); /* somebody may have helped */
	assert_state("starting");
}

/* --- CPUs --- */

static void test_pin(void **state)
{
	char wanted[64];

	(void)state;
	str_copy(config.vm[0].cpu_pin, sizeof(config.vm[0].cpu_pin), "2-3");
	config.vm[0].cpus = 2;
	command(VM_EV_START);
	assert_string_equal(pins, "");
	happen_ready();
	str_format(wanted, sizeof(wanted), "%d: 2-3", (int)theirs.pid);
	assert_string_equal(pins, wanted);
	assert_non_null(strstr(told(), "\"cont\""));
}

/* With another number of CPUs they share: the launcher has seen to it. */
static void test_pin_shared(void **state)
{
	(void)state;
	str_copy(config.vm[0].cpu_pin, sizeof(config.vm[0].cpu_pin), "2-3");
	config.vm[0].cpus = 3;
	go_running();
	assert_string_equal(pins, "");
}

static void test_pin_fails(void **state)
{
	(void)state;
	str_copy(config.vm[0].cpu_pin, sizeof(config.vm[0].cpu_pin), "2");
	pin_error = ENOENT;
	go_running();
	assert_said("pin virtual CPUs to 2: No such file or directory [VCPU-PIN]");
	end(STATUS_OK);
	assert_state("stopped");
}

#define VM_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	static const char *const state_name[] = { "invalid", "stopped", "starting", "prelaunch",
						  "running", "paused",	"stopping", "stuck",
						  "backoff", "failed" };
	static const char *const event_name[] = { "start",  "stop",    "kill", "restart", "pause",
						  "resume", "reset",   "exec", "ready",	  "resumed",
						  "paused", "refused", "lost", "hung",	  "timeout",
						  "ended",  "empty",   "unfit" };
	static struct CMUnitTest tests[ARRAY_SIZE(cells) + 96];
	static char titles[ARRAY_SIZE(cells)][40];
	const struct CMUnitTest stories[] = {
		VM_CASE("a start", test_start),
		VM_CASE("asking for its SMMUs", test_learn),
		VM_CASE("no launcher", test_launch_error),
		VM_CASE("a finding of the launcher", test_launcher_finding),
		VM_CASE("a finding read at the end", test_late_report),
		VM_CASE("a warning of the launcher", test_launcher_warning),
		VM_CASE("no answer from QEMU", test_no_answer),
		VM_CASE("a start after a failure", test_start_again),
		VM_CASE("the guest shuts down", test_guest_shutdown),
		VM_CASE("QEMU crashes", test_crash),
		VM_CASE("QEMU is killed from outside", test_killed_from_outside),
		VM_CASE("QEMU refuses", test_refused),
		VM_CASE("QEMU refuses in words that are known", test_refusal_known),
		VM_CASE("QEMU refuses and aborts", test_refusal_by_signal),
		VM_CASE("QEMU warns in words that are known", test_warnings),
		VM_CASE("QEMU warns after a long line", test_warning_after_long_line),
		VM_CASE("no nesting", test_no_nesting),
		VM_CASE("stuck", test_stuck),
		VM_CASE("the monitor is lost", test_lost_monitor),
		VM_CASE("the monitor closes first", test_monitor_closes_first),
		VM_CASE("a command is refused", test_command_refused),
		VM_CASE("much garbage on QMP", test_much_garbage),
		VM_CASE("the launcher dies", test_launcher_dies),
		VM_CASE("QEMU dies silently", test_died_silently),
		VM_CASE("words of an earlier start", test_old_words),
		VM_CASE("more words than are kept", test_many_words),
		VM_CASE("history", test_history),
		VM_CASE("a guest that may not shut down", test_guest_may_not_shut_down),
		VM_CASE("the guest resets itself", test_guest_reset),
		VM_CASE("the guest panics", test_guest_panic),
		VM_CASE("the guest panics and is kept", test_guest_panic_paused),
		VM_CASE("a disk fails", test_io_error),
		VM_CASE("the guest's watchdog bites", test_guest_watchdog),
		VM_CASE("QEMU is told to end from outside", test_host_signal),
		VM_CASE("out of memory", test_oom),
		VM_CASE("QEMU hangs", test_hung),
		VM_CASE("QEMU does not hang", test_not_hung),
		VM_CASE("QEMU is stopped", test_stopped_process),
		VM_CASE("something is left of QEMU", test_lingering),
		VM_CASE("something is left for ever", test_lingering_for_ever),
		VM_CASE("devices are released", test_release),
		VM_CASE("devices are released, and that was the last VM", test_release_and_last_vm),
		VM_CASE("devices are kept for the next start", test_no_release),
		VM_CASE("devices that are not released", test_release_late),
		VM_CASE("no child to release devices", test_release_fails),
		VM_CASE("a device in quarantine", test_quarantine),
		VM_CASE("restart", test_restart),
		VM_CASE("memory is pinned", test_pinning),
		VM_CASE("the restarts' limit", test_restart_limit),
		VM_CASE("the restarts' limit forgets", test_restart_limit_forgets),
		VM_CASE("stop", test_stop),
		VM_CASE("the power button again", test_press_again),
		VM_CASE("stop, quit, kill", test_stop_harder),
		VM_CASE("stop, and QEMU ends with an error", test_stop_with_error),
		VM_CASE("kill", test_kill),
		VM_CASE("nothing is left", test_cleaned_up),
		VM_CASE("nothing is left, whoever holds the other ends", test_cleaned_up_at_once),
		VM_CASE("answers that do not mean ready", test_not_ready),
		VM_CASE("reasons of other events", test_other_reasons),
		VM_CASE("stop without QMP", test_stop_without_qmp),
		VM_CASE("start while the machine goes down", test_start_while_going_down),
		VM_CASE("the last VM ends", test_last_vm),
		VM_CASE("the last VM never ran", test_last_vm_never_ran),
		VM_CASE("echo", test_echo),
		VM_CASE("no echo while its console is on the screen", test_no_echo),
		VM_CASE("echo of a long line", test_echo_of_a_long_line),
		VM_CASE("typing", test_type),
		VM_CASE("channels close", test_closed_channels),
		VM_CASE("garbage on QMP", test_garbage),
		VM_CASE("names", test_names),
		VM_CASE("other processes", test_reaped),
		VM_CASE("a stuck one that is critical", test_stuck_critical),
		VM_CASE("a stuck one that is the last", test_stuck_last),
		VM_CASE("many messages", test_many_messages),
		VM_CASE("not hung, but attaching", test_not_hung_by_attach),
		VM_CASE("one that comes and goes", test_pulse_is_not_put_off),
		VM_CASE("autostart", test_autostart),
		VM_CASE("autostart of an invalid VM", test_autostart_invalid),
		VM_CASE("never again", test_never_again),
		VM_CASE("again on failure", test_again_on_failure),
		VM_CASE("backoff forgets", test_backoff_forgets),
		VM_CASE("backoff remembers", test_backoff_remembers),
		VM_CASE("not again after a shutdown", test_not_after_shutdown),
		VM_CASE("always again", test_always),
		VM_CASE("not again after stop", test_not_after_stop),
		VM_CASE("not again while the machine goes down", test_not_while_going_down),
		VM_CASE("no launcher, and again", test_launch_error_again),
		VM_CASE("the last VM is in backoff", test_last_vm_in_backoff),
		VM_CASE("order", test_order),
		VM_CASE("order, and others", test_order_of_others),
		VM_CASE("order, and one in backoff", test_order_and_backoff),
		VM_CASE("order, and commands", test_order_and_commands),
		VM_CASE("order, and the last VM", test_order_and_last_vm),
		VM_CASE("unfit", test_unfit),
		VM_CASE("a CPU for each virtual one", test_pin),
		VM_CASE("CPUs that are shared", test_pin_shared),
		VM_CASE("CPUs that cannot be had", test_pin_fails),
		VM_CASE("the host is ready", test_host_ready),
		VM_CASE("safe mode", test_safe),
	};
	size_t n = 0;

	for (; n < ARRAY_SIZE(cells); n++) {
		str_format(titles[n], sizeof(titles[n]), "%s x %s", state_name[cells[n].state],
			   event_name[cells[n].event]);
		tests[n] = FIXTURE(titles[n], test_cell, setup, teardown, &cells[n]);
	}
	memcpy(&tests[n], stories, sizeof(stories));
	return _cmocka_run_group_tests("vm", tests, n + ARRAY_SIZE(stories), NULL, NULL);
}
