/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's PCI topology as a tree, in the order of its slots. */
#include "plan_print.h"
#include "util.h"

/*
 * Where things stand on a bus, in ascending order: the slots' functions, then those for which no
 * slot was left.
 */
enum { PLACES = (PLAN_SLOTS + 1) * PLAN_FUNCTIONS };

/* A bus that is being drawn. */
struct branch {
	FILE *out;
	const char *indent;
	unsigned left; /* things on it that are still to be drawn */
};

static unsigned place_of(int addr, int function)
{
	return (unsigned)(addr == PLAN_NONE ? PLAN_SLOTS : addr) * PLAN_FUNCTIONS +
	       (unsigned)function;
}

static const char *star(bool by_hand)
{
	return by_hand ? "*" : "";
}

/* "├─ slot 3.1*: " */
static void draw_slot(struct branch *branch, int addr, const char *function, bool by_hand)
{
	fprintf(branch->out, "%s%s ", branch->indent, --branch->left ? "├─" : "└─");
	if (addr == PLAN_NONE)
		fputs("no slot: ", branch->out);
	else
		fprintf(branch->out, "slot %d%s%s: ", addr, function, star(by_hand));
}

static void draw_behind(const struct plan *plan, const struct plan_port *port, FILE *out)
{
	int at = (int)(port - plan->port);
	bool spare = port->device == PLAN_NONE;
	char label[PLAN_LABEL];
	char kind[PLAN_LABEL];

	if (!spare) {
		const struct plan_device *d = &plan->device[port->device];

		fprintf(out, " ── hostdev%u %s %s", port->slot, plan_label(d, label),
			plan_kind(d, kind));
	}
	for (unsigned i = 0; i < plan->disks; i++)
		if (plan->disk[i].port == at) {
			fprintf(out, " ── disk%u", i);
			spare = false;
		}
	for (unsigned i = 0; i < plan->nets; i++)
		if (plan->net[i].port == at) {
			fprintf(out, " ── net%u on %s", i, plan->vm->net[i].bridge);
			spare = false;
		}
	fputs(spare ? " ── spare\n" : "\n", out);
}

static void draw_port(const struct plan *plan, const struct plan_port *port, struct branch *branch)
{
	struct port_config by_hand = plan_port_config(plan, port);
	char function[16] = "";

	if (port->function || port->multifunction)
		str_format(function, sizeof(function), ".%d", port->function);
	draw_slot(branch, port->addr, function,
		  by_hand.addr != HV_AUTO || by_hand.function != HV_AUTO);
	fprintf(branch->out, "root port pci.%d%s", port->index, star(by_hand.index != HV_AUTO));
	draw_behind(plan, port, branch->out);
}

static void draw_ports(const struct plan *plan, int bus, unsigned place, struct branch *branch)
{
	for (unsigned i = 0; i < plan->ports; i++) {
		const struct plan_port *port = &plan->port[i];

		if (port->vsmmu == bus && place_of(port->addr, port->function) == place)
			draw_port(plan, port, branch);
	}
}

/* " ats=on ssidsize=20": what is not left to QEMU, and so stands in its words. */
static void draw_settings(const struct vsmmu_config *v, const char *indent, FILE *out)
{
	static const char *const switches[] = { "auto", "on", "off" };
	static const char *const sizes[] = { "auto", "44", "48" };

	_Static_assert(VSMMU_ATS_ON == 1 && VSMMU_RIL_ON == 1 && VSMMU_CMDQV_ON == 1, "switches");
	_Static_assert(VSMMU_OAS_44 == 1, "sizes");
	if (v->ats == VSMMU_ATS_AUTO && v->ril == VSMMU_RIL_AUTO && v->oas == VSMMU_OAS_AUTO &&
	    v->cmdqv == VSMMU_CMDQV_AUTO && v->ssidsize == HV_AUTO)
		return;
	fprintf(out, "%s  with", indent);
	if (v->ats != VSMMU_ATS_AUTO)
		fprintf(out, " ats=%s*", switches[v->ats]);
	if (v->ril != VSMMU_RIL_AUTO)
		fprintf(out, " ril=%s*", switches[v->ril]);
	if (v->ssidsize != HV_AUTO)
		fprintf(out, " ssidsize=%d*", (int)v->ssidsize);
	if (v->oas != VSMMU_OAS_AUTO)
		fprintf(out, " oas=%s*", sizes[v->oas]);
	if (v->cmdqv != VSMMU_CMDQV_AUTO)
		fprintf(out, " cmdqv=%s*", switches[v->cmdqv]);
	fputc('\n', out);
}

