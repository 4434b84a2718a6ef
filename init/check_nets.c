/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network interfaces: their bridges and addresses. */
#include "check_private.h"

#include "manifest.h"
#include "util.h"

static bool has_bridge(const struct check *c, const char *name)
{
	for (unsigned i = 0; i < HV_BRIDGE_SLOTS; i++)
		if (strcmp(c->config->host.bridge[i].name, name) == 0)
			return true;
	return false;
}

/* A switch that sees one address at two ports sends to the last one it heard of. */
static void check_address(const struct check *c, unsigned n)
{
	for (unsigned slot = 0; slot <= c->plan->slot; slot++) {
		const struct plan *p = check_other(c, slot);

		for (unsigned i = 0; p && i < p->nets; i++) {
			if (p == c->plan && i == n)
				return;
			if (strcmp(p->mac[i], c->plan->mac[n]) == 0)
				check_fail(c, DIAG_MAC_TWICE, SYMBOL(c, "NET%u_MAC", n),
					   "use %s: VM%u's network interface %u has it", p->mac[i],
					   slot, i);
		}
	}
}

void check_nets(const struct check *c)
{
	for (unsigned n = 0; n < c->plan->nets; n++) {
		if (!has_bridge(c, c->vm->net[n].bridge))
			check_fail(c, DIAG_BRIDGE_NONE, SYMBOL(c, "NET%u_BRIDGE", n),
				   "join bridge %s: no HOST_BRIDGE has that name",
				   c->vm->net[n].bridge);
		if (c->plan->mac[n][0])
			check_address(c, n);
		else
			check_fail(c, DIAG_UUID_NONE, SYMBOL(c, "NET%u_MAC", n),
				   "find an Ethernet address: neither it nor the VM's UUID is set");
	}
}
