/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMn_QEMU_ARGS. hvinit does not know what an expert's words do, but it knows those that undo what
 * it relies on: QEMU's confinement, its monitor, its descriptors, the devices and their SMMUs.
 */
#include "check_private.h"

#include <inttypes.h>
#include <stdlib.h>

#include "argv.h"
#include "util.h"

enum { WORD = sizeof(((struct vm_config *)0)->qemu_args) };

/* Why an option is not an expert's to give. */
static const struct {
	const char *name;
	const char *why;
} denied[] = {
	{ "sandbox", "hvinit sets QEMU's confinement" },
	{ "run-with", "hvinit sets QEMU's confinement" },
	{ "runas", "hvinit sets QEMU's confinement" },
	{ "chroot", "hvinit sets QEMU's confinement" },
	{ "user", "hvinit sets QEMU's confinement" },
	{ "daemonize", "hvinit waits for the process that it started" },
	{ "pidfile", "hvinit waits for the process that it started" },
	{ "S", "hvinit starts the guest's CPUs itself" },
	{ "preconfig", "hvinit starts the guest's CPUs itself" },
	{ "incoming", "hvinit starts the guest's CPUs itself" },
	{ "loadvm", "hvinit starts the guest's CPUs itself" },
	{ "qmp", "QEMU is controlled by hvinit alone" },
	{ "qmp-pretty", "QEMU is controlled by hvinit alone" },
	{ "mon", "QEMU is controlled by hvinit alone" },
	{ "monitor", "QEMU is controlled by hvinit alone" },
	{ "nographic", "QEMU is controlled by hvinit alone, and this opens a monitor" },
	{ "qtest", "QEMU is controlled by hvinit alone" },
	{ "add-fd", "QEMU has no descriptors but those that hvinit gives it" },
	{ "set", "it would change a device of hvinit's" },
	{ "readconfig", "what the file says cannot be checked" },
	{ "accel", "VFIO and accelerated SMMUs need KVM" },
	{ "no-acpi", "accelerated SMMUs need ACPI" },
	{ "name", "VMn_NAME says it" },
	{ "uuid", "VMn_UUID says it" },
	{ "m", "VMn_MEMORY_MIB says it" },
	{ "mem-path", "VMn_HUGEPAGES says it" },
	{ "mem-prealloc", "VMn_HUGEPAGES says it" },
	{ "smp", "VMn_CPUS says it" },
	{ "bios", "VMn_FIRMWARE says it" },
	{ "pflash", "VMn_FIRMWARE and VMn_UEFI_VARS say it" },
	{ "kernel", "VMn_KERNEL says it" },
	{ "initrd", "VMn_INITRD says it" },
	{ "append", "VMn_CMDLINE says it" },
};

static void check_name(const struct check *c, const char *option)
{
	for (size_t i = 0; i < ARRAY_SIZE(denied); i++)
		if (strcmp(option, denied[i].name) == 0)
			check_fail(c, DIAG_ARGS_DENIED, SYMBOL(c, "QEMU_ARGS"), "give -%s: %s",
				   option, denied[i].why);
}

/* --- parts of an option's value --- */

/*
 * Finds KEY=value or "KEY":"value" in the value of an option; what it is, or NULL. Not a parser:
 * it need not understand what QEMU will refuse.
 */
static const char *value_of(const char *text, const char *key, char value[64])
{
	size_t len = strlen(key);
	bool json = text[0] == '{';

	for (const char *at = text; (at = strstr(at, key)); at += len) {
		const char *from = at + len;

		if (at > text && !strchr(json ? "\"" : ",", at[-1]))
			continue;
		if (json) {
			from += *from == '"';
			from += strspn(from, " ");
			if (*from++ != ':')
				continue;
			from += strspn(from, " \"");
		} else if (*from++ != '=') {
			continue;
		}
		str_format(value, 64, "%.*s", (int)strcspn(from, json ? "\",}" : ","), from);
		return value;
	}
	return NULL;
}

