/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices of the host: whether they are there, free, whole and the VM's alone. */
#include "check_private.h"

#include <inttypes.h>

#include "manifest.h"
#include "use.h"
#include "util.h"
#include "variant.h"

enum { CLASS_STORAGE = 0x01 }; /* base class (PCI Code and ID Assignment) */

static const char *hostdev(const struct check *c, const struct plan_device *d, const char *last,
			   char name[DIAG_SUBJECT])
{
	return check_symbol(c, name, "HOSTDEV%u_%s", d->slot, last);
}

#define HOSTDEV(c, d, last) hostdev(c, d, last, (char[DIAG_SUBJECT]){ 0 })

/* What to call it: a virtual function has no address before it is on. */
static const char *device_name(const struct plan_device *d, char name[48])
{
	if (d->config->vf == HV_NONE)
		str_copy(name, 48, d->config->bdf);
	else
		str_format(name, 48, "virtual function %" PRId64 " of %s", d->config->vf,
			   d->config->bdf);
	return name;
}

#define NAME(d) device_name(d, (char[48]){ 0 })

/* --- the same device twice --- */

static bool is_same(const struct plan_device *a, const struct plan_device *b)
{
	if (a->config->vf == b->config->vf && strcmp(a->config->bdf, b->config->bdf) == 0)
		return true;
	return a->bdf[0] && strcmp(a->bdf, b->bdf) == 0;
}

/* The address of a virtual function's physical function, or "". */
static const char *parent(const struct plan_device *d)
{
	if (d->config->vf != HV_NONE)
		return d->config->bdf;
	return d->fact ? d->fact->pf : "";
}

static void check_pair(const struct check *c, const struct plan_device *d, const struct plan *other,
		       const struct plan_device *e)
{
	if (is_same(d, e))
		check_fail(c, DIAG_DEV_TWICE, HOSTDEV(c, d, "BDF"),
			   "%s is given to VM%u_HOSTDEV%u_BDF already", NAME(d), other->slot,
			   e->slot);
	else if (strcmp(parent(d), e->bdf) == 0 && e->bdf[0])
		check_fail(c, DIAG_PF_GIVEN, HOSTDEV(c, d, "BDF"),
			   "%s cannot work: VM%u_HOSTDEV%u_BDF gives its physical function away",
			   NAME(d), other->slot, e->slot);
	else if (strcmp(parent(e), d->bdf) == 0 && d->bdf[0])
		check_fail(c, DIAG_PF_GIVEN, HOSTDEV(c, d, "BDF"),
			   "give %s away: VM%u_HOSTDEV%u_BDF has a virtual function of it", NAME(d),
			   other->slot, e->slot);
}

static void check_twice(const struct check *c, const struct plan_device *d)
{
	for (unsigned slot = 0; slot <= c->plan->slot; slot++) {
		const struct plan *other = check_other(c, slot);

		for (unsigned i = 0; other && i < other->devices; i++) {
			if (other == c->plan && &other->device[i] == d)
				break;
			check_pair(c, d, other, &other->device[i]);
		}
	}
}

/* --- virtual functions --- */

/* How many of the physical function's the manifest wants turned on; a number set by hand counts. */
static int64_t wanted_vfs(const struct check *c, const char *pf)
{
	int64_t most = 0;

	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		const struct plan *p = check_other(c, slot);

		for (unsigned i = 0; p && i < p->devices; i++) {
			const struct hostdev_config *h = p->device[i].config;

			if (h->vf == HV_NONE || strcmp(h->bdf, pf) != 0)
				continue;
			if (h->vfs != HV_AUTO)
				return h->vfs;
			if (h->vf + 1 > most)
				most = h->vf + 1;
		}
	}
	return most;
}

