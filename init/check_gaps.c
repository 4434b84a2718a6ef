/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Slots are used in order: Kconfig asks for none behind a free one, and drops what is set there. */
#include "check_private.h"

#include "manifest.h"
#include "util.h"

static void tell(const struct check *c, unsigned slot, const char *symbol)
{
	check_fail(c, DIAG_SLOT_GAP, symbol, "use slot %u: slot %u is free", slot, slot - 1);
}

void check_bridge_gaps(const struct config *config, struct diag *diag)
{
	const struct bridge_config *bridge = config->host.bridge;
	char symbol[DIAG_SUBJECT];

	for (unsigned n = 1; n < HV_BRIDGE_SLOTS; n++) {
		if (!manifest_bridge_used(&bridge[n]) || manifest_bridge_used(&bridge[n - 1]))
			continue;
		str_format(symbol, sizeof(symbol), "HOST_BRIDGE%u_NAME", n);
		diag_add(diag, DIAG_HOST, DIAG_SLOT_GAP, symbol, "use slot %u: slot %u is free", n,
			 n - 1);
	}
}

void check_gaps(const struct check *c)
{
	const struct vm_config *vm = c->vm;
	unsigned slot = c->plan->slot;

	if (slot > 0 && !manifest_vm_used(&c->config->vm[slot - 1]))
		tell(c, slot, SYMBOL(c, "NAME"));
	for (unsigned i = 1; i < HV_HOSTDEV_SLOTS; i++)
		if (manifest_hostdev_used(&vm->hostdev[i]) &&
		    !manifest_hostdev_used(&vm->hostdev[i - 1]))
			tell(c, i, SYMBOL(c, "HOSTDEV%u_BDF", i));
	for (unsigned i = 1; i < HV_DISK_SLOTS; i++)
		if (manifest_disk_used(&vm->disk[i]) && !manifest_disk_used(&vm->disk[i - 1]))
			tell(c, i, SYMBOL(c, "DISK%u_PATH", i));
	for (unsigned i = 1; i < HV_NET_SLOTS; i++)
		if (manifest_net_used(&vm->net[i]) && !manifest_net_used(&vm->net[i - 1]))
			tell(c, i, SYMBOL(c, "NET%u_BRIDGE", i));
	for (unsigned i = 1; i < HV_PORT_SLOTS; i++)
		if (vm->port[i].bus != HV_NONE && vm->port[i - 1].bus == HV_NONE)
			tell(c, i, SYMBOL(c, "PORT%u_BUS", i));
}