/* The first word of "NAME,key=value", or JSON's "driver", "type" or "qom-type". */
static const char *kind_of(const char *text, char kind[64])
{
	static const char *const keys[] = { "driver", "qom-type", "type" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (value_of(text, keys[i], kind))
			return kind;
	str_format(kind, 64, "%.*s", (int)strcspn(text, ","), text);
	return kind;
}

/* What turns a machine into one in which no SMMU can be accelerated, or that hvinit sets. */
static void check_machine(const struct check *c, const char *text)
{
	static const struct {
		const char *key;
		const char *bad; /* NULL: any value */
		enum diag_code code;
		const char *why;
	} properties[] = {
		{ "accel", NULL, DIAG_SMMU_TCG, "VFIO and accelerated SMMUs need KVM" },
		{ "kernel-irqchip", "off", DIAG_SMMU_TCG, "KVM's interrupt controller is needed" },
		{ "acpi", "off", DIAG_SMMU_DT, "a guest learns of its SMMUs from ACPI" },
		{ "iommu", NULL, DIAG_SMMU_TWICE, "QEMU has either it or vSMMUs of their own" },
		{ "default_bus_bypass_iommu", "on", DIAG_SMMU_BYPASS, "it takes SMMUs out" },
		{ "its", "off", DIAG_SMMU_DT, "a device's interrupts need the ITS" },
		{ "msi", "off", DIAG_SMMU_DT, "a device's interrupts need the ITS" },
		{ "gic-version", NULL, DIAG_ARGS_DENIED, "hvinit sets it" },
		{ "highmem-mmio-size", NULL, DIAG_ARGS_DENIED, "VMn_MMIO64_GIB says it" },
		{ "memory-backend", NULL, DIAG_ARGS_DENIED, "VMn_HUGEPAGES says it" },
		{ "type", NULL, DIAG_ARGS_DENIED, "VMn_MACHINE says it" },
	};
	char value[64];

	for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
		if (value_of(text, properties[i].key, value) &&
		    (!properties[i].bad || strcmp(value, properties[i].bad) == 0))
			check_fail(c, properties[i].code, SYMBOL(c, "QEMU_ARGS"),
				   "set the machine's %s=%s: %s", properties[i].key, value,
				   properties[i].why);
	if (text[0] != '{' && !memchr(text, '=', strcspn(text, ",")))
		check_fail(c, DIAG_ARGS_DENIED, SYMBOL(c, "QEMU_ARGS"),
			   "choose the machine: VMn_MACHINE says it");
}

/* With KVM a guest has the host's CPU, whatever the name; its features are an expert's to choose. */
static void check_cpu(const struct check *c, const char *text)
{
	int len = (int)strcspn(text, ",");

	if (!str_prefix(text, "host,") && !str_prefix(text, "max,") && strcmp(text, "host") != 0 &&
	    strcmp(text, "max") != 0)
		check_fail(c, DIAG_ARGS_DENIED, SYMBOL(c, "QEMU_ARGS"),
			   "choose the CPU \"%.*s\": KVM runs the host's alone", len, text);
}

/* --- devices --- */

/* Devices that are on a PCI bus, as far as a name tells; "virtio-rng" is short for one of them. */
static bool is_pci(const char *driver)
{
	static const char *const others[] = { "nvme",	   "e1000",	   "igb", "vmxnet3",
					      "rtl8139",   "ahci",	   "edu", "megasas",
					      "qemu-xhci", "nec-usb-xhci", "VGA", "bochs-display",
					      "ivshmem" };

	if (strstr(driver, "-pci") || str_prefix(driver, "pci") || strstr(driver, "pcie"))
		return true;
	if (str_prefix(driver, "virtio-"))
		return !strstr(driver, "-device");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (str_prefix(driver, others[i]))
			return true;
	return false;
}

/* What QEMU lets stand behind an accelerated SMMU beside the host's devices. */
static bool is_bridge(const char *driver)
{
	return strcmp(driver, "pcie-root-port") == 0 || strcmp(driver, "ioh3420") == 0 ||
	       strcmp(driver, "pci-bridge") == 0 || strcmp(driver, "pcie-pci-bridge") == 0 ||
	       str_prefix(driver, "x3130-");
}

/* A bus that is there before an expert's devices. */
struct bus {
	int vsmmu; /* position in plan->vsmmu, or PLAN_ROOT */
	int port; /* position in plan->port; PLAN_NONE: it is no port's, but the vSMMU's own */
};

static bool find_bus(const struct plan *plan, const char *name, struct bus *bus)
{
	const char *number = name + strlen("pci.");
	char *end;
	long index;

	*bus = (struct bus){ PLAN_ROOT, PLAN_NONE };
	if (strcmp(name, "pcie.0") == 0)
		return true;
	if (!str_prefix(name, "pci."))
		return false;
	index = strtol(number, &end, 10);
	if (end == number || *end)
		return false;
	for (unsigned i = 0; i < plan->vsmmus; i++)
		if (plan->vsmmu[i].pxb_index == index) {
			bus->vsmmu = (int)i;
			return true;
		}
	for (unsigned i = 0; i < plan->ports; i++)
		if (plan->port[i].index == index) {
			*bus = (struct bus){ plan->port[i].vsmmu, (int)i };
			return true;
		}
	return false;
}

/* Whether an emulated device of hvinit's is in the place: behind a port, or in a slot of pcie.0. */
static bool is_place_of(const struct plan_place *place, unsigned count, const struct bus *bus,
			long addr)
{
	for (unsigned i = 0; i < count; i++)
		if (bus->port != PLAN_NONE ?
			    place[i].port == bus->port :
			    bus->vsmmu == PLAN_ROOT && place[i].port == PLAN_ROOT &&
				    place[i].addr == addr)
			return true;
	return false;
}

/* Whether hvinit's own topology has something there; behind a port there is one slot only. */
static bool is_taken(const struct plan *plan, const struct bus *bus, long addr)
{
	if (is_place_of(plan->disk, plan->disks, bus, addr) ||
	    is_place_of(plan->net, plan->nets, bus, addr))
		return true;
	if (bus->port != PLAN_NONE)
		return plan->port[bus->port].device != PLAN_NONE;
	for (unsigned i = 0; bus->vsmmu == PLAN_ROOT && i < plan->vsmmus; i++)
		if (plan->vsmmu[i].addr == addr)
			return true;
	for (unsigned i = 0; i < plan->ports; i++)
		if (plan->port[i].vsmmu == bus->vsmmu && plan->port[i].addr == addr)
			return true;
	return false;
}

static void check_place(const struct check *c, const char *driver, const char *text)
{
	char name[64] = "pcie.0";
	char addr[64];
	struct bus bus;
	long slot;

	if (!value_of(text, "bus", name) && c->plan->vsmmus) {
		check_fail(c, DIAG_SMMU_EMULATED, SYMBOL(c, "QEMU_ARGS"),
			   "add a %s without bus=pcie.0: QEMU would put it on a vSMMU's bus",
			   driver);
		return;
	}
	if (!find_bus(c->plan, name, &bus))
		return;
	slot = value_of(text, "addr", addr) ? strtol(addr, NULL, 16) : PLAN_NONE;
	if (bus.vsmmu >= 0 && c->plan->vsmmu[bus.vsmmu].config->accel && !is_bridge(driver))
		check_fail(c, DIAG_SMMU_EMULATED, SYMBOL(c, "QEMU_ARGS"),
			   "add a %s to %s: the bus is behind vSMMU %d, which is accelerated",
			   driver, name, bus.vsmmu);
	else if (is_taken(c->plan, &bus, slot))
		check_fail(c, DIAG_TOPO_CLASH, SYMBOL(c, "QEMU_ARGS"),
			   "add a %s to %s%s%s: hvinit has a device there", driver, name,
			   slot == PLAN_NONE ? "" : ", slot ", slot == PLAN_NONE ? "" : addr);
}

/* QEMU tells ports apart by chassis and slot, and hvinit's all have slot 0. */
static void check_chassis(const struct check *c, const char *driver, const char *text)
{
	char chassis[64];
	char slot[64];

	if (!value_of(text, "chassis", chassis) ||
	    (value_of(text, "slot", slot) && strtol(slot, NULL, 0) != 0))
		return;
	for (unsigned i = 0; i < c->plan->ports; i++)
		if (c->plan->port[i].chassis == strtol(chassis, NULL, 0))
			check_fail(c, DIAG_TOPO_CLASH, SYMBOL(c, "QEMU_ARGS"),
				   "add a %s with chassis %d: pci.%d has it", driver,
				   c->plan->port[i].chassis, c->plan->port[i].index);
}

static void check_device(const struct check *c, const char *text)
{
	char driver[64];

	kind_of(text, driver);
	if (str_prefix(driver, "vfio-pci"))
		check_fail(c, DIAG_SMMU_IOMMUFD, SYMBOL(c, "QEMU_ARGS"),
			   "add a %s: hvinit passes devices that a HOSTDEV symbol names", driver);
	else if (str_prefix(driver, "arm-smmuv3"))
		check_fail(c, DIAG_SMMU_TWICE, SYMBOL(c, "QEMU_ARGS"),
			   "add an %s: VSMMU symbols do that", driver);
	else if (strcmp(driver, "pxb-pcie") == 0)
		check_fail(c, DIAG_TOPO_CLASH, SYMBOL(c, "QEMU_ARGS"),
			   "add a pxb-pcie: its numbers could be those of a vSMMU's");
	else if (is_pci(driver))
		check_place(c, driver, text);
	check_chassis(c, driver, text);
}

/* Properties of all devices of a kind that hvinit makes. */
static void check_global(const struct check *c, const char *text)
{
	static const char *const kinds[] = { "arm-smmuv3", "vfio-pci", "pxb-pcie",
					     "pcie-root-port" };
	char kind[64];

	str_format(kind, sizeof(kind), "%.*s", (int)strcspn(text, ".,"), text);
	if (!value_of(text, "driver", kind) && !text[strcspn(text, ".")])
		return;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kind, kinds[i]) == 0)
			check_fail(c, strstr(text, "stage") ? DIAG_SMMU_STAGE : DIAG_ARGS_DENIED,
				   SYMBOL(c, "QEMU_ARGS"),
				   "change every %s: the manifest says what they are like", kind);
}

