/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PID 1: boot order, signals, reaping. Setup may fail into safe mode, in which no VM is started
 * and the console works; once the first child runs there are only warnings.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bootcount.h"
#include "chore.h"
#include "command.h"
#include "confine.h"
#include "console.h"
#include "ctl.h"
#include "event.h"
#include "fatal.h"
#include "harden.h"
#include "launch.h"
#include "log.h"
#include "loop.h"
#include "machine.h"
#include "manifest.h"
#include "select.h"
#include "shutdown.h"
#include "sys.h"
#include "sys_sysctl.h"
#include "tool.h"
#include "trial.h"
#include "trust.h"
#include "update.h"
#include "util.h"
#include "version.h"
#include "vm.h"

static struct config config;
static struct source signals;
static struct launch host; /* the child that prepares the machine; pid 0 when it has ended */
static struct source host_report = { .fd = -1 };
static struct source patience = {
	.fd = -1
}; /* with that child, which no VM may be started before */
static bool safe; /* start nothing by itself */
static bool faulty; /* the manifest; it may have lost a device's line */

enum { RESERVE_S = 60, EVENT_BYTES = 16 * 1024 };

static void read_cmdline(struct diag *diag)
{
	const struct trust *trust = trust_begin(AT_FDCWD);
	char text[4096];

	if (sys_cmdline(text, sizeof(text)) < 0)
		text[0] = '\0';
	if (manifest_cmdline(text, trust_cmdline(trust), &config, diag))
		safe = true;
	trust_check(trust, text, diag);
}

static void configure(struct diag *diag)
{
	const struct selected *selected = select_manifest(AT_FDCWD, diag);

	log_msg(LOG_LEVEL_INFO, "init", "manifest: %s%s%s", select_words(selected->from),
		selected->path[0] ? ": " : "", selected->path);
	manifest_defaults(&config);
	if (selected->path[0])
		manifest_load(selected->path, &config, diag);
	if (diag_failures(diag, DIAG_HOST))
		select_keep_door(AT_FDCWD, &config);
	read_cmdline(diag);
	for (unsigned i = 0; i < diag->count; i++)
		log_finding(&diag->finding[i]);
	if (diag_failures(diag, DIAG_HOST)) {
		log_msg(LOG_LEVEL_ERR, "init", "safe mode: the manifest cannot be trusted");
		safe = true;
	}
}

/* Once; what was stopped by hand meanwhile stays so. */
static void start_vms(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	if (safe)
		log_msg(LOG_LEVEL_WARN, "init", "safe mode: no VM is started");
	else
		vm_autostart();
}

static void reserve_is_late(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	if (!timer_fired(&patience))
		return;
	loop_close(&patience);
	log_msg(LOG_LEVEL_ERR, "init",
		"reserve devices: not done in %d s: the kernel hangs; no VM is started by itself",
		RESERVE_S);
}

static void host_report_ready(void *arg, uint32_t events)
{
	struct launch_report report;
	int error = launch_read(host_report.fd, &report);

	(void)arg;
	(void)events;
	if (error < 0) {
		loop_close(&host_report);
		loop_close(&patience);
		/* Whatever it did not come to, the VMs that wait for it tell what they miss. */
		start_vms();
		vm_host_ready();
		machine_drivers_loaded();
	}
	if (error != 1)
		return;
	if (report.event == LAUNCH_RESERVED) {
		loop_close(&patience);
		update_media(faulty ? "the manifest has a fault, and may have lost a VM's device" :
				      NULL);
		start_vms();
	} else if (report.event == LAUNCH_READY) {
		vm_host_ready();
	} else if (report.finding.vm == DIAG_HOST) {
		log_finding(&report.finding);
	} else {
		vm_unfit((unsigned)report.finding.vm, &report.finding);
	}
}

/* The host's drivers have had their chance; what a driver does to the child is worth a line. */
static void host_ended(int status)
{
	host.pid = 0;
	if (status)
		log_msg(LOG_LEVEL_ERR, "init", "prepare devices: the child ended by status 0x%x",
			(unsigned)status);
}

/*
 * A manifest with a fault may have lost a device's line: then no host driver is let loose, for it
 * might take that device.
 */
static void prepare_host(void)
{
	int error = sys_kvm_group(AT_FDCWD, CONFINE_KVM_GID);

	if (error)
		log_msg(LOG_LEVEL_WARN, "init", "give /dev/kvm to QEMU's group: %s",
			strerror(-error));
	error = launch_host(&config, !faulty, &host);
	if (error) {
		log_msg(LOG_LEVEL_ERR, "init", "start a child to prepare devices: %s",
			strerror(-error));
		safe = true;
		return;
	}
	if (timer_add(&patience, reserve_is_late, NULL) == 0)
		timer_set(&patience, RESERVE_S * UINT64_C(1000));
	loop_add(&host_report, host.report, EPOLLIN, host_report_ready, NULL);
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
		bool ended = WIFEXITED(status) || WIFSIGNALED(status);

		if (vm_reaped(pid, status) || !ended)
			continue;
		if (pid == host.pid)
			host_ended(status);
		else if (chore_reaped(pid, status) || console_reaped(pid, status))
			shutdown_proceed();
		else
			shutdown_reaped(pid);
	}
}

