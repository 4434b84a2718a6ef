/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Gives devices group by group: the kernel lets nobody have a part of one. */
#include "record.h"

#include "symbols.h"
#include "util.h"

enum { CLASS_BRIDGE = 0x06, REASON = 128 };

struct fragment {
	const struct facts *facts;
	unsigned slots; /* given so far */
	unsigned left_out;
	unsigned smmus; /* that stand before them */
	const char *smmu[HV_VSMMU_SLOTS];
};

/* Bridges of any kind, a root complex's own function among them, are nobody's to give. */
static bool is_device(const struct pci_fact *d)
{
	return !d->bridge && d->class >> 16 != CLASS_BRIDGE;
}

/* Why the device itself cannot be given; NULL when it can. */
static const char *refusal(const struct pci_fact *d, char reason[REASON])
{
	if (!d->smmu[0] || d->group == FACTS_NO_GROUP)
		return "no SMMU stands before it";
	if (d->direct == KNOWN_YES)
		return "firmware wants it mapped one to one";
	if (d->pf[0] && d->vf == FACTS_NO_VF)
		return "it is a virtual function, and not known which";
	if (d->vfs)
		return "its virtual functions are on";
	if (!d->use[0])
		return NULL;
	str_format(reason, REASON, "the host uses it: %s", d->use);
	return reason;
}

static bool has_smmu(const struct fragment *f, const char *smmu)
{
	for (unsigned i = 0; i < f->smmus; i++)
		if (strcmp(f->smmu[i], smmu) == 0)
			return true;
	return false;
}

/* Why the device's group cannot be given; NULL when it can. */
static const char *group_refusal(const struct fragment *f, const struct pci_fact *d,
				 char reason[REASON])
{
	unsigned slots = f->slots;
	char inner[REASON];

	for (unsigned i = 0; i < f->facts->count; i++) {
		const struct pci_fact *peer = &f->facts->device[i];

		if (peer->group != d->group || !is_device(peer))
			continue;
		slots++;
		if (!refusal(peer, inner))
			continue;
		str_format(reason, REASON, "%s of its IOMMU group cannot be given", peer->bdf);
		return reason;
	}
	if (slots > HV_HOSTDEV_SLOTS)
		return "VM 0 has no slot left for its IOMMU group";
	if (f->smmus == HV_VSMMU_SLOTS && !has_smmu(f, d->smmu))
		return "VM 0 has no vSMMU left";
	return NULL;
}

static bool is_first_of_group(const struct fragment *f, const struct pci_fact *d)
{
	for (const struct pci_fact *other = f->facts->device; other < d; other++)
		if (other->group == d->group && is_device(other))
			return false;
	return true;
}

static void print_device(const struct pci_fact *d, FILE *out)
{
	fprintf(out, "%s (%04x:%04x, class 0x%06x", d->bdf, d->vendor, d->device, d->class);
	if (d->smmu[0])
		fprintf(out, ", %s", d->smmu);
	if (d->group != FACTS_NO_GROUP)
		fprintf(out, ", group %d", d->group);
	fputc(')', out);
}

/* A virtual function has an address only as long as it is on: it is named by its PF. */
static void give(struct fragment *f, const struct pci_fact *d, FILE *out)
{
	const struct pci_fact *pf = d->pf[0] ? facts_find(f->facts, d->pf) : NULL;

	fputs("# ", out);
	print_device(d, out);
	fprintf(out, "\nVM0_HOSTDEV%u_BDF=\"%s\"\n", f->slots, d->pf[0] ? d->pf : d->bdf);
	if (d->pf[0])
		fprintf(out, "VM0_HOSTDEV%u_VF=\"%d\"\n", f->slots, d->vf);
	if (pf && pf->vfs)
		fprintf(out, "VM0_HOSTDEV%u_VFS=\"%u\"\n", f->slots, pf->vfs);
	f->slots++;
}

static void leave_out(struct fragment *f, const struct pci_fact *d, const char *why, FILE *out)
{
	fputs("# left out: ", out);
	print_device(d, out);
	fprintf(out, ": %s\n", why);
	f->left_out++;
}

/* Gives the group of its first device, or tells of each of its devices why not. */
static void take_group(struct fragment *f, const struct pci_fact *first, FILE *out)
{
	char reason[REASON];
	char own[REASON];
	const char *why = group_refusal(f, first, reason);

	if (!why && !has_smmu(f, first->smmu))
		f->smmu[f->smmus++] = first->smmu;
	for (const struct pci_fact *d = first; d < f->facts->device + f->facts->count; d++) {
		const char *of_device = refusal(d, own);

		if (d->group != first->group || !is_device(d))
			continue;
		if (why)
			leave_out(f, d, of_device ? of_device : why, out);
		else
			give(f, d, out);
	}
}

void record_kconfig(const struct facts *facts, FILE *out)
{
	struct fragment f = { .facts = facts };
	char reason[REASON];

	fputs("# Every device that VM 0 can have, for a .config in which VM0_NAME is set:\n"
	      "#   kconfig-merge -m .config THIS-FILE && make olddefconfig\n",
	      out);
	for (unsigned i = 0; i < facts->count; i++) {
		const struct pci_fact *d = &facts->device[i];

		if (!is_device(d))
			continue;
		if (d->group == FACTS_NO_GROUP)
			leave_out(&f, d, refusal(d, reason), out);
		else if (is_first_of_group(&f, d))
			take_group(&f, d, out);
	}
	/* An empty slot ends the list: a .config that had more devices must not keep them. */
	if (f.slots < HV_HOSTDEV_SLOTS)
		fprintf(out, "VM0_HOSTDEV%u_BDF=\"\"\n", f.slots);
	fprintf(out, "# given: %u of %d slots; left out: %u\n", f.slots, HV_HOSTDEV_SLOTS,
		f.left_out);
}