/* Whatever the option: no other descriptor is open in QEMU, and no id of ours is free. */
static void check_value(const struct check *c, const char *text)
{
	static const char *const keys[] = { "fd", "fds", "vhostfd", "vhostfds" };
	char value[64];

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (value_of(text, keys[i], value))
			check_fail(c, DIAG_ARGS_DENIED, SYMBOL(c, "QEMU_ARGS"),
				   "use %s=%s: QEMU has no descriptors but those that hvinit "
				   "gives it",
				   keys[i], value);
	if (strstr(text, "/dev/fdset/"))
		check_fail(c, DIAG_ARGS_DENIED, SYMBOL(c, "QEMU_ARGS"),
			   "use /dev/fdset: QEMU has no descriptors but those that hvinit gives "
			   "it");
	if ((value_of(text, "id", value) || value_of(text, "node-name", value)) &&
	    (check_is_our_id(value) || strcmp(value, c->vm->iommufd_id) == 0))
		check_fail(c, DIAG_TOPO_CLASH, SYMBOL(c, "QEMU_ARGS"),
			   "call something \"%s\": hvinit does", value);
}

/* Short forms of a device, which QEMU puts on the first bus it finds: a vSMMU's. */
static bool makes_device(const char *option, const char *text)
{
	static const char *const options[] = { "nic", "net", "hda",   "hdb",
					       "hdc", "hdd", "cdrom", "virtfs" };
	char value[64];

	if (strcmp(option, "drive") == 0)
		return !value_of(text, "if", value) || strcmp(value, "virtio") == 0;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (strcmp(option, options[i]) == 0)
			return strcmp(text, "none") != 0;
	return false;
}

