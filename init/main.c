/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PID 1: boot order, signals, reaping. Setup may fail into safe mode, in which no VM is started
 * and the console works; once the first child runs there are only warnings.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "confine.h"
#include "console.h"
#include "fatal.h"
#include "launch.h"
#include "log.h"
#include "loop.h"
#include "manifest.h"
#include "shutdown.h"
#include "sys.h"
#include "tool.h"
#include "util.h"
#include "version.h"
#include "vm.h"

static struct config config;
static struct source signals;
static struct launch host; /* the child that prepares the machine; pid 0 when it has ended */
static struct source host_report = { .fd = -1 };
static bool safe; /* start nothing by itself */

static void read_manifest(struct diag *diag)
{
	static char text[MANIFEST_MAX];
	ssize_t n = sys_read(AT_FDCWD, MANIFEST_PATH, text, sizeof(text));

	if (n < 0) {
		diag_add(diag, DIAG_HOST, DIAG_MANIFEST_READ, "manifest", "read %s: %s",
			 MANIFEST_PATH, strerror((int)-n));
		return;
	}
	/* sys_read() cuts the last newline, which the hash covers. */
	text[n] = '\n';
	manifest_parse(text, (size_t)n + 1, &config, diag);
}

static void read_cmdline(struct diag *diag)
{
	char text[4096];

	if (sys_cmdline(text, sizeof(text)) >= 0 &&
	    manifest_cmdline(text, !sys_secure_boot(), &config, diag))
		safe = true;
}

static void configure(struct diag *diag)
{
	manifest_defaults(&config);
	read_manifest(diag);
	read_cmdline(diag);
	for (unsigned i = 0; i < diag->count; i++)
		log_finding(&diag->finding[i]);
	if (diag_failures(diag, DIAG_HOST)) {
		log_msg(LOG_LEVEL_ERR, "init", "safe mode: the manifest cannot be trusted");
		safe = true;
	}
}

/* Devices are in order now: what is to be started can be. */
static void host_is_ready(void)
{
	loop_close(&host_report);
	close_fdp(&host.words);
	host.pid = 0;
	if (safe)
		log_msg(LOG_LEVEL_WARN, "init", "safe mode: no VM is started");
	else
		vm_autostart();
}

static void host_report_ready(void *arg, uint32_t events)
{
	struct launch_report report;

	(void)arg;
	(void)events;
	if (launch_read(host.report, &report) == 1)
		log_finding(&report.finding);
	else
		loop_close(&host_report);
}

static void prepare_host(void)
{
	int error = sys_kvm_group(AT_FDCWD, CONFINE_KVM_GID);

	if (error)
		log_msg(LOG_LEVEL_WARN, "init", "give /dev/kvm to QEMU's group: %s",
			strerror(-error));
	error = launch_host(&config, &host);
	if (error) {
		log_msg(LOG_LEVEL_ERR, "init", "start a child to prepare devices: %s",
			strerror(-error));
		safe = true;
		return;
	}
	loop_add(&host_report, host.report, EPOLLIN, host_report_ready, NULL);
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == host.pid) {
			while (host_report.fd >= 0)
				host_report_ready(NULL, 0);
			host_is_ready();
		} else if (!vm_reaped(pid, status)) {
			console_reaped(pid, status);
		}
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
	sigprocmask(SIG_SETMASK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	return loop_add(&signals, fd, EPOLLIN, signals_ready, NULL);
}

static void say_hello(void)
{
	char release[SYS_NAME];

	if (sys_kernel_release(release, sizeof(release)))
		release[0] = '\0';
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

static int run_pid1(void)
{
	static struct diag diag;
	int mounted = sys_mount_all();

	umask(022);
	if (chdir("/") || loop_init() || take_signals())
		return EXIT_FAILURE;
	open_standard();
	fatal_init(true);
	sys_printk_quiet();
	/* Ctrl-Alt-Del comes as SIGINT instead of ending everything at once. */
	reboot(RB_DISABLE_CAD);
	log_init(LOG_LEVEL_INFO);
	warn("open the console", console_init(&config, sys_console_open()));
	say_hello();
	warn("mount file systems", mounted);
	configure(&diag);
	log_set_level((int)config.host.log_level);
	fatal_init(config.host.on_fatal == HOST_ON_FATAL_REBOOT);
	command_init(&config);
	warn("make the host's log", log_keep((size_t)config.host.log_kib * 1024));
	warn("set up the VMs", vm_init(&config, &diag));
	prepare_host();
	loop_run();
}

int main(int argc, char **argv)
{
	if (getpid() == 1)
		return run_pid1();
	return tool_main(argc, argv);
}
