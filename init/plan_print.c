/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan's settings and tables, for 80 columns. */
#include "plan_print.h"

#include <inttypes.h>

#include "kind.h"
#include "manifest.h"
#include "table.h"
#include "util.h"

static struct table table;

/* --- words --- */

char plan_mark(bool set, bool guess)
{
	if (set)
		return PLAN_MARK_SET;
	return guess ? PLAN_MARK_GUESS : '\0';
}

const char *plan_label(const struct plan_device *device, char label[PLAN_LABEL])
{
	if (device->bdf[0])
		str_copy(label, PLAN_LABEL, device->bdf);
	else
		str_format(label, PLAN_LABEL, "%s VF %" PRId64, device->config->bdf,
			   device->config->vf);
	return label;
}

const char *plan_kind(const struct plan_device *device, char kind[PLAN_LABEL])
{
	const struct pci_fact *fact = device->fact ? device->fact : device->pf;

	str_format(kind, PLAN_LABEL, "%s%s", fact ? kind_of(fact->class) : "?",
		   device->config->vf == HV_NONE ? "" : " VF");
	return kind;
}

uint64_t plan_bar_bytes(const struct plan_device *device)
{
	uint64_t bytes = 0;

	for (unsigned bar = 0; device->fact && bar < FACTS_BARS; bar++)
		bytes += device->fact->bar[bar].bytes;
	return bytes;
}

const char *plan_bytes(uint64_t bytes, char text[PLAN_LABEL])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	size_t unit = 0;
	uint64_t tenths;

	while (unit + 1 < ARRAY_SIZE(units) && bytes >> (10 * (unit + 1)))
		unit++;
	/* Rounded up: what does not fit should not look as if it did. */
	tenths = unit ? ((bytes >> (10 * (unit - 1))) * 10 + 1023) >> 10 : bytes * 10;
	if (tenths % 10)
		str_format(text, PLAN_LABEL, "%" PRIu64 ".%u %s", tenths / 10,
			   (unsigned)(tenths % 10), units[unit]);
	else
		str_format(text, PLAN_LABEL, "%" PRIu64 " %s", tenths / 10, units[unit]);
	return text;
}

/* --- settings --- */

static void print_memory(const struct plan *plan, FILE *out)
{
	const struct vm_config *vm = plan->vm;
	char text[PLAN_LABEL];

	fprintf(out, "  %-9s %" PRId64 " MiB", "memory", vm->memory_mib);
	if (plan->pages)
		fprintf(out, " in %" PRIu64 " huge pages of %s", plan->pages,
			plan_bytes(plan_page_mib(vm) << 20, text));
	if (vm->numa_node != HV_NONE)
		fprintf(out, ", of NUMA node %" PRId64, vm->numa_node);
	fputc('\n', out);
	fprintf(out, "  %-9s %" PRIu64 " MiB at most, by QEMU\n", "locked", plan->memlock >> 20);
	fprintf(out, "  %-9s %" PRIu64 "%s MiB%s, %" PRIu64 "%s threads\n", "limits",
		plan->memory_max >> 20, vm->overhead_mib == HV_AUTO ? "" : "*",
		plan->pages ? " besides huge pages" : "", plan->tasks_max,
		vm->tasks_max == HV_AUTO ? "" : "*");
	fprintf(out, "  %-9s %" PRIu64 "%s GiB for 64-bit BARs\n", "window", plan->mmio64_gib,
		vm->mmio64_gib == HV_AUTO ? "" : "*");
}

static void print_cpus(const struct plan *plan, FILE *out)
{
	unsigned host = cpulist_count(&plan->cpus);
	bool own = host == plan->vm->cpus;
	char text[CPULIST_TEXT];

	fprintf(out, "  %-9s %" PRId64 ", %s%s\n", "CPUs", plan->vm->cpus,
		!host ? "on any of the host's" :
		own   ? "each on its own of the host's " :
			"together on the host's ",
		host ? cpulist_print(&plan->cpus, text) : "");
}