static void check_option(const struct check *c, const char *option, const char *text)
{
	char kind[64];

	check_value(c, text);
	if (strcmp(option, "machine") == 0 || strcmp(option, "M") == 0)
		check_machine(c, text);
	else if (strcmp(option, "cpu") == 0)
		check_cpu(c, text);
	else if (strcmp(option, "device") == 0)
		check_device(c, text);
	else if (strcmp(option, "global") == 0)
		check_global(c, text);
	else if (c->plan->vsmmus && makes_device(option, text))
		check_fail(c, DIAG_SMMU_EMULATED, SYMBOL(c, "QEMU_ARGS"),
			   "give -%s: QEMU would put its device on a vSMMU's bus; use -device with "
			   "bus=pcie.0",
			   option);
	if (str_prefix(text, "mon:") ||
	    (strcmp(option, "object") == 0 && str_prefix(kind_of(text, kind), "monitor-")))
		check_fail(c, DIAG_ARGS_DENIED, SYMBOL(c, "QEMU_ARGS"),
			   "open a monitor: QEMU is controlled by hvinit alone");
}

/* QEMU takes the next word for an option's value, however it begins, and refuses a last one. */
static void check_complete(const struct check *c, const char *option)
{
	static const char *const valued[] = { "machine", "M",	      "cpu",	"device",
					      "object",	 "global",    "netdev", "nic",
					      "net",	 "drive",     "virtfs", "chardev",
					      "serial",	 "blockdev",  "fsdev",	"smbios",
					      "rtc",	 "overcommit" };

	for (size_t i = 0; i < ARRAY_SIZE(valued); i++)
		if (strcmp(option, valued[i]) == 0)
			check_fail(c, DIAG_QEMU_ARG, SYMBOL(c, "QEMU_ARGS"),
				   "read -%s: no value stands behind it", option);
}

