/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's settings, and parts of its kernel that QEMU has no use for. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <linux/keyctl.h>
#include <sys/prctl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "trespass.h"
#include "util.h"

/* One that needs no other, and that nothing needs here. */
#define MODULE "nls_iso8859_1"
#define MODULE_FILE "kernel/fs/nls/nls_iso8859-1.ko"

enum {
	BUFFER = 1 << 16,
	RING_PARAMS = 120, /* bytes of struct io_uring_params */
	RING_PROBE = 8, /* IORING_REGISTER_PROBE */
	LOG_READ_ALL = 3, /* syslog(2) */
};

/* --- power, modules, names --- */

int try_reboot(void)
{
	return outcome(reboot(RB_DISABLE_CAD));
}

static int load(void)
{
	struct utsname name;
	char path[256];
	_cleanup_fd_ int fd = -1;

	uname(&name);
	str_format(path, sizeof(path), "/usr/lib/modules/%s/" MODULE_FILE, name.release);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return outcome(syscall(SYS_finit_module, fd, "", 0));
}

static int unload(void)
{
	return outcome(syscall(SYS_delete_module, MODULE, O_NONBLOCK));
}

int try_load_module(void)
{
	int error = load();

	unload();
	return error;
}

int try_unload_module(void)
{
	load();
	return unload();
}

/* What is set is what was set. */
int try_sethostname(void)
{
	struct utsname name;

	uname(&name);
	return outcome(sethostname(name.nodename, strlen(name.nodename)));
}

int try_setdomainname(void)
{
	struct utsname name;

	uname(&name);
	return outcome(setdomainname(name.domainname, strlen(name.domainname)));
}

/* --- time --- */

int try_settimeofday(void)
{
	struct timeval now;

	gettimeofday(&now, NULL);
	return outcome(settimeofday(&now, NULL));
}

int try_clock_settime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return outcome(clock_settime(CLOCK_REALTIME, &now));
}

/* The tick is the only value that can be written as it was read. */
static int steer(int (*adjust)(struct timex *change))
{
	struct timex change = { 0 };

	if (adjust(&change) < 0)
		return -errno;
	change.modes = ADJ_TICK;
	return outcome(adjust(&change));
}

static int adjust_realtime(struct timex *change)
{
	return (int)syscall(SYS_clock_adjtime, CLOCK_REALTIME, change);
}

static int adjust_old(struct timex *change)
{
	return (int)syscall(SYS_adjtimex, change);
}

int try_adjtimex(void)
{
	return steer(adjust_old);
}

int try_clock_adjtime(void)
{
	return steer(adjust_realtime);
}

/* --- logs, swapping, terminals, accounts --- */

int try_read_kernel_log(void)
{
	static char text[BUFFER];

	return outcome(syscall(SYS_syslog, LOG_READ_ALL, text, sizeof(text)));
}

int try_swapon(void)
{
	int error = outcome(swapon(SWAP, 0));

	swapoff(SWAP);
	return error;
}

int try_swapoff(void)
{
	swapon(SWAP, 0);
	return outcome(swapoff(SWAP));
}

/* In a session without a terminal there is none to hang up. */
int try_vhangup(void)
{
	setsid();
	return outcome(syscall(SYS_vhangup));
}

int try_acct(void)
{
	return outcome(syscall(SYS_acct, NULL));
}

int try_quotactl(void)
{
	return outcome(syscall(SYS_quotactl, 0x800001 /* Q_SYNC */, NULL, 0, NULL));
}

/* --- io_uring --- */

static int ring(void)
{
	uint64_t params[RING_PARAMS / sizeof(uint64_t)] = { 0 };

	return (int)syscall(SYS_io_uring_setup, 1, params);
}

int try_io_uring_setup(void)
{
	_cleanup_fd_ int fd = ring();

	return outcome(fd);
}

int try_io_uring_enter(void)
{
	_cleanup_fd_ int fd = ring();

	return outcome(syscall(SYS_io_uring_enter, fd, 0, 0, 0, NULL, 0));
}

int try_io_uring_register(void)
{
	static uint64_t answer[64];
	_cleanup_fd_ int fd = ring();

	return outcome(syscall(SYS_io_uring_register, fd, RING_PROBE, answer, 16));
}

/* --- keys --- */

static int add_key(void)
{
	return outcome(
		syscall(SYS_add_key, "user", "trespass", "key", 3UL, KEY_SPEC_PROCESS_KEYRING));
}

int try_add_key(void)
{
	return add_key();
}

int try_request_key(void)
{
	add_key();
	return outcome(
		syscall(SYS_request_key, "user", "trespass", NULL, KEY_SPEC_PROCESS_KEYRING));
}

int try_keyctl(void)
{
	return outcome(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1));
}

/* --- what is not built: the filter of system calls does not look at arguments --- */

int try_bpf(void)
{
	return outcome(syscall(SYS_bpf, 0, NULL, 0));
}

int try_perf_event(void)
{
	return outcome(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
}

int try_kexec_load(void)
{
	return outcome(syscall(SYS_kexec_load, 0, 0, NULL, 0));
}

int try_kexec_file_load(void)
{
	return outcome(syscall(SYS_kexec_file_load, -1, -1, 0, NULL, 4));
}

/* Who has it can let a call pass that another filter sends to PID 1. */
int try_listener(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog program = { .len = 1, .filter = &allow };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return outcome(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			       SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
}
