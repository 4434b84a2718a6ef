/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device is a VM's, or the host's for a reason, or nobody's. */
#include "inventory.h"

#include "kind.h"
#include "manifest.h"
#include "util.h"

/* A slot of the manifest. */
struct owner {
	unsigned vm;
	unsigned slot;
};

/* A slot names a device itself, or a virtual function by its physical one and its number. */
static bool names(const struct hostdev_config *hostdev, const struct pci_fact *fact)
{
	if (hostdev->vf == HV_NONE)
		return strcmp(hostdev->bdf, fact->bdf) == 0;
	return hostdev->vf == fact->vf && strcmp(hostdev->bdf, fact->pf) == 0;
}

static bool find_owner(const struct config *config, const struct pci_fact *fact,
		       struct owner *owner)
{
	for (unsigned vm = 0; vm < HV_VM_SLOTS; vm++)
		for (unsigned slot = 0; slot < HV_HOSTDEV_SLOTS; slot++)
			if (manifest_vm_used(&config->vm[vm]) &&
			    names(&config->vm[vm].hostdev[slot], fact)) {
				*owner = (struct owner){ vm, slot };
				return true;
			}
	return false;
}

/* --- for people --- */

/* Widths of the columns whose contents have no fixed size. */
struct widths {
	int kind;
	int driver;
	int vm;
};

static void widen(int *width, const char *text)
{
	if ((int)strlen(text) > *width)
		*width = (int)strlen(text);
}

static struct widths measure(const struct config *config, const struct facts *facts)
{
	struct widths widths = { .kind = sizeof("KIND") - 1,
				 .driver = sizeof("DRIVER") - 1,
				 .vm = sizeof("VM") - 1 };

	for (unsigned i = 0; i < facts->count; i++) {
		widen(&widths.kind, kind_of(facts->device[i].class));
		widen(&widths.driver, facts->device[i].driver);
	}
	for (unsigned vm = 0; vm < HV_VM_SLOTS; vm++)
		widen(&widths.vm, config->vm[vm].name);
	return widths;
}

static void print_device(const struct config *config, const struct pci_fact *d,
			 const struct widths *widths, FILE *out)
{
	struct owner owner;
	char group[16] = "-";

	if (d->group != FACTS_NO_GROUP)
		str_format(group, sizeof(group), "%d", d->group);
	fprintf(out, "%-12s %04x:%04x %-*s %5s %-*s %-*s %s", d->bdf, d->vendor, d->device,
		widths->kind, kind_of(d->class), group, widths->driver,
		d->driver[0] ? d->driver : "-", widths->vm,
		find_owner(config, d, &owner) ? config->vm[owner.vm].name : "-",
		d->smmu[0] ? d->smmu : "-");
	if (d->pf[0])
		fprintf(out, ", VF %d of %s", d->vf, d->pf);
	if (d->use[0])
		fprintf(out, ", the host's: %s", d->use);
	fputc('\n', out);
}

void inventory_print(const struct config *config, const struct facts *facts, FILE *out)
{
	struct widths widths = measure(config, facts);

	fprintf(out, "%-12s %-9s %-*s %5s %-*s %-*s %s\n", "DEVICE", "ID", widths.kind, "KIND",
		"GROUP", widths.driver, "DRIVER", widths.vm, "VM", "PHYSICAL SMMU");
	for (unsigned i = 0; i < facts->count; i++)
		print_device(config, &facts->device[i], &widths, out);
	if (facts->dropped)
		fprintf(out, "%u more devices not shown\n", facts->dropped);
}

/* --- for programs --- */

static void hex(struct json *json, const char *key, unsigned digits, uint32_t number)
{
	char text[16];

	str_format(text, sizeof(text), "%0*x", (int)digits, number);
	json_string(json, key, text);
}

static void write_bars(const struct pci_fact *d, struct json *json)
{
	json_array(json, "bars");
	for (unsigned i = 0; i < FACTS_BARS; i++) {
		if (!d->bar[i].bytes)
			continue;
		json_object(json, NULL);
		json_number(json, "index", i);
		json_number(json, "bytes", (int64_t)d->bar[i].bytes);
		json_bool(json, "wide", d->bar[i].wide);
		json_bool(json, "prefetch", d->bar[i].prefetch);
		json_end(json);
	}
	json_end(json);
}

static void write_sriov(const struct pci_fact *d, struct json *json)
{
	json_object(json, "sriov");
	json_text(json, "physical_function", d->pf);
	json_count(json, "index", d->vf);
	json_number(json, "enabled", d->vfs);
	json_number(json, "total", d->vfs_total);
	json_end(json);
}

static void write_owner(const struct config *config, const struct pci_fact *d, struct json *json)
{
	struct owner owner;
	char symbol[32];

	if (!find_owner(config, d, &owner)) {
		json_null(json, "vm");
		json_null(json, "symbol");
		return;
	}
	str_format(symbol, sizeof(symbol), "VM%u_HOSTDEV%u", owner.vm, owner.slot);
	json_string(json, "vm", config->vm[owner.vm].name);
	json_string(json, "symbol", symbol);
}

static void write_device(const struct config *config, const struct pci_fact *d, struct json *json)
{
	json_object(json, NULL);
	json_string(json, "bdf", d->bdf);
	hex(json, "vendor", 4, d->vendor);
	hex(json, "device", 4, d->device);
	hex(json, "subvendor", 4, d->subvendor);
	hex(json, "subdevice", 4, d->subdevice);
	hex(json, "class", 6, d->class);
	json_string(json, "kind", kind_of(d->class));
	json_bool(json, "bridge", d->bridge);
	json_text(json, "driver", d->driver);
	json_text(json, "vfio_driver", d->variant);
	json_count(json, "group", d->group);
	json_text(json, "physical_smmu", d->smmu);
	json_count(json, "numa_node", d->node);
	json_number(json, "initiators", d->gi_nodes);
	write_bars(d, json);
	json_text(json, "reset", d->reset);
	if (d->direct == KNOWN_UNKNOWN)
		json_null(json, "direct");
	else
		json_bool(json, "direct", d->direct == KNOWN_YES);
	write_sriov(d, json);
	json_text(json, "use", d->use);
	write_owner(config, d, json);
	json_end(json);
}

void inventory_json(const struct config *config, const struct facts *facts, struct json *json)
{
	json_array(json, "devices");
	for (unsigned i = 0; i < facts->count; i++)
		write_device(config, &facts->device[i], json);
	json_end(json);
	json_number(json, "dropped", facts->dropped);
}
