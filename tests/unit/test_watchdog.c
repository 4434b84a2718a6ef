/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hardware watchdog: a pipe in its place, and the driver's answers. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>

#include "standins.h"
#include "symbols.h"
#include "sys_machine.h"
#include "watchdog.h"

/* What the driver is like. */
static struct driver {
	int open_error;
	int boot_status;
	int granted_s; /* 0: what is asked for */
	bool fixed; /* the timeout cannot be set */
	bool nowayout;
} driver;

static int line[2]; /* our end, the watchdog's */
static char calls[256];

int __wrap_sys_watchdog_open(int root);
int __wrap_ioctl(int fd, unsigned long request, void *arg);

static void note(const char *text)
{
	str_format(calls + strlen(calls), sizeof(calls) - strlen(calls), "%s;", text);
}

int __wrap_sys_watchdog_open(int root)
{
	(void)root;
	if (driver.open_error)
		return -driver.open_error;
	assert_int_equal(pipe2(line, O_NONBLOCK), 0);
	note("open");
	return line[1];
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	int *number = arg;

	assert_int_equal(fd, line[1]);
	switch (request) {
	case WDIOC_GETSUPPORT:
		memcpy(((struct watchdog_info *)arg)->identity, "fake", 5);
		return 0;
	case WDIOC_GETBOOTSTATUS:
		note("cause");
		*number = driver.boot_status;
		return 0;
	case WDIOC_SETTIMEOUT:
		note("timeout");
		errno = EOPNOTSUPP;
		if (driver.fixed)
			return -1;
		*number = driver.granted_s ? driver.granted_s : *number;
		return 0;
	case WDIOC_GETTIMEOUT:
		*number = driver.granted_s;
		return 0;
	case WDIOC_SETOPTIONS:
		note("disable");
		assert_int_equal(*number, WDIOS_DISABLECARD);
		errno = EBUSY;
		return driver.nowayout ? -1 : 0;
	default:
		errno = ENOTTY;
		return -1;
	}
}

/* What it was fed with since the last time. */
static const char *fed(void)
{
	static char text[64];
	ssize_t n = read(line[0], text, sizeof(text) - 1);

	for (ssize_t i = 0; i < n; i++)
		text[i] = text[i] ? text[i] : '.';
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static int setup(void **state)
{
	(void)state;
	watchdog_init(60);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	driver.nowayout = false;
	watchdog_disarm_silently();
	driver = (struct driver){ 0 };
	calls[0] = said[0] = '\0';
	timer_error = 0;
	return 0;
}

static void test_off(void **state)
{
	(void)state;
	watchdog_init(HV_NONE);
	assert_false(watchdog_look());
	assert_string_equal(calls, "");
	assert_string_equal(watchdog_state(), "off (HOST_WATCHDOG_S)");
	assert_string_equal(watchdog_last_reset(), "");
}

static void test_none_yet(void **state)
{
	(void)state;
	driver.open_error = ENOENT;
	assert_false(watchdog_look());
	assert_string_equal(said, "");
	assert_string_equal(watchdog_state(), "none");
	watchdog_disarm();
	watchdog_disarm_silently();
	assert_string_equal(calls, "");
}

/* The cause is asked for first: some drivers forget it when the timeout is set. */
static void test_armed(void **state)
{
	(void)state;
	driver.boot_status = WDIOF_CARDRESET;
	assert_true(watchdog_look());
	assert_false(watchdog_look());
	assert_string_equal(calls, "open;cause;timeout;");
	assert_string_equal(said, "host: watchdog armed: fake, 60 s; last reset: the watchdog\n");
	assert_true(watchdog_has_bitten());
	assert_string_equal(fed(), ".");
	assert_int_equal(timer_ms, 20000);
	timer->ready(timer->arg, 1);
	assert_string_equal(fed(), ".");
	assert_string_equal(fed(), "");
}

static void test_causes(void **state)
{
	static const struct {
		int flags;
		const char *cause;
	} rows[] = {
		{ 0, "no cause known" },
		{ WDIOF_OVERHEAT, "overheating" },
		{ WDIOF_POWERUNDER, "power too low" },
		{ WDIOF_EXTERN2, "an external signal" },
		{ WDIOF_CARDRESET | WDIOF_OVERHEAT, "the watchdog" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		watchdog_disarm_silently();
		driver.boot_status = rows[i].flags;
		assert_true(watchdog_look());
		assert_string_equal(watchdog_last_reset(), rows[i].cause);
		assert_int_equal(watchdog_has_bitten(), (rows[i].flags & WDIOF_CARDRESET) != 0);
	}
}

static void test_other_timeout(void **state)
{
	(void)state;
	driver.granted_s = 30;
	assert_true(watchdog_look());
	assert_int_equal(timer_ms, 10000);
	assert_string_equal(watchdog_state(), "fake, 30 s");
	watchdog_disarm_silently();
	driver.fixed = true;
	driver.granted_s = 9;
	assert_true(watchdog_look());
	assert_int_equal(timer_ms, 3000);
}

/* It goes on to be fed: who cannot be stopped must not bite a machine that is still going down. */
static void test_nowayout(void **state)
{
	(void)state;
	driver.nowayout = true;
	assert_true(watchdog_look());
	assert_string_equal(fed(), ".");
	watchdog_disarm();
	assert_said("nowayout");
	assert_string_equal(fed(), "");
	timer->ready(timer->arg, 1);
	assert_string_equal(fed(), ".");
}

/* The magic close, after which it is not armed again. */
static void test_disarm(void **state)
{
	(void)state;
	watchdog_look();
	fed();
	calls[0] = '\0';
	watchdog_disarm();
	assert_string_equal(calls, "disable;");
	assert_string_equal(fed(), "V");
	assert_string_equal(watchdog_state(), "disarmed");
	assert_false(watchdog_look());
}

static void test_cannot(void **state)
{
	(void)state;
	driver.open_error = EBUSY;
	assert_false(watchdog_look());
	assert_said("HOST_WATCHDOG_S: open the watchdog: ");
	assert_said("[WATCHDOG]");
	assert_non_null(strstr(watchdog_state(), "cannot be used: "));
	driver.open_error = 0;
	assert_false(watchdog_look());
	watchdog_init(60);
	timer->fd = -1;
	timer_error = -EMFILE;
	assert_false(watchdog_look());
	assert_said("make a timer");
	assert_string_equal(fed(), "V");
}

#define WATCHDOG_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE("not wanted", test_off, NULL, teardown, NULL),
		WATCHDOG_CASE("none yet", test_none_yet),
		WATCHDOG_CASE("armed, and fed by the loop", test_armed),
		WATCHDOG_CASE("what the last reset came from", test_causes),
		WATCHDOG_CASE("a timeout that it does not have", test_other_timeout),
		WATCHDOG_CASE("one that cannot be stopped", test_nowayout),
		WATCHDOG_CASE("disarmed", test_disarm),
		WATCHDOG_CASE("one that cannot be used", test_cannot),
	};

	return cmocka_run_group_tests_name("watchdog", tests, NULL, NULL);
}
