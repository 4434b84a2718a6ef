/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel tells of devices that come and go. */
#ifndef HVINIT_UEVENT_H
#define HVINIT_UEVENT_H

#include <stdbool.h>
#include <stddef.h>

/* Parts of one message; they last as long as it. "" where the message has none. */
struct uevent {
	const char *action; /* "add", "remove", "bind", … */
	const char *subsystem;
	const char *devname; /* below /dev: "watchdog", "input/event0" */
	const char *pci; /* PCI_SLOT_NAME: the BDF */
};

/*
 * Takes a message of len bytes apart, in place; its last byte is made a NUL. False when it is none
 * of the kernel's (Linux, lib/kobject_uevent.c).
 */
bool uevent_parse(char *message, size_t len, struct uevent *event);

/*
 * From now on calls each for every message, and lost when messages were lost because nobody read
 * them in time: then anything may have happened. 0 or a negative errno.
 */
int uevent_init(void (*each)(const struct uevent *event), void (*lost)(void));

#endif
