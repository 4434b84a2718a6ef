/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands between hvinit under test and the kernel, linked into it with --wrap, for what a namespace
 * cannot give.
 *
 * The clock: HVINIT_CLOCK in the environment is how many percent of the real speed it has. 2000 ends
 * ten seconds' patience after half a second, and 10 makes a second last for ten.
 *
 * Limits: only root of the whole machine may raise one. It stays as it is then.
 *
 * The room: the stand-in for QEMU is told what to do, and tells what it does, through files in /ctl, so
 * that folder is in its room with what is mounted in it, and can be written to.
 */
#include "sys_deny.h"
#include "sys_room.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { NS = 1000000000 };

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __real_timerfd_settime(int fd, int flags, const struct itimerspec *when,
			   struct itimerspec *before);
int __real_setrlimit(int resource, const struct rlimit *limit);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *when,
			   struct itimerspec *before);
unsigned __wrap_sleep(unsigned seconds);
int __wrap_setrlimit(int resource, const struct rlimit *limit);

const char *__real_sys_room_enter(const struct room_thing *things, unsigned count);
const char *__wrap_sys_room_enter(const struct room_thing *things, unsigned count);
int __real_sys_deny_files(const char *const writable[]);
int __wrap_sys_deny_files(const char *const writable[]);

int __real_mount(const char *source, const char *target, const char *type, unsigned long flags,
		 const void *data);
int __wrap_mount(const char *source, const char *target, const char *type, unsigned long flags,
		 const void *data);

const char *__wrap_sys_room_enter(const struct room_thing *things, unsigned count)
{
	enum { MOST = 32 };
	struct room_thing all[MOST];

	memcpy(all, things, count * sizeof(*things));
	all[count] = (struct room_thing){ .path = "/ctl", .is_device = true };
	return __real_sys_room_enter(all, count + 1);
}

int __wrap_mount(const char *source, const char *target, const char *type, unsigned long flags,
		 const void *data)
{
	if (source && flags == MS_BIND && strcmp(source, "/ctl") == 0)
		flags |= MS_REC;
	return __real_mount(source, target, type, flags, data);
}

int __wrap_sys_deny_files(const char *const writable[])
{
	static const char *const all[] = { "/dev/kvm", "/dev/null", "/ctl", NULL };

	(void)writable;
	return __real_sys_deny_files(all);
}

static long long percent(void)
{
	static long long kept;
	const char *text = getenv("HVINIT_CLOCK");

	if (!kept)
		kept = text ? strtoll(text, NULL, 10) : 100;
	return kept;
}

static long long to_ns(const struct timespec *time)
{
	return time->tv_sec * (long long)NS + time->tv_nsec;
}

static struct timespec to_timespec(long long ns)
{
	return (struct timespec){ .tv_sec = ns / NS, .tv_nsec = ns % NS };
}

/* Children go on from the same beginning. */
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	static long long begin;
	int result = __real_clock_gettime(clock, now);

	if (clock != CLOCK_BOOTTIME || result)
		return result;
	if (!begin)
		begin = to_ns(now);
	*now = to_timespec(begin + (to_ns(now) - begin) / 100 * percent());
	return 0;
}

int __wrap_timerfd_settime(int fd, int flags, const struct itimerspec *when,
			   struct itimerspec *before)
{
	struct itimerspec scaled = {
		.it_interval = to_timespec(to_ns(&when->it_interval) / percent() * 100),
		.it_value = to_timespec(to_ns(&when->it_value) / percent() * 100),
	};

	return __real_timerfd_settime(fd, flags, &scaled, before);
}

unsigned __wrap_sleep(unsigned seconds)
{
	usleep((useconds_t)(seconds * 1000000LL / percent() * 100));
	return 0;
}

int __wrap_setrlimit(int resource, const struct rlimit *limit)
{
	struct rlimit now;

	if (__real_setrlimit(resource, limit) == 0)
		return 0;
	if (errno != EPERM || getrlimit(resource, &now) || now.rlim_max >= limit->rlim_max) {
		errno = EPERM;
		return -1;
	}
	return 0;
}
