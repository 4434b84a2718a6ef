/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An image's trial, on an invented machine whose firmware variables are files; its disk is invented. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "bootentry.h"
#include "bootopt.h"
#include "console.h"
#include "esp.h"
#include "fakesys.h"
#include "images.h"
#include "manifest.h"
#include "shutdown.h"
#include "standins.h"
#include "sys_machine.h"
#include "trial.h"
#include "version.h"

#define VARIABLES "sys/firmware/efi/efivars/"
#define VARIABLE VARIABLES "HvinitTrial-" SYS_EFI_OURS
#define COUNTED "\\EFI\\Linux\\hvinit_" HVINIT_VERSION "+2-1.efi"
#define FILE_NAME "hvinit_" HVINIT_VERSION "+2-1.efi"
#define UNCOUNTED "\\EFI\\Linux\\hvinit_" HVINIT_VERSION ".efi"

static struct config config;
static int root = -1;
static int esp = -1;
static int esp_problem;
static int option_problem;
static char option[128]; /* where the firmware's way past the loader leads */
static bool reboots;
static bool works; /* some console */

int esp_find(int of, struct sys_partition *partition)
{
	assert_int_equal(of, root);
	*partition = (struct sys_partition){ .number = 1 };
	return esp_problem;
}

int esp_mount_found(int of, const struct sys_partition *partition, bool writable)
{
	(void)of;
	(void)writable;
	assert_int_equal(partition->number, 1);
	return fcntl(esp, F_DUPFD_CLOEXEC, 0);
}

int esp_mount(int of, bool writable)
{
	struct sys_partition partition;
	int error = esp_find(of, &partition);

	return error ? error : esp_mount_found(of, &partition, writable);
}

const char *esp_error(int error)
{
	return error == -EROFS ? "read-only" : "no such disk";
}

int bootopt_keep(int of, const struct sys_partition *partition, const char *path)
{
	(void)of;
	(void)partition;
	str_copy(option, sizeof(option), path);
	return option_problem;
}

void shutdown_begin(enum shutdown_how how)
{
	reboots = how == SHUTDOWN_REBOOT;
}

bool shutdown_going_on(void)
{
	return reboots;
}

bool console_works(void)
{
	return works;
}

/* --- an invented machine --- */

static void put_text(const char *name, const char *text)
{
	char variable[128];

	str_format(variable, sizeof(variable), "%s-" SYS_EFI_LOADER, name);
	fakesys_variable_text(root, variable, text);
}

static void put_image(const char *name)
{
	char path[128];

	str_format(path, sizeof(path), "EFI/Linux/%s", name);
	fakesys_file(esp, path, "");
}

static bool has_image(const char *name)
{
	char path[128];

	str_format(path, sizeof(path), "EFI/Linux/%s", name);
	return faccessat(esp, path, F_OK, 0) == 0;
}

static const char *kept(void)
{
	static char text[512];

	return sys_efi_read(root, VARIABLE, text, sizeof(text)) < 0 ? "" : text;
}

static void keep(const char *text)
{
	char value[256];

	str_format(value, sizeof(value), "1234%s", text);
	fakesys_file(root, VARIABLE, value);
}

static int setup(void **state)
{
	(void)state;
	standins_reset();
	manifest_defaults(&config);
	config.host.bless_seconds = 60;
	config.host.trial_seconds = 600;
	root = fakesys_new();
	esp = fakesys_new();
	fakesys_file(root, VARIABLES "Other", "");
	put_image("hvinit_" HVINIT_VERSION "+2-1.efi");
	put_image("hvinit_0.0.1.efi");
	esp_problem = option_problem = 0;
	option[0] = '\0';
	reboots = false;
	works = true;
	return images_init();
}

static int teardown(void **state)
{
	trial_judge(false);
	close(root);
	close(esp);
	return fakesys_teardown(state);
}

static void boot(void)
{
	trial_init(&config, root);
	trial_drivers_loaded();
}

static void boot_on_trial(void)
{
	put_text("LoaderBootCountPath", COUNTED);
	boot();
}

static void run_out(void)
{
	assert_non_null(timer);
	timer->ready(timer->arg, 0);
}

static void print_line(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say(text);
}

static void status(void)
{
	said[0] = '\0';
	trial_status(print_line);
}

