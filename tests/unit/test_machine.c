/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is told of what; every room that is told is this test's own. */
#include "unit.h"

#include <errno.h>

#include "bootcount.h"
#include "button.h"
#include "chore.h"
#include "critical.h"
#include "device_event.h"
#include "dma_fault.h"
#include "hw_errors.h"
#include "log.h"
#include "machine.h"
#include "manifest.h"
#include "images.h"
#include "panic.h"
#include "trial.h"
#include "uevent.h"
#include "vm.h"
#include "watchdog.h"

static struct config config;
static char calls[1024];
static void (*on_event)(const struct uevent *event);
static void (*on_loss)(void);
static bool appears; /* a watchdog, at the next look */
static bool bitten;
static bool panicked;
static unsigned failed;
static const char *last_reset;

static void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *fmt, ...)
{
	size_t used = strlen(calls);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(calls + used, sizeof(calls) - used, fmt, ap);
	va_end(ap);
}

void log_msg(enum log_level level, const char *subject, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	(void)level;
	(void)subject;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	note("%s;", text);
}

void log_finding(const struct finding *finding)
{
	note("%s;", diag_code_text(finding->code));
}

void log_notice(void (*notice)(const char *text))
{
	assert_true(notice == hw_errors_line);
}

void log_hide(bool (*hides)(const char *text))
{
	assert_true(hides == dma_fault_hides);
}

bool dma_fault_hides(const char *text)
{
	(void)text;
	return false;
}

void hw_errors_init(const struct config *all, int root)
{
	(void)all;
	(void)root;
}

void hw_errors_line(const char *text)
{
	(void)text;
}

int uevent_init(void (*each)(const struct uevent *event), void (*lost)(void))
{
	on_event = each;
	on_loss = lost;
	return -EMFILE;
}

void watchdog_init(int64_t timeout_s)
{
	note("watchdog %d;", (int)timeout_s);
}

bool watchdog_look(void)
{
	bool now = appears;

	note("look;");
	appears = false;
	return now;
}

bool watchdog_has_bitten(void)
{
	return bitten;
}

const char *watchdog_state(void)
{
	return "fake, 60 s";
}

const char *watchdog_last_reset(void)
{
	return last_reset;
}

void bootcount_init(int root, const char *release, const char *manifest)
{
	(void)root;
	assert_string_equal(release, "/etc/os-release");
	assert_string_equal(manifest, MANIFEST_PATH);
}

unsigned bootcount_failed(void)
{
	return failed;
}

bool bootcount_is_bad(void)
{
	return failed >= BOOTCOUNT_LIMIT;
}

void bootcount_died(const char *why)
{
	note("died: %s;", why);
}

int images_init(void)
{
	return 0;
}

void trial_init(const struct config *all, int root)
{
	(void)root;
	assert_ptr_equal(all, &config);
	note("trial;");
}

void trial_died(const char *why)
{
	note("trial died: %s;", why);
}

void trial_drivers_loaded(void)
{
	note("images;");
}

void trial_status(void (*print)(const char *fmt, ...))
{
	print("image 0.1.0: good\n");
}

void vm_judge_boot(void)
{
	note("judged;");
}

void critical_init(int root)
{
	(void)root;
}

bool panic_is_kept(int root)
{
	(void)root;
	return panicked;
}

int panic_copy(const void *arg)
{
	(void)arg;
	return 0;
}

int chore_start(int (*work)(const void *arg), const void *arg, void (*done)(int error))
{
	(void)arg;
	assert_true(work == panic_copy);
	done(-EIO);
	return 0;
}

void button_look(void)
{
	note("buttons;");
}

void device_event(const struct config *all, const char *bdf, bool there)
{
	assert_ptr_equal(all, &config);
	note("%s %s;", bdf, there ? "comes" : "goes");
}

void device_look_all(const struct config *all, int root)
{
	(void)all;
	(void)root;
	note("devices;");
}

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	calls[0] = '\0';
	appears = bitten = panicked = false;
	failed = 0;
	last_reset = "";
	return 0;
}

