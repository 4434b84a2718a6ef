/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is told of what. */
#include "machine.h"

#include <fcntl.h>

#include "addon.h"
#include "bootcount.h"
#include "button.h"
#include "chore.h"
#include "critical.h"
#include "device_event.h"
#include "dma_fault.h"
#include "hw_errors.h"
#include "images.h"
#include "log.h"
#include "panic.h"
#include "select.h"
#include "trial.h"
#include "trust.h"
#include "uevent.h"
#include "util.h"
#include "vm.h"
#include "watchdog.h"

#define RELEASE "/etc/os-release"

static const struct config *config;

static void died(const char *why)
{
	bootcount_died(why);
	trial_died(why);
}

static void look_for_watchdog(void)
{
	if (!watchdog_look() || !watchdog_has_bitten())
		return;
	died("the watchdog has reset the machine");
	/* All VMs may run by now, and then nothing else would clear that. */
	vm_judge_boot();
}

static void on_event(const struct uevent *event)
{
	bool is_add = strcmp(event->action, "add") == 0;

	if (strcmp(event->subsystem, "pci") == 0 &&
	    (is_add || strcmp(event->action, "remove") == 0))
		device_event(config, event->pci, is_add);
	else if (is_add && strcmp(event->subsystem, "input") == 0 && event->devname[0])
		button_look();
	else if (is_add && strcmp(event->devname, "watchdog") == 0)
		look_for_watchdog();
}

static void on_loss(void)
{
	device_look_all(config, AT_FDCWD);
	button_look();
	look_for_watchdog();
}

static void panic_copied(int error)
{
	if (error)
		log_msg(LOG_LEVEL_WARN, "host", "remove the record of the last panic: %s",
			strerror(-error));
}

/*
 * Evidence that the boot before this one died comes as early as can be. Of a watchdog whose driver
 * is a module it comes too late for this boot; then the next one is the first in safe mode.
 */
static void look_back(void)
{
	static const int root = AT_FDCWD;

	bootcount_init(root, RELEASE, select_look()->path);
	critical_init(root);
	trial_init(config, root);
	if (panic_is_kept(root)) {
		died("the kernel panicked");
		panic_copied(chore_start(panic_copy, &root, panic_copied));
	}
	look_for_watchdog();
}

static void tell_bad(void)
{
	struct diag diag = { 0 };

	diag_add(&diag, DIAG_HOST, DIAG_BOOT_FAILED, "host",
		 "start VMs: %u boots of this image in a row have failed", bootcount_failed());
	log_finding(&diag.finding[0]);
}

bool machine_init(const struct config *all)
{
	int error;

	config = all;
	hw_errors_init(config, AT_FDCWD);
	log_notice(hw_errors_line);
	log_hide(dma_fault_hides);
	watchdog_init(config->host.watchdog_s);
	error = images_init();
	if (error)
		log_msg(LOG_LEVEL_WARN, "host", "make room for images: %s", strerror(-error));
	error = addon_init();
	if (error)
		log_msg(LOG_LEVEL_WARN, "host", "make room for addons: %s", strerror(-error));
	look_back();
	/* Before the look, so that what comes after it is not missed. */
	error = uevent_init(on_event, on_loss);
	if (error)
		log_msg(LOG_LEVEL_WARN, "host", "listen for devices that come and go: %s",
			strerror(-error));
	button_look();
	if (bootcount_is_bad())
		tell_bad();
	return bootcount_is_bad();
}

void machine_drivers_loaded(void)
{
	look_for_watchdog();
	button_look();
	trial_drivers_loaded();
	if (config->host.watchdog_s > 0 && !watchdog_last_reset()[0])
		log_msg(LOG_LEVEL_INFO, "host", "watchdog: %s", watchdog_state());
}

void machine_status(void (*print)(const char *fmt, ...))
{
	const struct selected *selected = select_look();
	char text[TRUST_TEXT];

	print("manifest: %s; UUID of this machine: %s\n", select_words(selected->from),
	      selected->uuid[0] ? selected->uuid : "none");
	print("%s\n", trust_text(trust_get(), text));
	print("watchdog: %s%s%s\n", watchdog_state(),
	      watchdog_last_reset()[0] ? "; last reset: " : "", watchdog_last_reset());
	trial_status(print);
	if (bootcount_failed())
		print("boots of this image that failed in a row: %u\n", bootcount_failed());
}