static void check_vf_count(const struct check *c, const struct plan_device *d)
{
	int64_t wanted = wanted_vfs(c, d->config->bdf);
	int64_t total = d->pf ? d->pf->vfs_total : 0;

	if (d->config->vfs != HV_AUTO && d->config->vfs != wanted)
		check_fail(c, DIAG_VF_COUNT, HOSTDEV(c, d, "VFS"),
			   "turn on %" PRId64 ": another slot wants %" PRId64
			   " virtual functions of %s",
			   d->config->vfs, wanted, d->config->bdf);
	if (d->config->vf >= wanted)
		check_fail(c, DIAG_VF_COUNT, HOSTDEV(c, d, "VF"),
			   "give virtual function %" PRId64 " of %s: only %" PRId64
			   " are turned on, counted from 0",
			   d->config->vf, d->config->bdf, wanted);
	else if (total && wanted > total)
		check_fail(c, DIAG_VF_COUNT,
			   HOSTDEV(c, d, d->config->vfs == HV_AUTO ? "VF" : "VFS"),
			   "turn on %" PRId64 " virtual functions of %s: it has %" PRId64, wanted,
			   d->config->bdf, total);
}

/* Only a driver of its own can turn a device's virtual functions on. */
static void check_pf_driver(const struct check *c, const struct plan_device *d)
{
	if (d->pf->driver[0] && (c->set->prepared || check_loads(c->set, d->pf->driver)))
		return;
	check_fail(c, DIAG_DRV_MISSING, HOSTDEV(c, d, "BDF"),
		   "turn on virtual functions of %s: its driver%s%s is not among HOST_MODULES",
		   d->config->bdf, d->pf->driver[0] ? " " : "", d->pf->driver);
}

static void check_vf(const struct check *c, const struct plan_device *d)
{
	check_vf_count(c, d);
	if (!d->pf)
		return;
	if (d->pf->vfs_total == 0) {
		check_fail(c, DIAG_VF_NONE, HOSTDEV(c, d, "VF"),
			   "give virtual function %" PRId64 " of %s: it has none (no SR-IOV)",
			   d->config->vf, d->config->bdf);
		return;
	}
	check_pf_driver(c, d);
	if (c->set->prepared && !d->fact)
		check_fail(c, DIAG_VF_NONE, HOSTDEV(c, d, "VF"),
			   "give virtual function %" PRId64 " of %s: it is not turned on",
			   d->config->vf, d->config->bdf);
}

/* --- groups --- */

/* The slot of the VM that has the device, or -1. */
static int owner(const struct check *c, const char *bdf)
{
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++) {
		const struct plan *p = check_other(c, slot);

		for (unsigned i = 0; p && i < p->devices; i++)
			if (strcmp(p->device[i].bdf, bdf) == 0)
				return (int)slot;
	}
	return -1;
}

/* What the kernel lets a device of the group have beside those that VFIO uses. */
static bool leaves_group_alone(const char *driver)
{
	return driver[0] == '\0' || strstr(driver, "vfio") || strcmp(driver, "pci-stub") == 0;
}

/*
 * Whether the device is on its driver under hvinit, too, and not only under the system that the
 * machine was looked at with: hvinit loads no driver that HOST_MODULES does not name.
 */
static bool meets_driver(const struct check *c, const struct pci_fact *device)
{
	return c->facts->hvinit == KNOWN_YES || c->set->prepared ||
	       check_loads(c->set, device->driver);
}

static void check_peer(const struct check *c, const struct plan_device *d,
		       const struct pci_fact *peer)
{
	int vm = owner(c, peer->bdf);

	if (vm >= 0 && vm != (int)c->plan->slot)
		check_fail(c, DIAG_GRP_PEERS, d->bdf,
			   "use IOMMU group %d: %s of the same group is given to %s", peer->group,
			   peer->bdf, c->config->vm[vm].name);
	else if (vm < 0 && !leaves_group_alone(peer->driver) && meets_driver(c, peer))
		check_fail(c, DIAG_GRP_PEERS, d->bdf,
			   "use IOMMU group %d: %s of the same group is held by the driver %s",
			   peer->group, peer->bdf, peer->driver);
	else if (vm < 0 && !leaves_group_alone(peer->driver) && c->config->host.modules[0])
		diag_warn(
			c->diag, (int)c->plan->slot, DIAG_GRP_PEERS, d->bdf,
			"use IOMMU group %d: %s of the same group was held by the driver %s, which "
			"HOST_MODULES do not name but could need",
			peer->group, peer->bdf, peer->driver);
}

