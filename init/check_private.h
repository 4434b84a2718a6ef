/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the checker share; each of them holds the rules about one kind of thing. */
#ifndef HVINIT_CHECK_PRIVATE_H
#define HVINIT_CHECK_PRIVATE_H

#include "check.h"

/* One VM under examination. */
struct check {
	const struct check_set *set;
	const struct config *config;
	const struct facts *facts;
	const struct plan *plan;
	const struct vm_config *vm;
	struct diag *diag;
};

/* For the kernel, PID 1 and QEMU's own memory; init/kconfig/vm.in says so. */
enum { CHECK_RESERVED_MIB = 256 };

/* A finding about the VM; one that only foretells a refusal is a warning with START_ANYWAY. */
PRINTF_LIKE(4, 5)
void check_fail(const struct check *c, enum diag_code code, const char *subject, const char *fmt,
		...);

/* Writes "VM3_" and the rest of a symbol into name, and returns it. */
PRINTF_LIKE(3, 4)
const char *check_symbol(const struct check *c, char name[DIAG_SUBJECT], const char *fmt, ...);

/* The same where it is used once: SYMBOL(c, "DISK%u_PATH", i) lives as long as its block. */
#define SYMBOL(c, ...) check_symbol(c, (char[DIAG_SUBJECT]){ 0 }, __VA_ARGS__)

/* The plan of the VM in that slot, or NULL when there is none. */
static inline const struct plan *check_other(const struct check *c, unsigned slot)
{
	return c->set->plan[slot].vm ? &c->set->plan[slot] : NULL;
}

/*
 * Whether the machine was looked at under another system. What that one's kernel lacks or does says
 * little: hvinit brings its own.
 */
static inline bool check_is_foreign(const struct check_set *set)
{
	return set->facts->hvinit == KNOWN_NO && !set->prepared;
}

/*
 * Whether HOST_MODULES names the driver's module; '-' and '_' are alike there. A module that one of
 * those needs is loaded, too, which is not seen.
 */
bool check_loads(const struct check_set *set, const char *driver);

/* Whether the VM in that slot could start, its memory left aside: else it takes none. */
bool check_would_start(const struct check *c, unsigned slot);

/* The part of check_gaps() that is the host's. */
void check_bridge_gaps(const struct config *config, struct diag *diag);

/* Whether hvinit's own words give something that id (check_topology.c). */
bool check_is_our_id(const char *id);

/* The rules, a file for each; every one looks at the whole of its VM. */
void check_identity(const struct check *c);
void check_gaps(const struct check *c);
void check_boot(const struct check *c);
void check_args(const struct check *c);
void check_devices(const struct check *c);
void check_smmus(const struct check *c);
void check_topology(const struct check *c);
void check_disks(const struct check *c);
void check_nets(const struct check *c);
void check_cpus(const struct check *c);
void check_window(const struct check *c);
void check_pages(const struct check *c);
void check_node(const struct check *c);
void check_memory(const struct check *c);
void check_kernel(const struct check *c);

#endif
