/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan as a table and as a drawn tree. */
#include <inttypes.h>

#include "plan.h"
#include "util.h"

/* A number for a table, or "-" where there is none. */
static const char *cell(int number, char text[16])
{
	if (number < 0)
		return "-";
	str_format(text, 16, "%d", number);
	return text;
}

static const char *smmu_name(const struct plan_device *d)
{
	const struct pci_fact *fact = d->fact ? d->fact : d->pf;

	if (!fact)
		return "not there";
	return fact->smmu[0] ? fact->smmu : "no SMMU";
}

static void print_device(const struct plan *plan, const struct plan_device *d, FILE *out)
{
	static const struct plan_port no_port = { .index = PLAN_NONE,
						  .chassis = PLAN_NONE,
						  .addr = PLAN_NONE };
	const struct plan_port *port = d->port == PLAN_NONE ? &no_port : &plan->port[d->port];
	int group = d->fact ? d->fact->group : FACTS_NO_GROUP;
	char text[5][16];
	char name[16] = "-";

	if (port->index >= 0)
		str_format(name, sizeof(name), "pci.%d", port->index);
	fprintf(out, "  %-12s %5s  %-26s %5s  %3s  %-8s%7s %4s\n",
		d->bdf[0] ? d->bdf : d->config->bdf, cell(group, text[0]), smmu_name(d),
		cell(d->vsmmu, text[1]),
		cell(d->vsmmu < 0 ? PLAN_NONE : plan->vsmmu[d->vsmmu].bus_nr, text[2]), name,
		cell(port->chassis, text[3]), cell(port->addr, text[4]));
}

static void print_behind(const struct plan *plan, const struct plan_port *port, FILE *out)
{
	unsigned at = (unsigned)(port - plan->port);

	if (port->device != PLAN_NONE)
		fprintf(out, " ── hostdev%u %s", port->slot, plan->device[port->device].bdf);
	for (unsigned i = 0; i < plan->disks; i++)
		if (plan->disk[i].port == (int)at)
			fprintf(out, " ── disk%u %s", i, plan->vm->disk[i].path);
	for (unsigned i = 0; i < plan->nets; i++)
		if (plan->net[i].port == (int)at)
			fprintf(out, " ── net%u on %s", i, plan->vm->net[i].bridge);
	fputc('\n', out);
}

static void print_ports(const struct plan *plan, int bus, const char *indent, bool more, FILE *out)
{
	unsigned left = 0;

	for (unsigned i = 0; i < plan->ports; i++)
		left += plan->port[i].vsmmu == bus;
	for (unsigned i = 0; i < plan->ports; i++) {
		const struct plan_port *port = &plan->port[i];
		char function[16] = "";

		if (port->vsmmu != bus)
			continue;
		left--;
		if (port->function || port->multifunction)
			str_format(function, sizeof(function), ".%d", port->function);
		fprintf(out, "%s%s slot %d%s: root port pci.%d", indent, left || more ? "├─" : "└─",
			port->addr, function, port->index);
		print_behind(plan, port, out);
	}
}

static void print_vsmmu(const struct plan *plan, unsigned i, bool more, FILE *out)
{
	const struct plan_vsmmu *v = &plan->vsmmu[i];

	fprintf(out, "  %s slot %d: pxb-pcie pci.%d, bus %d, ", more ? "├─" : "└─", v->addr,
		v->pxb_index, v->bus_nr);
	if (v->config->accel)
		fprintf(out, "vSMMU %u = %s\n", i, v->smmu[0] ? v->smmu : "(unknown)");
	else
		fprintf(out, "vSMMU %u, emulated\n", i);
	print_ports(plan, (int)i, more ? "  │  " : "     ", false, out);
}

static unsigned count_on_root(const struct plan *plan)
{
	unsigned count = 0;

	for (unsigned i = 0; i < plan->ports; i++)
		count += plan->port[i].vsmmu == PLAN_ROOT;
	for (unsigned i = 0; i < plan->disks; i++)
		count += plan->disk[i].port == PLAN_ROOT;
	for (unsigned i = 0; i < plan->nets; i++)
		count += plan->net[i].port == PLAN_ROOT;
	return count;
}

static void print_emulated(const struct plan *plan, FILE *out)
{
	unsigned left = 0;

	for (unsigned i = 0; i < plan->disks; i++)
		left += plan->disk[i].port == PLAN_ROOT;
	for (unsigned i = 0; i < plan->nets; i++)
		left += plan->net[i].port == PLAN_ROOT;
	print_ports(plan, PLAN_ROOT, "  ", left, out);
	for (unsigned i = plan->nets; i-- > 0;)
		if (plan->net[i].port == PLAN_ROOT)
			fprintf(out, "  %s slot %d: net%u on %s, %s\n", --left ? "├─" : "└─",
				plan->net[i].addr, i, plan->vm->net[i].bridge,
				plan->mac[i][0] ? plan->mac[i] : "no address");
	for (unsigned i = plan->disks; i-- > 0;)
		if (plan->disk[i].port == PLAN_ROOT)
			fprintf(out, "  %s slot %d: disk%u %s\n", --left ? "├─" : "└─",
				plan->disk[i].addr, i, plan->vm->disk[i].path);
}

static void print_tree(const struct plan *plan, FILE *out)
{
	bool more = count_on_root(plan) > 0;

	fprintf(out, "  pcie.0\n");
	for (unsigned i = 0; i < plan->vsmmus; i++)
		print_vsmmu(plan, i, more || i + 1 < plan->vsmmus, out);
	print_emulated(plan, out);
}

void plan_print(const struct plan *plan, FILE *out)
{
	fprintf(out, "%s: VM %u, %" PRId64 " MiB, %" PRId64 " CPUs, locks up to %" PRIu64 " MiB\n",
		plan->vm->name, plan->slot, plan->vm->memory_mib, plan->vm->cpus,
		plan->memlock >> 20);
	if (plan->devices == 0) {
		fprintf(out, "  no devices\n");
	} else {
		fprintf(out, "  %-12s %5s  %-26s %5s  %3s  %-8s%7s %4s\n", "DEVICE", "GROUP",
			"PHYSICAL SMMU", "VSMMU", "BUS", "PORT", "CHASSIS", "SLOT");
		for (unsigned i = 0; i < plan->devices; i++)
			print_device(plan, &plan->device[i], out);
	}
	if (plan->vsmmus || count_on_root(plan))
		print_tree(plan, out);
}