/*
 * The kernel gives a group to one owner: a peer on a host driver makes the whole group unusable,
 * and of two VMs only one could ever run.
 */
static void check_group(const struct check *c, const struct plan_device *d)
{
	for (unsigned i = 0; i < c->facts->count; i++) {
		const struct pci_fact *peer = &c->facts->device[i];

		if (peer->group == d->fact->group && !peer->bridge && peer != d->fact)
			check_peer(c, d, peer);
	}
}

/* --- what the host stands on --- */

static void check_uplinks(const struct check *c, const struct plan_device *d)
{
	for (unsigned i = 0; i < HV_BRIDGE_SLOTS; i++) {
		const struct bridge_config *b = &c->config->host.bridge[i];

		if (manifest_bridge_used(b) && d->bdf[0] && strcmp(b->uplink_bdf, d->bdf) == 0)
			check_fail(c, DIAG_DEV_HOST, HOSTDEV(c, d, "BDF"),
				   "give %s away: HOST_BRIDGE%u_UPLINK_BDF has it as its uplink",
				   NAME(d), i);
	}
}

/*
 * A disk that is reserved for a VM has no partitions for the host to see. So where the state
 * partition is not to be seen at all, any such disk may have it.
 */
static bool may_have_state(const struct check *c, const struct plan_device *d)
{
	const char *label = c->config->host.state_partlabel;
	char bdf[SYS_BDF];

	return label[0] && c->set->prepared && !c->facts->recorded && c->set->root >= 0 &&
	       d->fact->class >> 16 == CLASS_STORAGE && !use_partition(c->set->root, label, bdf);
}

static void check_use(const struct check *c, const struct plan_device *d)
{
	const char *label = c->config->host.state_partlabel;
	char bdf[SYS_BDF];

	if (d->config->force)
		return;
	/* A network that is up under another system says nothing about hvinit's own boot. */
	if (d->fact->use[0] && c->facts->hvinit != KNOWN_YES && !c->set->prepared &&
	    str_prefix(d->fact->use, "network "))
		diag_warn(c->diag, (int)c->plan->slot, DIAG_DEV_HOST, HOSTDEV(c, d, "BDF"),
			  "give %s away: %s where the record was made", NAME(d), d->fact->use);
	else if (d->fact->use[0])
		check_fail(c, DIAG_DEV_HOST, HOSTDEV(c, d, "BDF"),
			   "give %s away: the host needs it (%s)", NAME(d), d->fact->use);
	else if (label[0] && c->set->root >= 0 && !c->facts->recorded &&
		 use_partition(c->set->root, label, bdf) && strcmp(bdf, d->bdf) == 0)
		check_fail(c, DIAG_DEV_HOST, HOSTDEV(c, d, "BDF"),
			   "give %s away: the state partition %s is on it", NAME(d), label);
	else if (may_have_state(c, d))
		check_fail(
			c, DIAG_DEV_HOST, HOSTDEV(c, d, "BDF"),
			"give %s away: the state partition %s is on no disk that the host has, so it "
			"may be on this one",
			NAME(d), label);
}

/* --- the device itself --- */

static void check_iommu(const struct check *c, const struct plan_device *d)
{
	if (!d->fact->smmu[0] || d->fact->group == FACTS_NO_GROUP)
		check_fail(c, DIAG_IOMMU_OFF, HOSTDEV(c, d, "BDF"),
			   "assign %s: no SMMU stands before it", NAME(d));
	else
		check_group(c, d);
	if (d->fact->direct == KNOWN_YES)
		check_fail(c, DIAG_RMR_DIRECT, HOSTDEV(c, d, "BDF"),
			   "assign %s: its firmware wants memory mapped 1:1 for it", NAME(d));
}

static void check_reset(const struct check *c, const struct plan_device *d)
{
	if (!d->fact->reset[0])
		check_fail(c, DIAG_RESET_NONE, d->bdf,
			   "reset it between two guests: it has no way to be reset");
}