/* --- it is good --- */

static void test_good(void **state)
{
	(void)state;
	boot_on_trial();
	assert_said("on trial: tries left after this one: 2");
	assert_string_equal(kept(), HVINIT_VERSION "\n");
	trial_judge(true);
	assert_int_equal(timer_ms, 60001);
	run_out();
	assert_said("this image is good");
	assert_true(has_image("hvinit_" HVINIT_VERSION ".efi"));
	assert_string_equal(option, "EFI/Linux/hvinit_" HVINIT_VERSION ".efi");
	assert_string_equal(kept(), "");
	assert_false(trial_failed("too late", NULL));
	status();
	assert_said("image " HVINIT_VERSION ": good");
}

/* Nobody but who looks at the disk sees that it was not loaded. */
static void test_addon(void **state)
{
	(void)state;
	fakesys_file(esp, "EFI/Linux/hvinit_" HVINIT_VERSION ".efi.extra.d/x.addon.efi", "none");
	boot_on_trial();
	assert_said("x.addon.efi: load it: it is no whole EFI program [ADDON-IGNORED]");
}

/* One that stops within that time begins anew. */
static void test_without_a_break(void **state)
{
	(void)state;
	boot_on_trial();
	trial_judge(true);
	trial_judge(false);
	trial_judge(true);
	trial_judge(true);
	assert_int_equal(timer_ms, 60001);
	run_out();
	assert_said("this image is good");
}

static void test_no_console(void **state)
{
	(void)state;
	works = false;
	boot_on_trial();
	trial_judge(true);
	run_out();
	assert_int_equal(timer_ms, 1000);
	assert_true(has_image("hvinit_" HVINIT_VERSION "+2-1.efi"));
	works = true;
	run_out();
	assert_said("this image is good");
}

static void test_cannot_be_written(void **state)
{
	(void)state;
	boot_on_trial();
	esp_problem = -EROFS;
	trial_judge(true);
	run_out();
	assert_said("keep this image: read-only");
	assert_said("[BLESS]");
	assert_string_equal(kept(), HVINIT_VERSION "\n");
	/* It is tried again, said once, and ends nothing: guests run. */
	assert_int_equal(timer_ms, 60000);
	run_out();
	assert_int_equal(times_said("[BLESS]"), 1);
	esp_problem = 0;
	run_out();
	assert_said("this image is good");
}

/* It was to be written down when a VM failed: only when all run again there is another try. */
static void test_fails_meanwhile(void **state)
{
	(void)state;
	esp_problem = -EROFS;
	boot_on_trial();
	trial_judge(true);
	run_out();
	trial_judge(false);
	assert_int_equal(timer->fd, -1);
	esp_problem = 0;
	trial_judge(true);
	assert_int_equal(timer_ms, 60001);
	run_out();
	assert_said("this image is good");
}

/* What is to write hangs: nothing ends, there is no second one beside it, and who asks is told. */
static void test_disk_hangs(void **state)
{
	unsigned begun;

	(void)state;
	boot_on_trial();
	trial_judge(true);
	chore_hangs = true;
	run_out();
	begun = chores_begun;
	assert_int_equal(timer_ms, 120000);
	assert_false(trial_failed("a VM", NULL));
	run_out();
	assert_said("keep this image: its disk does not answer [BLESS]");
	assert_int_equal(timer_ms, 60000);
	run_out();
	run_out();
	assert_int_equal(times_said("[BLESS]"), 1);
	assert_int_equal(chores_begun, begun);
	assert_false(reboots);
	status();
	assert_said("this image could not be kept: its disk does not answer");
	chore_done(-EIO);
	assert_int_equal(timer_ms, 60000);
	chore_hangs = false;
	run_out();
	assert_said("this image is good");
	status();
	assert_null(strstr(said, "could not be kept"));
}

/* It has hung, and a VM fails later: then it is given up like any other. */
static void test_fails_after_a_hang(void **state)
{
	(void)state;
	boot_on_trial();
	trial_judge(true);
	chore_hangs = true;
	run_out();
	run_out();
	assert_true(trial_failed("the critical VM db has failed", NULL));
	assert_said("[TRIAL-FAILED]");
}