/* QEMU takes "-x" and "--x" alike, and an option's value is always the next word. */
static const char *option_of(const char *word)
{
	if (word[0] != '-' || !word[1])
		return NULL;
	return word + 1 + (word[1] == '-');
}

void check_args(const struct check *c)
{
	const char *at = c->vm->qemu_args;
	const char *from = at;
	char option[WORD] = "";
	char word[WORD];
	ssize_t len;

	for (; (len = argv_next(&at, word, sizeof(word))) > 0; from = at) {
		const char *name = option_of(word);

		if (!name && !option[0])
			check_fail(c, DIAG_QEMU_ARG, SYMBOL(c, "QEMU_ARGS"),
				   "read \"%.60s\": no option stands before it", word);
		if (name && strchr(name, '='))
			check_fail(c, DIAG_QEMU_ARG, SYMBOL(c, "QEMU_ARGS"),
				   "read \"%.60s\": QEMU wants a blank between an option and its "
				   "value",
				   word);
		if (name) {
			check_complete(c, option);
			str_copy(option, sizeof(option), name);
			option[strcspn(option, "=")] = '\0';
			check_name(c, option);
		} else if (option[0]) {
			check_option(c, option, word);
			option[0] = '\0';
		}
	}
	check_complete(c, option);
	if (len < 0)
		check_fail(c, DIAG_QEMU_ARG, SYMBOL(c, "QEMU_ARGS"),
			   "read \"%.60s\": a single quote is not closed",
			   from + strspn(from, " "));
}
