/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan for programs. What is not there, not known or left to QEMU is null. */
#include <inttypes.h>

#include "kind.h"
#include "plan_print.h"
#include "util.h"

/* The name of QEMU's bus behind a controller; null for one that has no number. */
static void write_bus(struct json *json, const char *key, int index)
{
	char name[16];

	str_format(name, sizeof(name), "pci.%d", index);
	json_text(json, key, index == PLAN_NONE ? "" : name);
}

static void by_hand(struct json *json, const char *field, bool set)
{
	if (set)
		json_string(json, NULL, field);
}

/* "auto", "on" and "off" of the manifest. */
static void write_switch(struct json *json, const char *key, int word)
{
	_Static_assert(VSMMU_ATS_AUTO == 0 && VSMMU_RIL_AUTO == 0 && VSMMU_CMDQV_AUTO == 0, "auto");
	_Static_assert(VSMMU_ATS_ON == 1 && VSMMU_RIL_ON == 1 && VSMMU_CMDQV_ON == 1, "on");
	if (word == VSMMU_ATS_AUTO)
		json_null(json, key);
	else
		json_bool(json, key, word == VSMMU_ATS_ON);
}

/* --- settings --- */

static void write_start(const struct vm_config *vm, struct json *json)
{
	static const char *const words[] = {
		[VM_RESTART_NEVER] = "never",
		[VM_RESTART_ON_FAILURE] = "on-failure",
		[VM_RESTART_ALWAYS] = "always",
	};

	json_object(json, "start");
	json_bool(json, "autostart", vm->autostart);
	json_number(json, "order", vm->start_order);
	json_string(json, "restart", words[vm->restart]);
	json_number(json, "stop_timeout_s", vm->stop_timeout);
	json_end(json);
}

static void write_boot(const struct vm_config *vm, struct json *json)
{
	json_object(json, "boot");
	json_text(json, "firmware", vm->firmware);
	json_string(json, "uefi_vars", vm->uefi_vars == VM_UEFI_VARS_KEEP ? "keep" : "volatile");
	json_text(json, "kernel", vm->kernel);
	json_text(json, "initrd", vm->initrd);
	json_text(json, "cmdline", vm->cmdline);
	json_end(json);
}

static void write_memory(const struct plan *plan, struct json *json)
{
	const struct vm_config *vm = plan->vm;

	json_object(json, "memory");
	json_number(json, "mib", vm->memory_mib);
	json_count(json, "hugepage_mib", plan->pages ? (int64_t)plan_page_mib(vm) : -1);
	json_count(json, "hugepages", plan->pages ? (int64_t)plan->pages : -1);
	json_count(json, "numa_node", vm->numa_node);
	json_number(json, "lock_bytes", (int64_t)plan->memlock);
	json_number(json, "window_gib", (int64_t)plan->mmio64_gib);
	json_array(json, "by_hand");
	by_hand(json, "window_gib", vm->mmio64_gib != HV_AUTO);
	json_end(json);
	json_end(json);
}

static void write_limits(const struct plan *plan, struct json *json)
{
	json_object(json, "limits");
	json_number(json, "memory_bytes", (int64_t)plan->memory_max);
	json_number(json, "tasks", (int64_t)plan->tasks_max);
	json_number(json, "cpu_weight", plan->vm->cpu_weight);
	json_array(json, "by_hand");
	by_hand(json, "memory_bytes", plan->vm->overhead_mib != HV_AUTO);
	by_hand(json, "tasks", plan->vm->tasks_max != HV_AUTO);
	json_end(json);
	json_end(json);
}

static void write_cpus(const struct plan *plan, struct json *json)
{
	json_object(json, "cpus");
	json_number(json, "count", plan->vm->cpus);
	json_text(json, "host", plan->vm->cpu_pin);
	json_end(json);
}

/* --- devices --- */