/* Suspended while it is written: what becomes of that begins nothing anew. */
static void test_suspended_while_it_writes(void **state)
{
	(void)state;
	boot_on_trial();
	trial_judge(true);
	chore_hangs = true;
	run_out();
	trial_suspend();
	chore_done(-EIO);
	assert_false(trial_failed("a VM", NULL));
	trial_judge(false);
	trial_judge(true);
	assert_int_equal(timer->fd, -1);
}

static void test_no_option(void **state)
{
	(void)state;
	option_problem = -ENOSPC;
	boot_on_trial();
	trial_judge(true);
	run_out();
	assert_said("this image is good");
	assert_said("[BOOT-OPTION]");
}

/* An image that is good already gets its way past the loader, and nothing else. */
static void test_not_on_trial(void **state)
{
	(void)state;
	put_text("StubImageIdentifier", UNCOUNTED);
	boot();
	assert_false(trial_failed("a VM", NULL));
	trial_judge(true);
	run_out();
	assert_string_equal(option, "EFI/Linux/hvinit_" HVINIT_VERSION ".efi");
	assert_string_equal(said, "");
}

/* Booted by a lab, a CD or the network: nobody counts. */
static void test_no_loader(void **state)
{
	(void)state;
	put_text("StubImageIdentifier", "\\EFI\\BOOT\\BOOTAA64.EFI");
	boot();
	trial_judge(true);
	assert_null(timer);
	assert_false(trial_failed("a VM", NULL));
	assert_string_equal(said, "");
}

/* --- it is no good --- */

static void test_failed(void **state)
{
	(void)state;
	boot_on_trial();
	assert_true(trial_failed("the critical VM db has failed", NULL));
	assert_true(reboots);
	assert_said("[TRIAL-FAILED]");
	assert_string_equal(kept(), HVINIT_VERSION "\nthe critical VM db has failed\n" FILE_NAME);
}

static void test_takes_too_long(void **state)
{
	(void)state;
	boot_on_trial();
	assert_int_equal(timer_ms, 660000);
	run_out();
	assert_true(reboots);
	assert_said("not all critical VMs ran");
}

static void test_takes_its_time(void **state)
{
	(void)state;
	config.host.trial_seconds = HV_NONE;
	boot_on_trial();
	assert_null(timer);
}

static bool called;

static void otherwise(void)
{
	called = true;
}

/* There is nothing else to boot. */
static void test_alone(void **state)
{
	(void)state;
	unlinkat(esp, "EFI/Linux/hvinit_0.0.1.efi", 0);
	boot_on_trial();
	assert_false(trial_failed("a VM", otherwise));
	assert_false(reboots);
}

/* It fails before anybody knows what else there is. */
static void test_failed_early(void **state)
{
	(void)state;
	put_text("LoaderBootCountPath", COUNTED);
	trial_init(&config, root);
	called = false;
	assert_true(trial_failed("a VM", otherwise));
	assert_false(reboots);
	trial_drivers_loaded();
	assert_true(reboots);
	assert_false(called);
}

static void test_failed_early_and_blind(void **state)
{
	(void)state;
	esp_problem = -ENOENT;
	put_text("LoaderBootCountPath", COUNTED);
	trial_init(&config, root);
	called = false;
	assert_true(trial_failed("a VM", otherwise));
	trial_drivers_loaded();
	/* Nobody can look, as its drivers are not loaded; but the loader has taken a try off. */
	assert_said("[ESP]");
	assert_true(reboots);
	assert_false(called);
}

/* Nobody ever looks: a driver hangs. */
static void test_hangs(void **state)
{
	(void)state;
	put_text("LoaderBootCountPath", COUNTED);
	trial_init(&config, root);
	called = false;
	assert_true(trial_failed("a VM", otherwise));
	assert_true(trial_failed("another VM", NULL));
	assert_int_equal(timer_ms, 120000);
	run_out();
	assert_true(reboots);
	assert_false(called);
}

/* By the same name it has given way before: the loader does not count, or has nothing else. */
static void test_gave_way_before(void **state)
{
	(void)state;
	keep(HVINIT_VERSION "\na VM\n" FILE_NAME);
	esp_problem = -ENOENT;
	put_text("LoaderBootCountPath", COUNTED);
	trial_init(&config, root);
	called = false;
	assert_true(trial_failed("a VM", otherwise));
	trial_drivers_loaded();
	assert_false(reboots);
	assert_true(called);
	assert_string_equal(kept(), HVINIT_VERSION "\n\n" FILE_NAME);
}