/* busybox's meaning of the signals, so that its halt, poweroff and reboot work. */
static void on_signal(int number)
{
	switch (number) {
	case SIGCHLD:
		reap();
		break;
	case SIGUSR1:
		shutdown_begin(SHUTDOWN_HALT);
		break;
	case SIGUSR2:
	case SIGPWR:
		shutdown_begin(SHUTDOWN_POWEROFF);
		break;
	case SIGTERM:
	case SIGINT: /* Ctrl-Alt-Del */
		shutdown_begin(SHUTDOWN_REBOOT);
		break;
	default:
		break;
	}
}

static void signals_ready(void *arg, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)arg;
	(void)events;
	if (read(signals.fd, &info, sizeof(info)) == sizeof(info))
		on_signal((int)info.ssi_signo);
}

static bool any_failure(const struct diag *diag)
{
	bool any = diag_failures(diag, DIAG_HOST) || diag->dropped;

	for (int vm = 0; vm < HV_VM_SLOTS; vm++)
		any |= diag_failures(diag, vm) > 0;
	return any;
}

/* All but those that mean a fault: nothing may interrupt PID 1, and they must not be lost. */
static int take_signals(void)
{
	sigset_t set;
	int fd;

	sigfillset(&set);
	sigdelset(&set, SIGSEGV);
	sigdelset(&set, SIGBUS);
	sigdelset(&set, SIGILL);
	sigdelset(&set, SIGFPE);
	sigdelset(&set, SIGABRT);
	sigdelset(&set, SIGTRAP);
	sigdelset(&set, SIGSYS);
	sigprocmask(SIG_SETMASK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	return loop_add(&signals, fd, EPOLLIN, signals_ready, NULL);
}

static void say_hello(void)
{
	char release[SYS_NAME];

	sys_kernel_release(release, sizeof(release));
	log_msg(LOG_LEVEL_INFO, "init",
		"started: hvinit " HVINIT_VERSION ", board " HVINIT_BOARD ", Linux %s", release);
}

/* Standard streams of PID 1 itself: the kernel may have left them unopened. */
static void open_standard(void)
{
	int fd = sys_null_open(AT_FDCWD);

	while (fd >= 0 && fd <= STDERR_FILENO)
		fd = dup(fd);
	if (fd > STDERR_FILENO)
		close(fd);
}

static void warn(const char *what, int error)
{
	if (error)
		log_msg(LOG_LEVEL_WARN, "init", "%s: %s", what, strerror(-error));
}

/* Without these there is no loop. An init that returned would be a panic and, with it, a reboot. */
_Noreturn static void cannot_go_on(const char *step, int error)
{
	_cleanup_fd_ int kmsg = sys_kmsg_open();
	char text[128];
	ssize_t n;

	/* In one write: musl's dprintf() makes several, and each is a line of the kernel's log. */
	str_format(text, sizeof(text), "<2>hvinit: init: %s: %s\n", step, strerror(-error));
	n = write(kmsg, text, strlen(text));
	(void)n;
	for (;;)
		pause();
}

static void begin(void)
{
	int error;

	umask(022);
	open_standard();
	error = loop_init();
	if (error)
		cannot_go_on("make the event loop", error);
	error = take_signals();
	if (error)
		cannot_go_on("take the signals", error);
	/* What to do about a fault is in the manifest; until that is read, better no loop. */
	fatal_init(false);
}

static void add_console(void *arg, const char *path, unsigned baud)
{
	int fd = sys_tty_open(path);

	(void)arg;
	warn("open a console", fd < 0 ? fd : console_add(fd, path, baud));
}

/* Who wants to look at the machine in safe mode does not want it to reboot. */
static void judge_safe_mode(const struct diag *diag)
{
	const char *why = NULL;

	if (diag_failures(diag, DIAG_HOST))
		why = "its manifest cannot be trusted";
	else if (bootcount_is_bad())
		why = "its boots have failed";
	if (!why || !trial_failed(why, trial_suspend))
		trial_suspend();
}

_Noreturn static void run_pid1(void)
{
	static struct diag diag;
	const char *open_door;
	const char *where = "";
	int mounted = sys_mount_all(&where);

	begin();
	sys_printk_quiet();
	sys_sysrq_off();
	/* Ctrl-Alt-Del comes as SIGINT instead of ending everything at once. */
	reboot(RB_DISABLE_CAD);
	log_init(LOG_LEVEL_INFO);
	console_init(&config);
	sys_console_each(add_console, NULL);
	say_hello();
	open_door = harden_self();
	if (open_door)
		log_msg(LOG_LEVEL_WARN, "init", "%s: %s", open_door, strerror(errno));
	if (mounted)
		log_msg(LOG_LEVEL_WARN, "init", "mount %s: %s", where, strerror(-mounted));
	configure(&diag);
	log_set_level((int)config.host.log_level);
	command_init(&config);
	console_ready();
	warn("make the host's log", log_keep((size_t)config.host.log_kib * 1024));
	warn("make room for events", event_init(EVENT_BYTES));
	warn("listen for 'hvinit ctl'", ctl_init());
	warn("make room for what updates wait for", update_init());
	safe |= machine_init(&config);
	if (safe)
		judge_safe_mode(&diag);
	/* An image that fails even in safe mode must not reboot for ever. */
	fatal_init(config.host.on_fatal == HOST_ON_FATAL_REBOOT && !bootcount_is_bad());
	warn("set up the VMs", vm_init(&config, &diag));
	faulty = any_failure(&diag);
	prepare_host();
	loop_run();
}

int main(int argc, char **argv)
{
	if (getpid() == 1)
		run_pid1();
	return tool_main(argc, argv);
}
