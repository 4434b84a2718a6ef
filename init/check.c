/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the rules. QEMU and the kernel would refuse most of it later, with fewer words. */
#include "check.h"

#include "argv.h"
#include "check_private.h"
#include "manifest.h"
#include "util.h"
#include "variant.h"

void check_fail(const struct check *c, enum diag_code code, const char *subject, const char *fmt,
		...)
{
	char text[DIAG_TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (c->vm->start_anyway && diag_code_severity(code) == DIAG_REFUSED)
		diag_warn(c->diag, (int)c->plan->slot, code, subject, "%s", text);
	else
		diag_add(c->diag, (int)c->plan->slot, code, subject, "%s", text);
}

const char *check_symbol(const struct check *c, char name[DIAG_SUBJECT], const char *fmt, ...)
{
	int used = snprintf(name, DIAG_SUBJECT, "VM%u_", c->plan->slot);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name + used, DIAG_SUBJECT - (size_t)used, fmt, ap);
	va_end(ap);
	return name;
}

static bool names_module(const char *modules, const char *module)
{
	char word[SYS_NAME];

	while (*modules) {
		size_t len = strcspn(modules, " ");

		if (str_format(word, sizeof(word), "%.*s", (int)len, modules) &&
		    variant_same(word, module))
			return true;
		modules += len;
		modules += strspn(modules, " ");
	}
	return false;
}

bool check_loads(const struct check_set *set, const char *driver)
{
	const struct driver_fact *fact = facts_driver(set->facts, driver);
	const char *module = fact && fact->from[0] ? fact->from : driver;

	return names_module(set->config->host.modules, module);
}

/* Commands know a VM by its name, and 'log host' is the host's. */
static void check_name(const struct check *c)
{
	for (unsigned slot = 0; slot < c->plan->slot; slot++)
		if (strcmp(c->config->vm[slot].name, c->vm->name) == 0)
			check_fail(c, DIAG_NAME_TAKEN, SYMBOL(c, "NAME"),
				   "call a VM \"%s\": VM%u_NAME is the same", c->vm->name, slot);
	if (strcmp(c->vm->name, "host") == 0)
		check_fail(c, DIAG_NAME_TAKEN, SYMBOL(c, "NAME"),
			   "call a VM \"host\": that is the host's name");
}

static void check_uuid(const struct check *c)
{
	for (unsigned slot = 0; slot < c->plan->slot; slot++) {
		const struct plan *other = check_other(c, slot);

		if (other && c->vm->uuid[0] && strcmp(other->vm->uuid, c->vm->uuid) == 0)
			check_fail(c, DIAG_UUID_TWICE, SYMBOL(c, "UUID"),
				   "use %s: VM%u_UUID is the same", c->vm->uuid, slot);
	}
}

void check_identity(const struct check *c)
{
	check_name(c);
	check_uuid(c);
}

static void run_rules(const struct check *c)
{
	check_identity(c);
	check_gaps(c);
	check_boot(c);
	check_kernel(c);
	check_devices(c);
	check_smmus(c);
	check_topology(c);
	check_window(c);
	check_cpus(c);
	check_pages(c);
	check_node(c);
	check_disks(c);
	check_nets(c);
	check_args(c);
}

static struct check begin(const struct check_set *set, unsigned slot, struct diag *diag)
{
	return (struct check){
		.set = set,
		.config = set->config,
		.facts = set->facts,
		.plan = &set->plan[slot],
		.vm = set->plan[slot].vm,
		.diag = diag,
	};
}

bool check_would_start(const struct check *c, unsigned slot)
{
	static struct diag scratch;
	const struct check other = begin(c->set, slot, &scratch);

	memset(&scratch, 0, sizeof(scratch));
	run_rules(&other);
	return diag_failures(&scratch, (int)slot) == 0;
}

void check_plan(struct check_set *set)
{
	memset(set->plan, 0, sizeof(set->plan));
	for (unsigned slot = 0; slot < HV_VM_SLOTS; slot++)
		if (manifest_vm_used(&set->config->vm[slot]))
			plan_vm(set->config, slot, set->facts, &set->plan[slot]);
}

void check_vm(const struct check_set *set, unsigned slot, struct diag *diag)
{
	const struct check c = begin(set, slot, diag);

	run_rules(&c);
	check_memory(&c);
}