/* Counters in a name that the loader has not told of: it does not count. */
static void test_nobody_counts(void **state)
{
	(void)state;
	put_text("StubImageIdentifier", COUNTED);
	boot();
	assert_false(trial_failed("a VM", NULL));
	assert_false(reboots);
}

/* The machine goes down already: another goal would kill guests that shut down. */
static void test_goes_down(void **state)
{
	(void)state;
	put_text("LoaderBootCountPath", COUNTED);
	trial_init(&config, root);
	assert_true(trial_failed("a VM", otherwise));
	reboots = true; /* by the operator */
	called = false;
	trial_drivers_loaded();
	assert_null(strstr(said, "[TRIAL-FAILED]"));
	assert_false(called);
}

/* Nor is its disk written to, which is about to be left. */
static void test_goes_down_when_good(void **state)
{
	(void)state;
	boot_on_trial();
	trial_judge(true);
	reboots = true;
	run_out();
	assert_true(has_image(FILE_NAME));
}

static void test_suspended_while_it_waits(void **state)
{
	(void)state;
	put_text("LoaderBootCountPath", COUNTED);
	trial_init(&config, root);
	assert_true(trial_failed("a VM", otherwise));
	trial_suspend();
	trial_drivers_loaded();
	assert_false(reboots);
}

static void test_suspended(void **state)
{
	(void)state;
	boot_on_trial();
	trial_suspend();
	trial_judge(true);
	assert_false(trial_failed("a VM", NULL));
	assert_false(reboots);
}

/* --- what the next boot knows --- */

static void test_fell_back(void **state)
{
	(void)state;
	keep("0.9.0\na VM has failed");
	put_text("StubImageIdentifier", UNCOUNTED);
	boot();
	assert_said("hvinit 0.9.0 was tried before, and was no good: a VM has failed");
	trial_judge(true);
	run_out();
	/* It is told as long as nothing newer is good. */
	assert_string_equal(kept(), "0.9.0\na VM has failed");
	status();
	assert_said("hvinit 0.9.0 was tried before");
}

static void test_fell_back_for_a_panic(void **state)
{
	(void)state;
	keep("0.9.0\n");
	put_text("StubImageIdentifier", UNCOUNTED);
	trial_init(&config, root);
	trial_died("the kernel panicked");
	trial_died("the watchdog bit");
	trial_drivers_loaded();
	assert_string_equal(kept(), "0.9.0\nthe kernel panicked");
}

/* The next boot is not to blame another image for what becomes of this one. */
static void test_fell_back_to_one_on_trial(void **state)
{
	(void)state;
	keep("0.9.0\n");
	put_text("LoaderBootCountPath", COUNTED);
	trial_init(&config, root);
	trial_died("the kernel panicked");
	trial_drivers_loaded();
	assert_string_equal(kept(), HVINIT_VERSION "\n");
	status();
	assert_said("hvinit 0.9.0 was tried before, and was no good: the kernel panicked");
}

static void test_fell_back_for_nothing_known(void **state)
{
	(void)state;
	keep("0.9.0\n");
	put_text("StubImageIdentifier", UNCOUNTED);
	boot();
	assert_string_equal(kept(), "0.9.0\nit ended before it was found to be good");
}

static void test_second_try(void **state)
{
	(void)state;
	keep(HVINIT_VERSION "\na VM has failed");
	boot_on_trial();
	assert_said("the try before this one was no good: a VM has failed");
	assert_string_equal(kept(), HVINIT_VERSION "\n");
}

/* The same version again is another image, under a name of its own. */
static void test_same_version_again(void **state)
{
	(void)state;
	put_text("LoaderBootCountPath", "\\EFI\\Linux\\hvinit_" HVINIT_VERSION "r2+2-1.efi");
	boot();
	assert_string_equal(kept(), HVINIT_VERSION "r2\n");
	assert_true(trial_failed("a VM", NULL));
	unlinkat(root, VARIABLES "LoaderBootCountPath-" SYS_EFI_LOADER, 0);
	reboots = false;
	put_text("StubImageIdentifier", UNCOUNTED);
	boot();
	assert_said("hvinit " HVINIT_VERSION "r2 was tried before, and was no good: a VM");
	trial_judge(true);
	run_out();
	status();
	assert_said("hvinit " HVINIT_VERSION "r2 was tried before");
}