static void print_start(const struct vm_config *vm, FILE *out)
{
	static const char *const again[] = {
		[VM_RESTART_NEVER] = "not started again",
		[VM_RESTART_ON_FAILURE] = "again after a failure",
		[VM_RESTART_ALWAYS] = "again whenever it ends",
	};

	fprintf(out, "  %-9s ", "start");
	if (vm->autostart)
		fprintf(out, "at boot, order %" PRId64, vm->start_order);
	else
		fputs("by hand", out);
	fprintf(out, "; %s; %" PRId64 " s to shut down\n", again[vm->restart], vm->stop_timeout);
}

/* Names of what the firmware tries with this number. */
static void print_bootindex(const struct plan *plan, int64_t number, const char **between,
			    FILE *out)
{
	for (unsigned i = 0; i < plan->devices; i++)
		if (plan->device[i].config->bootindex == number && !plan->device[i].absent) {
			fprintf(out, "%shostdev%u", *between, plan->device[i].slot);
			*between = ", ";
		}
	for (unsigned i = 0; i < plan->disks; i++)
		if (plan->vm->disk[i].bootindex == number) {
			fprintf(out, "%sdisk%u", *between, i);
			*between = ", ";
		}
	for (unsigned i = 0; i < plan->nets; i++)
		if (plan->vm->net[i].bootindex == number) {
			fprintf(out, "%snet%u", *between, i);
			*between = ", ";
		}
}

static void print_boot(const struct plan *plan, FILE *out)
{
	const char *between = "the firmware tries ";

	fprintf(out, "  %-9s ", "boot");
	if (plan->vm->kernel[0]) {
		fprintf(out, "%s\n", plan->vm->kernel);
		return;
	}
	for (int64_t number = 0; number <= 99; number++)
		print_bootindex(plan, number, &between, out);
	if (between[0] == ',')
		fputs(", then the rest\n", out);
	else
		fputs("the firmware tries all it finds\n", out);
}

static void print_emulated(const struct plan *plan, FILE *out)
{
	char name[16];

	for (unsigned i = 0; i < plan->disks; i++) {
		const struct disk_config *disk = &plan->vm->disk[i];

		str_format(name, sizeof(name), "disk%u", i);
		fprintf(out, "  %-9s %s%s, %s\n", name,
			disk->format == DISK_FORMAT_RAW ? "raw" : "qcow2",
			disk->readonly ? ", read-only" : "", disk->path);
	}
	for (unsigned i = 0; i < plan->nets; i++) {
		const struct net_config *net = &plan->vm->net[i];

		str_format(name, sizeof(name), "net%u", i);
		fprintf(out, "  %-9s on %s, ", name, net->bridge);
		if (plan->mac[i][0])
			fprintf(out, "%s%s\n", plan->mac[i], net->mac[0] ? "*" : "");
		else
			fprintf(out, "no address: set VM%u_UUID or VM%u_NET%u_MAC\n", plan->slot,
				plan->slot, i);
	}
}

static void print_notes(const struct plan *plan, FILE *out)
{
	char label[PLAN_LABEL];

	for (unsigned i = 0; i < plan->devices; i++) {
		const struct plan_device *d = &plan->device[i];

		if (d->absent)
			fprintf(out, "  %-9s %s is not there, the VM starts without it\n",
				"optional", plan_label(d, label));
		else if (d->gi_nodes)
			fprintf(out, "  %-9s %u%s more NUMA nodes, for %s\n", "initiator",
				d->gi_nodes, d->config->gi_nodes == HV_AUTO ? "" : "*",
				plan_label(d, label));
	}
}

/* --- tables --- */

/* A number that is none, or not known, has a sign in its place. */
static void number_cell(char mark, int number)
{
	if (number < 0)
		table_cell(&table, '\0', "-");
	else
		table_cell(&table, mark, "%d", number);
}