static void test_boot(void **state)
{
	(void)state;
	assert_false(machine_init(&config));
	assert_string_equal(calls, "watchdog 60;trial;look;listen for devices that come and go: "
				   "Too many open files;buttons;");
}

/* What is known of the boot before counts before the VMs are started. */
static void test_look_back(void **state)
{
	(void)state;
	panicked = appears = bitten = true;
	failed = 3;
	assert_true(machine_init(&config));
	assert_non_null(
		strstr(calls, "died: the kernel panicked;trial died: the kernel panicked;"));
	assert_non_null(strstr(calls, "remove the record of the last panic: "));
	assert_non_null(strstr(calls, "trial died: the watchdog has reset the machine;judged;"));
	assert_non_null(strstr(calls, "BOOT-FAILED;"));
}

static const struct row {
	struct uevent event; /* action, subsystem, devname, pci */
	const char *calls;
} rows[] = {
	{ { "add", "pci", "", "0000:41:00.0" }, "0000:41:00.0 comes;" },
	{ { "remove", "pci", "", "0000:41:00.0" }, "0000:41:00.0 goes;" },
	{ { "bind", "pci", "", "0000:41:00.0" }, "" },
	{ { "add", "input", "input/event0", "" }, "buttons;" },
	{ { "add", "input", "", "" }, "" },
	{ { "remove", "input", "input/event0", "" }, "" },
	{ { "add", "misc", "watchdog", "" }, "look;" },
	{ { "add", "watchdog", "watchdog0", "" }, "" },
	{ { "change", "block", "nvme0n1", "" }, "" },
};

static void test_event(void **state)
{
	const struct row *row = *state;

	machine_init(&config);
	calls[0] = '\0';
	on_event(&row->event);
	assert_string_equal(calls, row->calls);
}

static void test_loss(void **state)
{
	(void)state;
	machine_init(&config);
	calls[0] = '\0';
	on_loss();
	assert_string_equal(calls, "devices;buttons;look;");
}

/* That there is none is told once all drivers had their chance, and only if one is wanted. */
static void test_drivers_loaded(void **state)
{
	(void)state;
	machine_init(&config);
	calls[0] = '\0';
	machine_drivers_loaded();
	assert_string_equal(calls, "look;buttons;images;watchdog: fake, 60 s;");
	calls[0] = '\0';
	config.host.watchdog_s = HV_NONE;
	machine_drivers_loaded();
	assert_string_equal(calls, "look;buttons;images;");
	calls[0] = '\0';
	config.host.watchdog_s = 60;
	last_reset = "no cause known";
	machine_drivers_loaded();
	assert_string_equal(calls, "look;buttons;images;");
}

static void test_status(void **state)
{
	(void)state;
	machine_status(note);
	assert_string_equal(calls, "manifest: built in for any host; UUID of this machine: none\n"
				   "secure boot: off, lockdown: unknown\n"
				   "watchdog: fake, 60 s\nimage 0.1.0: good\n");
	calls[0] = '\0';
	last_reset = "the watchdog";
	failed = 2;
	machine_status(note);
	assert_string_equal(calls, "manifest: built in for any host; UUID of this machine: none\n"
				   "secure boot: off, lockdown: unknown\n"
				   "watchdog: fake, 60 s; last reset: the watchdog\n"
				   "image 0.1.0: good\n"
				   "boots of this image that failed in a row: 2\n");
}

#define MACHINE_CASE(title, function) FIXTURE(title, function, setup, NULL, NULL)

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(rows) + 5] = {
		MACHINE_CASE("a boot like any other", test_boot),
		MACHINE_CASE("what earlier boots have left", test_look_back),
		MACHINE_CASE("events were lost", test_loss),
		MACHINE_CASE("drivers have been loaded", test_drivers_loaded),
		MACHINE_CASE("status", test_status),
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		tests[i + 5] = FIXTURE("an event", test_event, setup, NULL, &rows[i]);
	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
