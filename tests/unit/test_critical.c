/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A critical VM has failed: what the machine does, and how often. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>

#include "bootcount.h"
#include "critical.h"
#include "fakesys.h"
#include "manifest.h"
#include "shutdown.h"
#include "standins.h"
#include "sys_machine.h"
#include "trial.h"

#define VARIABLE "sys/firmware/efi/efivars/HvinitCriticalReboots-" SYS_EFI_OURS
#define EFI_FILE "sys/firmware/efi/efivars/Other"

enum { NOW = 1800000000, DAY = 24 * 60 * 60 };

static struct config config;
static int root = -1;
static const char *asked = "";
static bool going_on;
static int64_t now_s;
static int64_t up_s;
static unsigned failed_boots;
static bool on_trial;
static char given_up[DIAG_TEXT];
static void (*not_alone)(void);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	*now = (struct timespec){ .tv_sec = (time_t)(clock == CLOCK_REALTIME ? now_s : up_s) };
	return 0;
}

int bootcount_fail(void)
{
	failed_boots++;
	return sys_exists(root, EFI_FILE) ? 0 : -ENOENT;
}

/* The image is on trial, so that the machine goes back to another one; or nobody knows yet. */
bool trial_failed(const char *why, void (*otherwise)(void))
{
	str_copy(given_up, sizeof(given_up), why);
	not_alone = otherwise;
	return on_trial;
}

bool shutdown_going_on(void)
{
	return going_on;
}

void shutdown_begin(enum shutdown_how how)
{
	asked = how == SHUTDOWN_POWEROFF ? "power off" : "reboot";
}

static void boot(void)
{
	asked = "";
	said[0] = '\0';
	critical_init(root);
}

static int setup(void **state)
{
	(void)state;
	standins_reset();
	root = fakesys_new();
	fakesys_file(root, EFI_FILE, "");
	manifest_defaults(&config);
	str_copy(config.vm[1].name, sizeof(config.vm[1].name), "router");
	config.vm[1].critical = true;
	config.host.on_critical_failed = HOST_ON_CRITICAL_FAILED_REBOOT;
	config.host.critical_reboots = 2;
	going_on = on_trial = false;
	given_up[0] = '\0';
	now_s = NOW;
	up_s = 30;
	failed_boots = 0;
	boot();
	return 0;
}

static int teardown(void **state)
{
	close(root);
	return fakesys_teardown(state);
}

static void test_not_critical(void **state)
{
	(void)state;
	critical_failed(&config, 0);
	config.vm[1].critical = false;
	critical_failed(&config, 1);
	config.vm[1].critical = true;
	going_on = true;
	critical_failed(&config, 1);
	assert_string_equal(said, "");
	assert_string_equal(asked, "");
}

static void test_stay(void **state)
{
	(void)state;
	config.host.on_critical_failed = HOST_ON_CRITICAL_FAILED_STAY;
	critical_failed(&config, 1);
	assert_said("router: do without it: ");
	assert_said("the machine stays as it is: HOST_ON_CRITICAL_FAILED");
	assert_said("[CRITICAL]");
	assert_string_equal(asked, "");
}

static void test_poweroff(void **state)
{
	(void)state;
	config.host.on_critical_failed = HOST_ON_CRITICAL_FAILED_POWEROFF;
	critical_failed(&config, 1);
	assert_string_equal(asked, "power off");
	assert_int_equal(failed_boots, 0);
}

static void test_trial(void **state)
{
	(void)state;
	on_trial = true;
	critical_failed(&config, 1);
	assert_string_equal(given_up, "the critical VM router has failed");
	assert_string_equal(asked, "");
	/* There turns out to be nothing else to boot. */
	not_alone();
	assert_string_equal(asked, "reboot");
	assert_int_equal(failed_boots, 1);
}

/* So many a day, over reboots; the next day there are as many again. */
static void test_reboots(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		critical_failed(&config, 1);
		assert_said("the machine reboots");
		assert_string_equal(asked, "reboot");
		now_s += 3600;
		boot();
	}
	assert_int_equal(failed_boots, 2);
	critical_failed(&config, 1);
	assert_said("stays as it is: it has done so 2 times within a day");
	assert_string_equal(asked, "");
	now_s = NOW + DAY + 1;
	boot();
	critical_failed(&config, 1);
	assert_string_equal(asked, "reboot");
}

/* A clock that stands in the past at every boot gives no more reboots than one day has. */
static void test_no_clock(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		critical_failed(&config, 1);
		assert_string_equal(asked, "reboot");
		now_s = 0;
		boot();
	}
	critical_failed(&config, 1);
	assert_string_equal(asked, "");
}

static void test_once(void **state)
{
	(void)state;
	chore_hangs = true;
	critical_failed(&config, 1);
	critical_failed(&config, 1);
	assert_string_equal(asked, "");
	timer->ready(timer->arg, 1);
	assert_said("the firmware does not answer");
	assert_string_equal(asked, "");
}

static void test_none_wanted(void **state)
{
	(void)state;
	config.host.critical_reboots = 0;
	critical_failed(&config, 1);
	assert_said("HOST_CRITICAL_REBOOTS is 0");
	assert_string_equal(asked, "");
}

/* Nothing tells of earlier reboots then, but that this boot has lasted. */
static void test_no_memory(void **state)
{
	(void)state;
	fakesys_remove(root, EFI_FILE);
	unlinkat(root, "sys/firmware/efi/efivars", AT_REMOVEDIR);
	boot();
	critical_failed(&config, 1);
	assert_said("up for only 30 s");
	assert_string_equal(asked, "");
	up_s = 601;
	critical_failed(&config, 1);
	assert_string_equal(asked, "reboot");
}

/* What could not be counted must not become a loop. */
static void test_not_kept(void **state)
{
	(void)state;
	chore_error = -EAGAIN;
	critical_failed(&config, 1);
	assert_said("count a reboot, so there is none: ");
	assert_said("[EFI-WRITE]");
	assert_string_equal(asked, "");
	/* It does not count, and the next failure is told of, too. */
	chore_error = 0;
	critical_failed(&config, 1);
	assert_string_equal(asked, "reboot");
}

#define CRITICAL_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CRITICAL_CASE("a VM that is not, and a machine that goes down", test_not_critical),
		CRITICAL_CASE("stay", test_stay),
		CRITICAL_CASE("power off", test_poweroff),
		CRITICAL_CASE("an image on trial", test_trial),
		CRITICAL_CASE("reboots in a day", test_reboots),
		CRITICAL_CASE("no clock", test_no_clock),
		CRITICAL_CASE("a firmware that hangs", test_once),
		CRITICAL_CASE("no reboots", test_none_wanted),
		CRITICAL_CASE("no firmware variables", test_no_memory),
		CRITICAL_CASE("a count that cannot be kept", test_not_kept),
	};

	return cmocka_run_group_tests_name("critical", tests, NULL, NULL);
}
