/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bridges of the host and the taps on them. The host itself has no address on any of them. */
#ifndef HVINIT_NET_H
#define HVINIT_NET_H

#include <stdint.h>

#include "diag.h"
#include "symbols.h"

enum { NET_NAME = 16 }; /* IFNAMSIZ, the zero included */

/* A tap to be made. */
struct tap {
	char name[NET_NAME];
	const char *bridge;
	int64_t mtu; /* bytes; HV_AUTO: as the kernel has it */
};

/*
 * Makes the tap, which lives as long as its descriptor is open, sets it up and puts it on its
 * bridge. Returns the descriptor (close-on-exec, the caller's), or a negative errno with the step
 * that failed in *step.
 */
int net_open_tap(int root, const struct tap *tap, const char **step);

/*
 * Sets the network interface of a PCI device up. 0, also when it has none, or a negative errno.
 */
int net_set_up(int root, const char *bdf);

/*
 * Makes the manifest's bridges and joins their uplinks, which have until deadline_us
 * (boottime_us()) to appear. What fails is a finding about the host.
 */
void net_make_bridges(int root, const struct config *config, uint64_t deadline_us,
		      struct diag *diag);

#endif