static void draw_vsmmu(const struct plan *plan, unsigned i, struct branch *root)
{
	const struct plan_vsmmu *v = &plan->vsmmu[i];
	struct branch branch = { root->out, "", v->ports };
	char indent[32];

	draw_slot(root, v->addr, "", v->config->addr != HV_AUTO);
	fprintf(root->out, "pxb-pcie pci.%d%s, bus %d%s, vSMMU %u", v->pxb_index,
		star(v->config->pxb_index != HV_AUTO), v->bus_nr,
		star(v->config->bus_nr != HV_AUTO), i);
	if (!v->config->accel)
		fputs(", emulated*\n", root->out);
	else
		fprintf(root->out, " = %s\n", v->smmu[0] ? v->smmu : "?");
	str_format(indent, sizeof(indent), "%s%s", root->indent, root->left ? "│  " : "   ");
	branch.indent = indent;
	draw_settings(v->config, indent, root->out);
	for (unsigned place = 0; place < PLACES; place++)
		draw_ports(plan, (int)i, place, &branch);
}

static unsigned count_on_root(const struct plan *plan)
{
	unsigned count = plan->vsmmus;

	for (unsigned i = 0; i < plan->ports; i++)
		count += plan->port[i].vsmmu == PLAN_ROOT;
	for (unsigned i = 0; i < plan->disks; i++)
		count += plan->disk[i].port == PLAN_ROOT;
	for (unsigned i = 0; i < plan->nets; i++)
		count += plan->net[i].port == PLAN_ROOT;
	return count + plan->vm->pvpanic + plan->vm->ctl;
}

static void draw_emulated(const struct plan *plan, unsigned place, struct branch *branch)
{
	if (plan->vm->ctl && place_of(PLAN_CTL_ADDR, 0) == place) {
		draw_slot(branch, PLAN_CTL_ADDR, "", false);
		fprintf(branch->out, "port of CTL\n");
	}
	if (plan->vm->pvpanic && place_of(PLAN_PANIC_ADDR, 0) == place) {
		draw_slot(branch, PLAN_PANIC_ADDR, "", false);
		fprintf(branch->out, "pvpanic\n");
	}
	for (unsigned i = 0; i < plan->nets; i++)
		if (plan->net[i].port == PLAN_ROOT && place_of(plan->net[i].addr, 0) == place) {
			draw_slot(branch, plan->net[i].addr, "", false);
			fprintf(branch->out, "net%u on %s\n", i, plan->vm->net[i].bridge);
		}
	for (unsigned i = 0; i < plan->disks; i++)
		if (plan->disk[i].port == PLAN_ROOT && place_of(plan->disk[i].addr, 0) == place) {
			draw_slot(branch, plan->disk[i].addr, "", false);
			fprintf(branch->out, "disk%u\n", i);
		}
}

void plan_print_tree(const struct plan *plan, FILE *out)
{
	struct branch root = { out, "  ", count_on_root(plan) };

	fprintf(out, "  pcie.0%s\n", root.left ? "" : ", with nothing on it");
	for (unsigned place = 0; place < PLACES; place++) {
		for (unsigned i = 0; i < plan->vsmmus; i++)
			if (place_of(plan->vsmmu[i].addr, 0) == place)
				draw_vsmmu(plan, i, &root);
		draw_ports(plan, PLAN_ROOT, place, &root);
		draw_emulated(plan, place, &root);
	}
}
