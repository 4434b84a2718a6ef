/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The hardware watchdog: a pipe in its place, and the driver's answers. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/watchdog.h>

#include "log.h"
#include "loop.h"
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
	bool timers_fail;
} driver;

static int line[2]; /* our end, the watchdog's */
static char calls[256];
static char said[512];
static struct source *timer;
static uint64_t timer_ms;

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

int loop_add(struct source *source, int fd, uint32_t events, void (*ready)(void *, uint32_t),
	     void *arg)
{
	(void)source;
	(void)fd;
	(void)events;
	(void)ready;
	(void)arg;
	return 0;
}

void loop_close(struct source *source)
{
	source->fd = -1;
}

int timer_add(struct source *source, void (*ready)(void *, uint32_t), void *arg)
{
	if (driver.timers_fail)
		return -EMFILE;
	source->fd = 99;
	source->ready = ready;
	source->arg = arg;
	timer = source;
	return 0;
}

void timer_set(const struct source *source, uint64_t ms)
{
	assert_ptr_equal(source, timer);
	timer_ms = ms;
}

bool timer_fired(const struct source *source)
{
	return source == timer;
}

void log_msg(enum log_level level, const char *subject, const char *fmt, ...)
{
	va_list ap;

	(void)level;
	(void)subject;
	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
}

void log_finding(const struct finding *finding)
{
	diag_format(finding, said, sizeof(said));
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
	assert_string_equal(said, "watchdog armed: fake, 60 s; last reset: the watchdog");
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
	assert_non_null(strstr(said, "nowayout"));
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
	assert_non_null(strstr(said, "HOST_WATCHDOG_S: open the watchdog: "));
	assert_non_null(strstr(said, "[WATCHDOG]"));
	assert_non_null(strstr(watchdog_state(), "cannot be used: "));
	driver.open_error = 0;
	assert_false(watchdog_look());
	watchdog_init(60);
	timer->fd = -1;
	driver.timers_fail = true;
	assert_false(watchdog_look());
	assert_non_null(strstr(said, "make a timer"));
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
