/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linux, Documentation/watchdog/watchdog-api.rst. */
#include "watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <linux/watchdog.h>

#include "log.h"
#include "loop.h"
#include "sys_machine.h"
#include "util.h"

enum { FEEDS = 3, STATE = 96 }; /* so often in a timeout: two may come late */

static int wanted_s;
static int device = -1;
static bool given_up; /* disarmed, or there is none that could be armed */
static struct source timer = { .fd = -1 };
static uint64_t every_ms;
static char state[STATE] = "none";
static const char *last_reset = "";
static bool has_bitten;

static const struct {
	int flag;
	const char *cause;
} causes[] = {
	{ WDIOF_CARDRESET, "the watchdog" },
	{ WDIOF_OVERHEAT, "overheating" },
	{ WDIOF_FANFAULT, "a fan" },
	{ WDIOF_POWERUNDER, "power too low" },
	{ WDIOF_POWEROVER, "power too high" },
	{ WDIOF_EXTERN1 | WDIOF_EXTERN2, "an external signal" },
};

void watchdog_init(int64_t timeout_s)
{
	wanted_s = timeout_s > 0 ? (int)timeout_s : 0;
	given_up = false;
	str_copy(state, sizeof(state), wanted_s ? "none" : "off (HOST_WATCHDOG_S)");
}

static void feed(void)
{
	ssize_t n = write(device, "", 1);

	(void)n;
	timer_set(&timer, every_ms);
}

static void time_to_feed(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	if (timer_fired(&timer) && device >= 0)
		feed();
}

/* Before the timeout is set: some drivers forget it then. */
static void ask_cause(void)
{
	int flags = 0;

	last_reset = "no cause known";
	if (ioctl(device, WDIOC_GETBOOTSTATUS, &flags))
		return;
	has_bitten = flags & WDIOF_CARDRESET;
	for (size_t i = ARRAY_SIZE(causes); i-- > 0;)
		if (flags & causes[i].flag)
			last_reset = causes[i].cause;
}

/* The driver may round it, or have one that cannot be changed: what it says counts. */
static int set_timeout(void)
{
	int timeout_s = wanted_s;

	if (ioctl(device, WDIOC_SETTIMEOUT, &timeout_s) &&
	    ioctl(device, WDIOC_GETTIMEOUT, &timeout_s))
		return wanted_s;
	return timeout_s > 0 ? timeout_s : wanted_s;
}

static void fail(const char *step, int error)
{
	struct diag diag = { 0 };

	given_up = true;
	str_format(state, sizeof(state), "cannot be used: %s", strerror(error));
	diag_add(&diag, DIAG_HOST, DIAG_WATCHDOG, "HOST_WATCHDOG_S", "%s: %s", step,
		 strerror(error));
	log_finding(&diag.finding[0]);
}

static void arm(void)
{
	struct watchdog_info info = { 0 };
	int timeout_s;

	(void)ioctl(device, WDIOC_GETSUPPORT, &info);
	info.identity[sizeof(info.identity) - 1] = '\0';
	ask_cause();
	timeout_s = set_timeout();
	every_ms = (uint64_t)timeout_s * 1000 / FEEDS;
	str_format(state, sizeof(state), "%s, %d s", (const char *)info.identity, timeout_s);
	log_msg(LOG_LEVEL_INFO, "host", "watchdog armed: %s; last reset: %s", state, last_reset);
	feed();
}

bool watchdog_look(void)
{
	int fd;

	if (wanted_s == 0 || given_up || device >= 0)
		return false;
	fd = sys_watchdog_open(AT_FDCWD);
	if (fd == -ENOENT || fd == -ENODEV || fd == -ENXIO)
		return false;
	if (fd < 0) {
		fail("open the watchdog", -fd);
		return false;
	}
	device = fd;
	if (timer.fd < 0) {
		int error = timer_add(&timer, time_to_feed, NULL);

		if (error) {
			watchdog_disarm_silently();
			fail("make a timer to feed the watchdog", -error);
			return false;
		}
	}
	arm();
	return true;
}

const char *watchdog_state(void)
{
	return state;
}

const char *watchdog_last_reset(void)
{
	return last_reset;
}

bool watchdog_has_bitten(void)
{
	return has_bitten;
}

/*
 * WDIOS_DISABLECARD tells whether it can be stopped, which the magic close does not, and it works
 * also while a child of PID 1 still has a copy of the descriptor. The magic close is for drivers
 * that know nothing else.
 */
static bool stop(void)
{
	int options = WDIOS_DISABLECARD;
	bool stopped = ioctl(device, WDIOC_SETOPTIONS, &options) == 0 || errno != EBUSY;
	ssize_t n;

	if (!stopped)
		return false;
	n = write(device, "V", 1);
	(void)n;
	close(device);
	device = -1;
	return true;
}

void watchdog_disarm(void)
{
	if (device < 0)
		return;
	given_up = true;
	if (stop()) {
		loop_close(&timer);
		str_copy(state, sizeof(state), "disarmed");
	} else {
		log_msg(LOG_LEVEL_WARN, "host",
			"disarm the watchdog: it cannot be stopped (nowayout): it may reset the machine "
			"when that is halted");
	}
}

void watchdog_disarm_silently(void)
{
	if (device >= 0)
		stop();
}
