/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reboots are counted in a firmware variable, "SINCE COUNT": seconds of the real-time clock at which
 * a day of them began, and how many there were in it. Where there is no such variable nothing tells
 * a loop of reboots from a first failure but how long this boot has lasted.
 */
#include "critical.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

#include "bootcount.h"
#include "chore.h"
#include "log.h"
#include "loop.h"
#include "shutdown.h"
#include "sys_machine.h"
#include "trial.h"
#include "util.h"

enum { DAY_S = 24 * 60 * 60, UPTIME_S = 10 * 60, KEEP_MS = 30 * 1000, TEXT = 64 };

static int root = AT_FDCWD;
static char path[SYS_EFI_PATH];
static int64_t since_s; /* of the first of the day's reboots */
static unsigned reboots; /* in that day, this boot being the consequence of the last */
static bool remembers; /* the firmware has variables */
static bool begun;
static struct source patience = { .fd = -1 };
static const struct config
	*awaited_config; /* whose VM it is, if it turns out that there is no trial */
static unsigned awaited_slot;

static int64_t now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec;
}

void critical_init(int of)
{
	char text[TEXT];
	char *end;
	ssize_t n;

	root = of;
	begun = false;
	since_s = 0;
	reboots = 0;
	if (!sys_efi_path("HvinitCriticalReboots", SYS_EFI_OURS, path))
		return;
	n = sys_efi_read(root, path, text, sizeof(text));
	remembers = n >= 0 || sys_efi_exists(root);
	if (n < 0)
		return;
	since_s = strtoll(text, &end, 10);
	reboots = (unsigned)strtoul(end, NULL, 10);
}

/*
 * A clock that was set back does not end a day: without one that goes on, the number of reboots is
 * for ever.
 */
static void begin_day(void)
{
	if (reboots > 0 && now_s() - since_s < DAY_S)
		return;
	reboots = 0;
	since_s = now_s();
}

/* NULL, or why the machine must not reboot now; text is where the reason may be put together. */
static const char *refuse(const struct host_config *host, char text[TEXT])
{
	uint64_t up_s = boottime_us() / 1000000;

	begin_day();
	if (host->critical_reboots == 0)
		return "HOST_CRITICAL_REBOOTS is 0";
	if (!remembers) {
		str_format(text, TEXT, "up for only %lu s, and no firmware variable counts reboots",
			   (unsigned long)up_s);
		return up_s < UPTIME_S ? text : NULL;
	}
	if (reboots < (uint64_t)host->critical_reboots)
		return NULL;
	str_format(text, TEXT, "it has done so %u times within a day", reboots);
	return text;
}

/* In a child: that this boot has failed, and what the next one must know. */
static int keep(const void *arg)
{
	char text[SYS_EFI_ATTRIBUTES + TEXT] = SYS_EFI_KEPT;
	int error = bootcount_fail();
	int second;

	(void)arg;
	str_format(text + SYS_EFI_ATTRIBUTES, TEXT, "%" PRId64 " %u\n", since_s, reboots);
	second = sys_efi_write(root, path, text,
			       SYS_EFI_ATTRIBUTES + strlen(text + SYS_EFI_ATTRIBUTES));
	return error ? error : second;
}

/* What could not be kept must not end in a loop of reboots. */
static void kept(int error)
{
	struct diag diag = { 0 };

	loop_close(&patience);
	if (shutdown_going_on())
		return;
	if (!error || (!remembers && boottime_us() / 1000000 >= UPTIME_S)) {
		shutdown_begin(SHUTDOWN_REBOOT);
		return;
	}
	begun = false;
	reboots--;
	diag_add(&diag, DIAG_HOST, DIAG_EFI_WRITE, "host", "count a reboot, so there is none: %s",
		 strerror(-error));
	log_finding(&diag.finding[0]);
}

static void firmware_is_late(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	if (!timer_fired(&patience))
		return;
	loop_close(&patience);
	log_msg(LOG_LEVEL_ERR, "host", "count a reboot: the firmware does not answer in %d s",
		KEEP_MS / 1000);
}

static void begin_reboot(void)
{
	int error;

	reboots++;
	if (timer_add(&patience, firmware_is_late, NULL) == 0)
		timer_set(&patience, KEEP_MS);
	error = chore_start(keep, NULL, kept);
	if (error)
		kept(error);
}

static void tell(const struct config *config, unsigned slot, const char *what, const char *why)
{
	struct diag diag = { 0 };

	diag_add(&diag, (int)slot, DIAG_CRITICAL, config->vm[slot].name,
		 "do without it: it is critical and has failed, so the machine %s%s%s", what,
		 why ? ": " : "", why ? why : "");
	log_finding(&diag.finding[0]);
}

static void go_by_manifest(const struct config *config, unsigned slot)
{
	char text[TEXT];
	const char *why;

	if (begun || shutdown_going_on())
		return;
	switch (config->host.on_critical_failed) {
	case HOST_ON_CRITICAL_FAILED_POWEROFF:
		tell(config, slot, "powers off", NULL);
		begun = true;
		shutdown_begin(SHUTDOWN_POWEROFF);
		break;
	case HOST_ON_CRITICAL_FAILED_REBOOT:
		why = refuse(&config->host, text);
		begun = !why;
		tell(config, slot, why ? "stays as it is" : "reboots", why);
		if (begun)
			begin_reboot();
		break;
	default:
		tell(config, slot, "stays as it is", "HOST_ON_CRITICAL_FAILED is \"stay\"");
	}
}

static void go_by_manifest_after_all(void)
{
	go_by_manifest(awaited_config, awaited_slot);
}

void critical_failed(const struct config *config, unsigned slot)
{
	char why[DIAG_TEXT];

	if (!config->vm[slot].critical || begun || shutdown_going_on())
		return;
	awaited_config = config;
	awaited_slot = slot;
	str_format(why, sizeof(why), "the critical VM %s has failed", config->vm[slot].name);
	if (!trial_failed(why, go_by_manifest_after_all))
		go_by_manifest(config, slot);
}