/* What counts is the driver at the start of the VM; before that there is time to change it. */
static void check_unmanaged(const struct check *c, const struct plan_device *d)
{
	char text[DIAG_TEXT];

	if (!d->fact || strstr(d->fact->driver, "vfio"))
		return;
	str_format(text, sizeof(text), "leave %s as it is: it has %s%s, and needs a VFIO driver",
		   NAME(d), d->fact->driver[0] ? "the driver " : "no driver", d->fact->driver);
	if (c->set->prepared)
		check_fail(c, DIAG_UNMANAGED, HOSTDEV(c, d, "MANAGED"), "%s", text);
	else
		diag_warn(c->diag, (int)c->plan->slot, DIAG_UNMANAGED, HOSTDEV(c, d, "MANAGED"),
			  "%s", text);
}

/* The bus has it, or a module that claim_bind() would load; '-' and '_' are alike to it. */
static bool is_listed(const struct facts *facts, const char *driver)
{
	for (unsigned i = 0; i < facts->drivers; i++)
		if (variant_same(facts->driver[i].name, driver))
			return true;
	return false;
}

/*
 * What hvinit's own system lists is all that there is, and what the image lacks it will not have.
 * Otherwise a driver that is not listed may be there all the same.
 */
static void check_listed(const struct check *c, const struct plan_device *d, const char *driver)
{
	const struct filelist *files = c->set->files;
	bool foreign = check_is_foreign(c->set);

	if (files && filelist_has_module(files, driver))
		return;
	/* The best driver of another kernel, and the one that every kernel of hvinit's has. */
	if (foreign &&
	    (strcmp(d->config->driver, "auto") == 0 || variant_same(driver, FACTS_VARIANT)))
		return;
	if (is_listed(c->facts, driver) && !(foreign && files))
		return;
	if (files || c->set->prepared || c->facts->hvinit == KNOWN_YES)
		check_fail(c, DIAG_DRV_NAME, HOSTDEV(c, d, "DRIVER"),
			   "bind %s to %s: no such PCI driver", NAME(d), driver);
	else
		diag_warn(c->diag, (int)c->plan->slot, DIAG_DRV_NAME, HOSTDEV(c, d, "DRIVER"),
			  "bind %s to %s: no such PCI driver where the record was made", NAME(d),
			  driver);
}

static void check_driver(const struct check *c, const struct plan_device *d)
{
	const char *driver = plan_driver(d);

	if (!d->config->managed) {
		check_unmanaged(c, d);
		return;
	}
	if (strcmp(driver, "auto") == 0)
		return; /* a virtual function that is not on yet */
	if (!strstr(driver, "vfio"))
		check_fail(c, DIAG_DRV_HOST, HOSTDEV(c, d, "DRIVER"),
			   "bind %s to %s: it is no VFIO driver", NAME(d), driver);
	else
		check_listed(c, d, driver);
}

static void check_present(const struct check *c, const struct plan_device *d)
{
	if (d->fact && d->fact->bridge) {
		check_fail(c, DIAG_DEV_BRIDGE, HOSTDEV(c, d, "BDF"), "assign %s: it is a bridge",
			   NAME(d));
		return;
	}
	if (!d->fact && !d->pf->smmu[0])
		check_fail(c, DIAG_IOMMU_OFF, HOSTDEV(c, d, "BDF"),
			   "assign %s: no SMMU stands before its physical function", NAME(d));
	if (d->fact) {
		check_iommu(c, d);
		check_use(c, d);
		check_reset(c, d);
	}
	check_driver(c, d);
}

static void check_device(const struct check *c, const struct plan_device *d)
{
	check_twice(c, d);
	check_uplinks(c, d);
	if (d->config->vf != HV_NONE)
		check_vf(c, d);
	if (d->absent || !c->set->machine)
		return;
	if (!d->fact && !d->pf)
		check_fail(c, DIAG_DEV_NONE, HOSTDEV(c, d, "BDF"), "find %s: no such PCI device",
			   d->config->bdf);
	else
		check_present(c, d);
}

void check_devices(const struct check *c)
{
	if (c->facts->dropped && c->plan->devices)
		check_fail(c, DIAG_DEV_MANY, c->vm->name,
			   "look at the PCI devices: %u are more than hvinit can hold (%d)",
			   c->facts->dropped, FACTS_DEVICES);
	for (unsigned i = 0; i < c->plan->devices; i++)
		check_device(c, &c->plan->device[i]);
}