static void test_nonsense_is_kept(void **state)
{
	(void)state;
	keep("a version that is longer than any version of ours could ever be\n");
	boot_on_trial();
	status();
	assert_null(strstr(said, "was tried"));
}

static bool print_json(void)
{
	struct json json = { .out = stdout };

	json_object(&json, NULL);
	trial_json(&json);
	json_end(&json);
	return json_finish(&json);
}

static void test_json(void **state)
{
	char text[2048];

	(void)state;
	keep("0.9.0\na VM has failed");
	boot_on_trial();
	assert_true(print_into(text, sizeof(text), print_json));
	assert_non_null(strstr(text, "\"tries_left\": 2"));
	assert_non_null(strstr(text, "\"tries_left\": null"));
	assert_non_null(strstr(text, "\"why\": \"a VM has failed\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE("good", test_good, setup, teardown, NULL),
		FIXTURE("an addon that was not loaded", test_addon, setup, teardown, NULL),
		FIXTURE("without a break", test_without_a_break, setup, teardown, NULL),
		FIXTURE("no console works", test_no_console, setup, teardown, NULL),
		FIXTURE("the disk cannot be written", test_cannot_be_written, setup, teardown,
			NULL),
		FIXTURE("a VM fails meanwhile", test_fails_meanwhile, setup, teardown, NULL),
		FIXTURE("the disk hangs", test_disk_hangs, setup, teardown, NULL),
		FIXTURE("a VM fails after the disk hangs", test_fails_after_a_hang, setup, teardown,
			NULL),
		FIXTURE("suspended while it writes", test_suspended_while_it_writes, setup,
			teardown, NULL),
		FIXTURE("no boot option", test_no_option, setup, teardown, NULL),
		FIXTURE("not on trial", test_not_on_trial, setup, teardown, NULL),
		FIXTURE("no loader", test_no_loader, setup, teardown, NULL),
		FIXTURE("a critical VM fails", test_failed, setup, teardown, NULL),
		FIXTURE("it takes too long", test_takes_too_long, setup, teardown, NULL),
		FIXTURE("it may take its time", test_takes_its_time, setup, teardown, NULL),
		FIXTURE("alone", test_alone, setup, teardown, NULL),
		FIXTURE("it fails early", test_failed_early, setup, teardown, NULL),
		FIXTURE("early, and nobody can look", test_failed_early_and_blind, setup, teardown,
			NULL),
		FIXTURE("a driver hangs", test_hangs, setup, teardown, NULL),
		FIXTURE("gave way before", test_gave_way_before, setup, teardown, NULL),
		FIXTURE("nobody counts", test_nobody_counts, setup, teardown, NULL),
		FIXTURE("goes down already", test_goes_down, setup, teardown, NULL),
		FIXTURE("goes down when it is good", test_goes_down_when_good, setup, teardown,
			NULL),
		FIXTURE("suspended while it waits", test_suspended_while_it_waits, setup, teardown,
			NULL),
		FIXTURE("suspended", test_suspended, setup, teardown, NULL),
		FIXTURE("fell back", test_fell_back, setup, teardown, NULL),
		FIXTURE("fell back for a panic", test_fell_back_for_a_panic, setup, teardown, NULL),
		FIXTURE("fell back to one on trial", test_fell_back_to_one_on_trial, setup,
			teardown, NULL),
		FIXTURE("fell back, nobody knows why", test_fell_back_for_nothing_known, setup,
			teardown, NULL),
		FIXTURE("a second try", test_second_try, setup, teardown, NULL),
		FIXTURE("the same version again", test_same_version_again, setup, teardown, NULL),
		FIXTURE("nonsense is kept", test_nonsense_is_kept, setup, teardown, NULL),
		FIXTURE("JSON", test_json, setup, teardown, NULL),
	};

	return cmocka_run_group_tests_name("trial", tests, NULL, NULL);
}
