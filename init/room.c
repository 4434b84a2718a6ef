/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU and its libraries, firmware, what the guest boots, and three devices. */
#include "room.h"

#include "argv.h"
#include "sys.h"

static const struct room_thing always[] = {
	{ .path = QEMU_PATH, .is_program = true },
	{ .path = "/usr/lib/aarch64-linux-gnu", .is_program = true, .may_lack = true },
	{ .path = "/usr/lib/ld-linux-aarch64.so.1", .is_program = true, .may_lack = true },
	{ .path = SYS_DEV_KVM, .is_device = true, .may_lack = true },
	{ .path = SYS_DEV_NULL, .is_device = true },
	{ .path = SYS_DEV_URANDOM, .is_device = true, .may_lack = true },
};

unsigned room_furnish(const struct plan *plan, struct room_thing things[ROOM_THINGS])
{
	const char *const files[] = { plan->vm->firmware, plan->vm->kernel, plan->vm->initrd };
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		things[n++] = always[i];
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (files[i][0])
			things[n++] = (struct room_thing){ .path = files[i] };
	return n;
}
