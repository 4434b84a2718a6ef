/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What PID 1 knows of the devices that the manifest gives to VMs. It holds none of them: launchers
 * and uevents tell it what has happened. Static memory; nothing here asks the kernel.
 */
#ifndef HVINIT_DEVICE_H
#define HVINIT_DEVICE_H

#include <stdbool.h>

#include "symbols.h"
#include "sys.h"

enum device_state {
	DEVICE_FREE, /* on no driver, or on the VFIO one without a user */
	DEVICE_CLAIMED, /* a VM has it, or is about to */
	DEVICE_QUARANTINED, /* it came back broken, or the operator says so: no VM gets it */
	DEVICE_GONE, /* it is not there any more */
	DEVICE_STATES,
};

enum { DEVICE_WHY = 96 };

struct device {
	enum device_state state;
	bool held; /* its VM has not let go of it, whatever the state */
	char bdf[SYS_BDF]; /* of a virtual function its own; "" until a launcher has told */
	char why[DEVICE_WHY]; /* of quarantined and gone; else "" */
};

/* What is known of HOSTDEV slot hostdev of VM slot vm; owned by this room, and never NULL. */
const struct device *device_look(unsigned vm, unsigned hostdev);

/*
 * Where it is: until a launcher has told, a device that is no virtual function is where the manifest
 * says, and of one nothing is known ("").
 */
const char *device_bdf(const struct config *config, unsigned vm, unsigned hostdev);

/* The same by address, with its slots; false when no VM's device is there. */
bool device_find(const struct config *config, const char *bdf, unsigned *vm, unsigned *hostdev);

/*
 * Notes a state, and logs one that is trouble. One in quarantine stays so until device_release(),
 * whatever else is said of it; and that its VM has let go of one that is gone does not bring it back.
 * bdf may be NULL: as before.
 */
void device_note(const struct config *config, unsigned vm, unsigned hostdev,
		 enum device_state state, const char *bdf, const char *why);

/* One that was gone is there again, and free; false when it was not gone. */
bool device_come(const struct config *config, unsigned vm, unsigned hostdev);

/* Ends a quarantine: it is free, or its VM's as before; false when there was none. */
bool device_release(const struct config *config, unsigned vm, unsigned hostdev);

const char *device_state_name(enum device_state state);

#endif