static void write_vf(const struct plan_device *d, struct json *json)
{
	if (d->config->vf == HV_NONE) {
		json_null(json, "vf");
		return;
	}
	json_object(json, "vf");
	json_string(json, "physical_function", d->config->bdf);
	json_number(json, "index", d->config->vf);
	json_end(json);
}

static void write_on_host(const struct plan_device *d, struct json *json)
{
	const struct pci_fact *fact = d->fact ? d->fact : d->pf;
	bool named = strcmp(d->config->driver, "auto") != 0;
	const char *smmu = plan_smmu(d);

	json_bool(json, "present", d->fact != NULL);
	json_bool(json, "left_out", d->absent);
	json_text(json, "kind", fact ? kind_of(fact->class) : "");
	json_count(json, "group", d->fact ? d->fact->group : FACTS_NO_GROUP);
	json_text(json, "physical_smmu", smmu ? smmu : "");
	json_count(json, "numa_node", d->fact ? d->fact->node : FACTS_NO_NODE);
	json_count(json, "bar_bytes", d->fact ? (int64_t)plan_bar_bytes(d) : -1);
	json_text(json, "driver", named || d->fact ? plan_driver(d) : "");
}

static void write_device(const struct plan *plan, const struct plan_device *d, struct json *json)
{
	const struct hostdev_config *config = d->config;
	char symbol[32];

	str_format(symbol, sizeof(symbol), "VM%u_HOSTDEV%u", plan->slot, d->slot);
	json_object(json, NULL);
	json_string(json, "symbol", symbol);
	json_text(json, "bdf", d->bdf);
	write_vf(d, json);
	write_on_host(d, json);
	json_bool(json, "optional", config->optional);
	json_bool(json, "managed", config->managed);
	json_count(json, "bootindex", config->bootindex);
	json_number(json, "initiators", d->gi_nodes);
	json_count(json, "vsmmu", d->vsmmu);
	write_bus(json, "port", d->port == PLAN_NONE ? PLAN_NONE : plan->port[d->port].index);
	json_array(json, "by_hand");
	by_hand(json, "driver", strcmp(config->driver, "auto") != 0);
	by_hand(json, "initiators", config->gi_nodes != HV_AUTO);
	by_hand(json, "vsmmu", config->vsmmu != HV_AUTO);
	json_end(json);
	json_end(json);
}

/* --- the guest's PCI --- */

static void write_vsmmu(const struct plan *plan, unsigned i, struct json *json)
{
	static const int oas[] = { [VSMMU_OAS_AUTO] = -1, [VSMMU_OAS_44] = 44, [VSMMU_OAS_48] = 48 };
	const struct plan_vsmmu *v = &plan->vsmmu[i];

	json_object(json, NULL);
	json_number(json, "number", i);
	json_text(json, "physical_smmu", v->smmu);
	json_bool(json, "accel", v->config->accel);
	write_switch(json, "ats", v->config->ats);
	write_switch(json, "ril", v->config->ril);
	write_switch(json, "cmdqv", v->config->cmdqv);
	json_count(json, "ssidsize", v->config->ssidsize);
	json_count(json, "oas", oas[v->config->oas]);
	write_bus(json, "bus", v->pxb_index);
	json_count(json, "bus_nr", v->bus_nr);
	json_count(json, "slot", v->addr);
	json_array(json, "by_hand");
	by_hand(json, "bus", v->config->pxb_index != HV_AUTO);
	by_hand(json, "bus_nr", v->config->bus_nr != HV_AUTO);
	by_hand(json, "slot", v->config->addr != HV_AUTO);
	json_end(json);
	json_end(json);
}