static void host_row(const struct plan_device *d)
{
	bool by_hand = strcmp(d->config->driver, "auto") != 0;
	char text[PLAN_LABEL];

	table_row(&table);
	table_cell(&table, '\0', "%u", d->slot);
	table_cell(&table, '\0', "%s", plan_label(d, text));
	table_cell(&table, '\0', "%s", plan_kind(d, text));
	if (d->fact) {
		number_cell('\0', d->fact->group);
		number_cell('\0', d->fact->node);
		table_cell(&table, '\0', "%s", plan_bytes(plan_bar_bytes(d), text));
	} else {
		for (unsigned i = 0; i < 3; i++)
			table_cell(&table, '\0', "?");
	}
	table_cell(&table, by_hand ? PLAN_MARK_SET : '\0', "%s",
		   by_hand || d->fact ? plan_driver(d) : "?");
}

/* The device as the host has it. */
static void print_on_host(const struct plan *plan, FILE *out)
{
	static const struct table_column columns[] = {
		{ "#", true },	  { "DEVICE", false }, { "KIND", false },   { "GROUP", true },
		{ "NODE", true }, { "BARS", true },    { "DRIVER", false },
	};

	table_begin(&table, columns, ARRAY_SIZE(columns));
	for (unsigned i = 0; i < plan->devices; i++)
		host_row(&plan->device[i]);
	table_print(&table, out);
}

static void port_cells(const struct plan *plan, const struct plan_port *port)
{
	struct port_config by_hand = plan_port_config(plan, port);

	table_cell(&table, plan_mark(by_hand.index != HV_AUTO, false), "pci.%d", port->index);
	number_cell(plan_mark(by_hand.chassis != HV_AUTO, false), port->chassis);
	number_cell(plan_mark(by_hand.nr != HV_AUTO, false), port->nr);
	if (port->function)
		table_cell(&table, PLAN_MARK_SET, "%d.%d", port->addr, port->function);
	else
		number_cell(plan_mark(by_hand.addr != HV_AUTO, false), port->addr);
}

static void guest_row(const struct plan *plan, const struct plan_device *d)
{
	const char *smmu = plan_smmu(d);
	bool by_hand = d->config->vsmmu != HV_AUTO;
	char text[PLAN_LABEL];

	table_row(&table);
	table_cell(&table, '\0', "%s", plan_label(d, text));
	table_cell(&table, '\0', "%s", !smmu ? "?" : smmu[0] ? smmu : "-");
	if (d->vsmmu >= 0) {
		const struct plan_vsmmu *v = &plan->vsmmu[d->vsmmu];

		number_cell(plan_mark(by_hand, !smmu), d->vsmmu);
		number_cell(plan_mark(v->config->bus_nr != HV_AUTO, !smmu), v->bus_nr);
	} else {
		table_cell(&table, plan_mark(by_hand, false), "-");
		number_cell('\0', d->vsmmu == PLAN_ROOT ? 0 : PLAN_NONE);
	}
	if (d->port != PLAN_NONE)
		port_cells(plan, &plan->port[d->port]);
	else
		for (unsigned i = 0; i < 4; i++)
			table_cell(&table, '\0', "-");
}

/* What stands before the device on the host, and where it is in the guest. */
static void print_in_guest(const struct plan *plan, FILE *out)
{
	static const struct table_column columns[] = {
		{ "DEVICE", false }, { "PHYSICAL SMMU", false }, { "VSMMU", true },
		{ "BUS", true },     { "PORT", false },		 { "CHAS", true },
		{ "NR", true },	     { "SLOT", true },
	};

	table_begin(&table, columns, ARRAY_SIZE(columns));
	for (unsigned i = 0; i < plan->devices; i++)
		guest_row(plan, &plan->device[i]);
	table_print(&table, out);
}

void plan_print(const struct plan *plan, FILE *out)
{
	fprintf(out, "%s (VM %u)\n", plan->vm->name, plan->slot);
	print_memory(plan, out);
	print_cpus(plan, out);
	print_start(plan->vm, out);
	print_boot(plan, out);
	print_emulated(plan, out);
	print_notes(plan, out);
	if (plan->devices) {
		fputc('\n', out);
		print_on_host(plan, out);
		fputc('\n', out);
		print_in_guest(plan, out);
	}
	fputc('\n', out);
	plan_print_tree(plan, out);
}
