/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table of states. */
#include "device.h"

#include "event.h"
#include "log.h"
#include "util.h"

static struct device devices[HV_VM_SLOTS][HV_HOSTDEV_SLOTS];

static const char *const state_name[DEVICE_STATES] = {
	[DEVICE_FREE] = "free",
	[DEVICE_CLAIMED] = "claimed",
	[DEVICE_QUARANTINED] = "quarantined",
	[DEVICE_GONE] = "gone",
};

const struct device *device_look(unsigned vm, unsigned hostdev)
{
	return &devices[vm][hostdev];
}

const char *device_bdf(const struct config *config, unsigned vm, unsigned hostdev)
{
	const struct hostdev_config *h = &config->vm[vm].hostdev[hostdev];

	if (devices[vm][hostdev].bdf[0])
		return devices[vm][hostdev].bdf;
	return h->vf == HV_NONE ? h->bdf : "";
}

bool device_find(const struct config *config, const char *bdf, unsigned *vm, unsigned *hostdev)
{
	for (*vm = 0; bdf[0] && *vm < HV_VM_SLOTS; ++*vm)
		for (*hostdev = 0; *hostdev < HV_HOSTDEV_SLOTS; ++*hostdev)
			if (strcmp(device_bdf(config, *vm, *hostdev), bdf) == 0)
				return true;
	return false;
}

/* Every change is an event; what is trouble, or its end, is a line of the log, too. */
static void tell(const struct config *config, unsigned vm, unsigned hostdev,
		 enum device_state before)
{
	const struct device *d = &devices[vm][hostdev];
	const char *bdf = device_bdf(config, vm, hostdev);
	const char *name = config->vm[vm].name;
	bool is_trouble = d->state > DEVICE_CLAIMED;

	if (is_trouble || before > DEVICE_CLAIMED)
		log_msg(is_trouble ? LOG_LEVEL_WARN : LOG_LEVEL_INFO, name, "device %s is %s%s%s",
			bdf, state_name[d->state], d->why[0] ? ": " : "", d->why);
	event_device(name, hostdev, bdf, state_name[d->state], d->why);
}

void device_note(const struct config *config, unsigned vm, unsigned hostdev,
		 enum device_state state, const char *bdf, const char *why)
{
	struct device *d = &devices[vm][hostdev];
	enum device_state before = d->state;

	if (bdf)
		str_copy(d->bdf, sizeof(d->bdf), bdf);
	if (state <= DEVICE_CLAIMED)
		d->held = state == DEVICE_CLAIMED;
	if (before == DEVICE_QUARANTINED || (before == DEVICE_GONE && state == DEVICE_FREE))
		return;
	d->state = state;
	str_copy(d->why, sizeof(d->why), why);
	if (state != before)
		tell(config, vm, hostdev, before);
}

static bool end_trouble(const struct config *config, unsigned vm, unsigned hostdev,
			enum device_state from, enum device_state to)
{
	struct device *d = &devices[vm][hostdev];

	if (d->state != from)
		return false;
	d->state = to;
	d->held = to == DEVICE_CLAIMED;
	d->why[0] = '\0';
	tell(config, vm, hostdev, from);
	return true;
}

bool device_come(const struct config *config, unsigned vm, unsigned hostdev)
{
	return end_trouble(config, vm, hostdev, DEVICE_GONE, DEVICE_FREE);
}

bool device_release(const struct config *config, unsigned vm, unsigned hostdev)
{
	return end_trouble(config, vm, hostdev, DEVICE_QUARANTINED,
			   devices[vm][hostdev].held ? DEVICE_CLAIMED : DEVICE_FREE);
}

const char *device_state_name(enum device_state state)
{
	return state_name[state];
}