static void write_port(const struct plan *plan, const struct plan_port *port, struct json *json)
{
	struct port_config set = plan_port_config(plan, port);
	char symbol[32];

	str_format(symbol, sizeof(symbol), "VM%u_%s%u", plan->slot,
		   port->device == PLAN_NONE ? "PORT" : "HOSTDEV", port->slot);
	json_object(json, NULL);
	json_string(json, "symbol", symbol);
	write_bus(json, "id", port->index);
	if (port->vsmmu == PLAN_ROOT)
		json_string(json, "bus", "pcie.0");
	else
		write_bus(json, "bus", plan->vsmmu[port->vsmmu].pxb_index);
	json_count(json, "slot", port->addr);
	json_number(json, "function", port->function);
	json_bool(json, "multifunction", port->multifunction);
	json_count(json, "chassis", port->chassis);
	json_number(json, "port", port->nr);
	json_array(json, "by_hand");
	by_hand(json, "id", set.index != HV_AUTO);
	by_hand(json, "slot", set.addr != HV_AUTO);
	by_hand(json, "function", set.function != HV_AUTO);
	by_hand(json, "chassis", set.chassis != HV_AUTO);
	by_hand(json, "port", set.nr != HV_AUTO);
	json_end(json);
	json_end(json);
}

static void write_place(const struct plan *plan, const struct plan_place *place, struct json *json)
{
	if (place->port == PLAN_ROOT)
		json_string(json, "bus", "pcie.0");
	else
		write_bus(json, "bus",
			  place->port == PLAN_NONE ? PLAN_NONE : plan->port[place->port].index);
	json_number(json, "slot", place->addr);
}

static void write_disk(const struct plan *plan, unsigned i, struct json *json)
{
	const struct disk_config *disk = &plan->vm->disk[i];

	json_object(json, NULL);
	json_string(json, "path", disk->path);
	json_string(json, "format", disk->format == DISK_FORMAT_RAW ? "raw" : "qcow2");
	json_bool(json, "readonly", disk->readonly);
	json_count(json, "bootindex", disk->bootindex);
	write_place(plan, &plan->disk[i], json);
	json_end(json);
}

static void write_net(const struct plan *plan, unsigned i, struct json *json)
{
	const struct net_config *net = &plan->vm->net[i];

	json_object(json, NULL);
	json_string(json, "bridge", net->bridge);
	json_text(json, "mac", plan->mac[i]);
	json_count(json, "bootindex", net->bootindex);
	write_place(plan, &plan->net[i], json);
	json_array(json, "by_hand");
	by_hand(json, "mac", net->mac[0]);
	json_end(json);
	json_end(json);
}

static void write_topology(const struct plan *plan, struct json *json)
{
	json_array(json, "devices");
	for (unsigned i = 0; i < plan->devices; i++)
		write_device(plan, &plan->device[i], json);
	json_end(json);
	json_array(json, "vsmmus");
	for (unsigned i = 0; i < plan->vsmmus; i++)
		write_vsmmu(plan, i, json);
	json_end(json);
	json_array(json, "ports");
	for (unsigned i = 0; i < plan->ports; i++)
		write_port(plan, &plan->port[i], json);
	json_end(json);
	json_array(json, "disks");
	for (unsigned i = 0; i < plan->disks; i++)
		write_disk(plan, i, json);
	json_end(json);
	json_array(json, "nets");
	for (unsigned i = 0; i < plan->nets; i++)
		write_net(plan, i, json);
	json_end(json);
}

void plan_json(const struct plan *plan, struct json *json)
{
	const struct vm_config *vm = plan->vm;

	json_object(json, NULL);
	json_number(json, "slot", plan->slot);
	json_string(json, "name", vm->name);
	json_text(json, "uuid", vm->uuid);
	json_string(json, "machine", vm->machine);
	json_string(json, "dialect", vm->dialect == VM_DIALECT_SEED ? "seed" : "merged");
	write_start(vm, json);
	write_boot(vm, json);
	write_memory(plan, json);
	write_cpus(plan, json);
	write_limits(plan, json);
	json_number(json, "homeless", plan->homeless);
	write_topology(plan, json);
	json_end(json);
}
