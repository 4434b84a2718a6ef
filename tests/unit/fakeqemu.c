/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Launchers, QEMU and what else is around a VM: all of it is the test's. */
#include "fakeqemu.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "unit.h"

#include "console.h"
#include "manifest.h"
#include "pin.h"
#include "sys_cgroup.h"
#include "trial.h"

struct config config;
struct diag faults;
struct launch theirs;
struct source *channels[CHANNELS];
int launch_error;
unsigned launches;
char order[64];
unsigned learned;
bool timer_runs_out;
struct source *patience;
uint64_t patience_ms;
struct source *pulse;
uint64_t pulse_ms;
uint64_t clock_ms;
bool grouped;
bool populated;
unsigned groups_killed;
unsigned oom_kills;
pid_t killed;
int killed_with;
pid_t releaser;
int releaser_report = -1;
int release_error;
unsigned releases;
bool going_down;
bool critical_up;
bool trial_suspended;
int shutdowns;
unsigned guest_ended;
unsigned guest_printed;
int pin_error;
char pins[64];

static pid_t next_pid = 1000;
static unsigned watching; /* how many channels this start has */
/* The same of each VM's last start, for stories of several. */
static struct {
	struct launch theirs;
	struct source *channels[CHANNELS];
} starts[HV_VM_SLOTS];
static unsigned chosen; /* the VM that things happen to */

/* --- the rooms around it --- */

void log_stamp(char *stamp, size_t size)
{
	str_copy(stamp, size, "[    1.000000]");
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

void console_more(const struct ring *ring)
{
	(void)ring;
	guest_printed++;
}

int console_add_guest(unsigned slot, int fd)
{
	(void)slot;
	close(fd);
	return 0;
}

void console_lose_guest(unsigned slot)
{
	(void)slot;
}

void console_guest_ended(unsigned slot)
{
	(void)slot;
	guest_ended++;
}

void trial_judge(bool are_up)
{
	critical_up = are_up;
}

bool trial_failed(const char *why, void (*otherwise)(void))
{
	(void)why;
	(void)otherwise;
	return false;
}

void trial_suspend(void)
{
	trial_suspended = true;
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
	*source = (struct source){ fd, ready, arg };
	if (watching < CHANNELS)
		channels[watching++] = source;
	return 0;
}

int timer_add(struct source *source, void (*ready)(void *, uint32_t), void *arg)
{
	*source = (struct source){ TIMER_FD, ready, arg };
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
	theirs = LAUNCH_NOTHING;
}

void choose(unsigned slot)
{
	starts[chosen].theirs = theirs;
	memcpy(starts[chosen].channels, channels, sizeof(channels));
	theirs = starts[slot].theirs;
	memcpy(channels, starts[slot].channels, sizeof(channels));
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

/* --- what can happen --- */

void wake(enum channel which)
{
	channels[which]->ready(channels[which]->arg, 1);
}

void write_all(int fd, const void *data, size_t len)
{
	assert_int_equal(write(fd, data, len), len);
}

void qmp(const char *line)
{
	write_all(theirs.qmp, line, strlen(line));
	write_all(theirs.qmp, "\r\n", 2);
	wake(QMP);
}

void words(const char *text)
{
	write_all(theirs.words, text, strlen(text));
	wake(WORDS);
}

static void report(const struct launch_report *r)
{
	write_all(theirs.report, r, sizeof(*r));
	wake(REPORT);
}

void finding(enum diag_code code, const char *text)
{
	struct launch_report r = { .event = LAUNCH_FINDING };
	struct diag one = { 0 };

	diag_add(&one, 0, code, "0000:41:00.0", "%s", text);
	r.finding = one.finding[0];
	report(&r);
}

void unfit(enum diag_code code)
{
	struct diag one = { 0 };

	diag_add(&one, 0, code, "VM0_HUGEPAGES", "reserve 512 pages: no");
	vm_unfit(0, &one.finding[0]);
}

void happen_exec(void)
{
	const struct launch_report r = { .event = LAUNCH_EXEC, .devices = 2, .vsmmus = 1 };

	report(&r);
}

void happen_ready(void)
{
	qmp("{\"return\": {\"status\": \"prelaunch\"}, \"id\": \"status\"}");
}

void happen_resume(void)
{
	qmp("{\"event\": \"RESUME\"}");
}

void happen_pause(void)
{
	qmp("{\"event\": \"STOP\"}");
}

void happen_refused(void)
{
	qmp("{\"error\": {\"desc\": \"no\"}, \"id\": \"cont\"}");
}

void happen_lost(void)
{
	close(theirs.qmp);
	theirs.qmp = -1;
	wake(QMP);
}

void happen_timeout(void)
{
	timer_runs_out = true;
	timer->ready(timer->arg, 1);
	timer_runs_out = false;
}

void happen_hung(void)
{
	timer_runs_out = true;
	pulse->ready(pulse->arg, 1);
	clock_ms += (uint64_t)config.vm[0].hang_timeout * 1000;
	pulse->ready(pulse->arg, 1);
	timer_runs_out = false;
}

void happen_empty(void)
{
	populated = false;
	wake(CGROUP);
}

void end_process(int status)
{
	const pid_t pid = theirs.pid;

	close_theirs();
	assert_true(vm_reaped(pid, status));
}

void end_process_of(unsigned slot, int status)
{
	choose(slot);
	end_process(status);
}

const char *command(enum vm_event event)
{
	return vm_command(0, event);
}

const char *told(void)
{
	return read_text(theirs.qmp);
}

void assert_state(const char *state)
{
	assert_string_equal(vm_look(0).state, state);
}

void assert_ended(const char *state, enum end_cause cause)
{
	const struct history_entry *last = history_back(vm_look(0).history, 0);

	assert_state(state);
	assert_non_null(last);
	assert_string_equal(history_cause(last->cause), history_cause(cause));
	assert_int_equal(last->failure, strcmp(state, "stopped") != 0);
}

/* --- setting up --- */

void set_up(void)
{
	assert_int_equal(vm_init(&config, &faults), 0);
}

int story_begin(void **state)
{
	(void)state;
	manifest_defaults(&config);
	memset(&faults, 0, sizeof(faults));
	str_copy(config.vm[0].name, sizeof(config.vm[0].name), "demo");
	standins_reset();
	close_theirs();
	launch_error = 0;
	launches = 0;
	killed = 0;
	killed_with = 0;
	going_down = false;
	shutdowns = 0;
	timer_runs_out = false;
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
	set_up();
	said[0] = '\0';
	return 0;
}

int story_end(void **state)
{
	(void)state;
	going_down = true; /* nothing starts again */
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		if (vm_exists(slot) && vm_look(slot).pid)
			end_process_of(slot, STATUS_OK);
	return 0;
}

void go_running(void)
{
	assert_null(command(VM_EV_START));
	happen_exec();
	happen_ready();
	happen_resume();
	assert_state("running");
	told();
}
