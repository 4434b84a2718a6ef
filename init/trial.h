/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether this image is good. The boot loader counts the tries of a new one in its file's name
 * (bootentry.h), and boots an older one when they are used up. The boot is good when every critical VM
 * that starts at boot has been running for HOST_BLESS_SECONDS and a console takes what it is sent; then
 * the counters are taken off, and a boot option of the firmware's leads straight to the image. A boot
 * on trial that cannot become good ends by a reboot, as long as there may be another image to boot. The
 * firmware keeps, in the variable HvinitTrial, which image was last tried, by the version in its file's
 * name, and what became of it.
 */
#ifndef HVINIT_TRIAL_H
#define HVINIT_TRIAL_H

#include <stdbool.h>

#include "json.h"
#include "symbols.h"

/*
 * Reads what firmware and boot loader tell; root stands for /. Before the first child, for it asks the
 * firmware.
 */
void trial_init(const struct config *config, int root);

/* The boot before this one has died, as why tells: what became of a trial. After trial_init(). */
void trial_died(const char *why);

/* Drivers are loaded: looks at what the loader can boot, in a child. */
void trial_drivers_loaded(void);

/* Whether all critical VMs that start at boot run now. Said at each change; the same twice is none. */
void trial_judge(bool are_up);

/*
 * This boot cannot become good, for why: true when the machine reboots for that. False: it is not on
 * trial, or there is nothing else to boot, and all goes on as it would without trials. What else there
 * is may not be known yet: then true, and otherwise(), which may be NULL, is called if it is nothing.
 */
bool trial_failed(const char *why, void (*otherwise)(void));

/* No VM is started by itself in this boot: it is not judged. */
void trial_suspend(void);

/* Lines for "status"; members for its JSON. */
void trial_status(void (*print)(const char *fmt, ...));
void trial_json(struct json *json);

#endif
