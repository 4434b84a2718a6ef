/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words for QEMU 11.1. Devices are JSON: their strings need no second quoting, because every one
 * that comes from the manifest is an id, a BDF or a number.
 */
#include "argv.h"

#include <errno.h>
#include <inttypes.h>

#include "manifest.h"
#include "util.h"

enum { HOSTDEV_JSON = 384 };

PRINTF_LIKE(2, 3)
static void add(struct argv *argv, const char *fmt, ...)
{
	size_t left = sizeof(argv->text) - argv->used;
	char *word = argv->text + argv->used;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(word, left, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= left || argv->count == ARGV_WORDS) {
		argv->overflow = true;
		return;
	}
	argv->word[argv->count++] = word;
	argv->word[argv->count] = NULL;
	argv->used += (unsigned)n + 1;
}

#define OPTION(argv, name, ...)         \
	do {                            \
		add(argv, "%s", name);  \
		add(argv, __VA_ARGS__); \
	} while (0)

static bool has_numa(const struct plan *plan)
{
	return plan->gi_nodes > 0;
}

static bool has_backend(const struct plan *plan)
{
	return plan->pages || plan->vm->numa_node != HV_NONE || has_numa(plan);
}

static void add_machine(const struct plan *plan, struct argv *argv)
{
	const struct vm_config *vm = plan->vm;
	char window[40] = "";

	if (plan->mmio64_gib != PLAN_MMIO64_GIB)
		str_format(window, sizeof(window), ",highmem-mmio-size=%" PRIu64 "G",
			   plan->mmio64_gib);
	add(argv, "%s", QEMU_PATH);
	OPTION(argv, "-name", "guest=%s", vm->name);
	if (vm->uuid[0])
		OPTION(argv, "-uuid", "%s", vm->uuid);
	add(argv, "-S");
	add(argv, "-nodefaults");
	add(argv, "-no-user-config");
	OPTION(argv, "-display", "none");
	OPTION(argv, "-machine", "%s,accel=kvm,gic-version=3%s%s%s", vm->machine, window,
	       vm->uefi_vars == VM_UEFI_VARS_KEEP ? ",pflash0=firmware,pflash1=vars" : "",
	       has_backend(plan) && !has_numa(plan) ? ",memory-backend=memory0" : "");
	OPTION(argv, "-cpu", "host");
	OPTION(argv, "-m", "size=%" PRId64 "M", vm->memory_mib);
	OPTION(argv, "-smp", "cpus=%" PRId64, vm->cpus);
}

/* Words of the memory's object: which pages, and from where. */
static void add_memory(const struct plan *plan, struct argv *argv)
{
	const struct vm_config *vm = plan->vm;
	char pages[48] = "";
	char node[48] = "";

	if (!has_backend(plan))
		return;
	if (plan->pages)
		str_format(pages, sizeof(pages), ",\"hugetlb\":true,\"hugetlbsize\":%" PRIu64,
			   plan_page_mib(vm) << 20);
	if (vm->numa_node != HV_NONE)
		str_format(node, sizeof(node), ",\"host-nodes\":[%" PRId64 "],\"policy\":\"bind\"",
			   vm->numa_node);
	OPTION(argv, "-object",
	       "{\"qom-type\":\"memory-backend-memfd\",\"id\":\"memory0\",\"size\":%" PRIu64
	       "%s%s}",
	       (uint64_t)vm->memory_mib << 20, pages, node);
	if (has_numa(plan))
		OPTION(argv, "-numa", "node,nodeid=0,cpus=0-%" PRId64 ",memdev=memory0",
		       vm->cpus - 1);
	for (unsigned i = 1; i <= plan->gi_nodes && !argv->overflow; i++)
		OPTION(argv, "-numa", "node,nodeid=%u", i);
}

struct file {
	const char *node;
	const char *format;
	bool is_block;
	bool readonly;
	bool io_uring; /* else QEMU's own default, threads */
};

/* A descriptor that QEMU opens as a file: its own confinement lets it open no other. */
static void add_file(struct argv *argv, int fd, const struct file *file)
{
	OPTION(argv, "-add-fd", "fd=%d,set=%d", fd, fd);
	OPTION(argv, "-blockdev",
	       "{\"driver\":\"%s\",\"node-name\":\"%s\",\"read-only\":%s,\"file\":{"
	       "\"driver\":\"%s\",\"filename\":\"/dev/fdset/%d\"%s}}",
	       file->format, file->node, file->readonly ? "true" : "false",
	       file->is_block ? "host_device" : "file", fd,
	       file->io_uring ? ",\"aio\":\"io_uring\"" : "");
}

static void add_boot(const struct vm_config *vm, struct argv *argv)
{
	/* accel needs ACPI in the guest, and ACPI needs firmware, even with a kernel given. */
	if (vm->uefi_vars == VM_UEFI_VARS_KEEP) {
		add_file(argv, ARGV_FD_FIRMWARE,
			 &(struct file){ .node = "firmware", .format = "raw", .readonly = true });
		add_file(argv, ARGV_FD_VARS, &(struct file){ .node = "vars", .format = "raw" });
	} else {
		OPTION(argv, "-bios", "%s", vm->firmware);
	}
	if (vm->kernel[0])
		OPTION(argv, "-kernel", "%s", vm->kernel);
	if (vm->initrd[0])
		OPTION(argv, "-initrd", "%s", vm->initrd);
	if (vm->cmdline[0])
		OPTION(argv, "-append", "%s", vm->cmdline);
}

/* What the guest does to itself; QEMU's own habit needs no words, so that libvirt's are the same. */
static void add_actions(const struct vm_config *vm, struct argv *argv)
{
	if (vm->on_reset != VM_ON_RESET_RESET)
		OPTION(argv, "-action", "reboot=shutdown");
	if (vm->on_panic == VM_ON_PANIC_PAUSED)
		OPTION(argv, "-action", "panic=pause");
	else if (vm->on_panic == VM_ON_PANIC_RUN)
		OPTION(argv, "-action", "panic=none");
}

static void add_channels(struct argv *argv)
{
	OPTION(argv, "-chardev", "socket,id=qmp0,fd=%d", ARGV_FD_QMP);
	OPTION(argv, "-object",
	       "{\"qom-type\":\"monitor-qmp\",\"id\":\"mon0\",\"chardev\":\"qmp0\"}");
	OPTION(argv, "-chardev", "socket,id=serial0,fd=%d", ARGV_FD_SERIAL);
	OPTION(argv, "-serial", "chardev:serial0");
}

/* "pci.7", or "pcie.0" for the root. */
static void bus_name(const struct plan *plan, int vsmmu, char name[16])
{
	if (vsmmu == PLAN_ROOT)
		str_copy(name, 16, "pcie.0");
	else
		str_format(name, 16, "pci.%d", plan->vsmmu[vsmmu].pxb_index);
}

static void add_pxb(const struct plan_vsmmu *v, struct argv *argv)
{
	OPTION(argv, "-device",
	       "{\"driver\":\"pxb-pcie\",\"bus_nr\":%d,\"id\":\"pci.%d\",\"bus\":\"pcie.0\","
	       "\"addr\":\"0x%x\"}",
	       v->bus_nr, v->pxb_index, (unsigned)v->addr);
}

static void add_port(const struct plan *plan, const struct plan_port *port, struct argv *argv)
{
	char function[8] = "";
	char bus[16];

	bus_name(plan, port->vsmmu, bus);
	if (port->function)
		str_format(function, sizeof(function), ".0x%x", (unsigned)port->function);
	OPTION(argv, "-device",
	       "{\"driver\":\"pcie-root-port\",\"port\":%d,\"chassis\":%d,\"id\":\"pci.%d\","
	       "\"bus\":\"%s\",%s\"addr\":\"0x%x%s\"}",
	       port->nr, port->chassis, port->index, bus,
	       port->multifunction ? "\"multifunction\":true," : "", (unsigned)port->addr,
	       function);
}

/*
 * Root buses, then root ports, each by index, as libvirt has them. Equal indexes, which check
 * refuses, are all there.
 */
static void add_topology(const struct plan *plan, struct argv *argv)
{
	for (int index = PLAN_NONE; index < PLAN_BUSES; index++)
		for (unsigned i = 0; i < plan->vsmmus; i++)
			if (plan->vsmmu[i].pxb_index == index)
				add_pxb(&plan->vsmmu[i], argv);
	for (int index = PLAN_NONE; index < PLAN_BUSES; index++)
		for (unsigned i = 0; i < plan->ports; i++)
			if (plan->port[i].index == index)
				add_port(plan, &plan->port[i], argv);
}

/* ,"ats":"on": a property that is left out when QEMU is to find it out by itself. */
static void property(char *text, size_t size, const char *name, const char *value)
{
	size_t used = strlen(text);

	str_format(text + used, size - used, ",\"%s\":\"%s\"", name, value);
}

static void add_vsmmu(const struct plan *plan, unsigned i, struct argv *argv)
{
	static const char *const on_off[] = { NULL, "on", "off" };
	static const char *const bits[] = { NULL, "44", "48" };
	const struct vsmmu_config *v = plan->vsmmu[i].config;
	bool seed = plan->vm->dialect == VM_DIALECT_SEED;
	char number[8];
	char more[128] = "";

	if (v->accel)
		str_copy(more, sizeof(more), ",\"accel\":true");
	if (on_off[v->ats])
		property(more, sizeof(more), "ats", on_off[v->ats]);
	if (on_off[v->ril])
		property(more, sizeof(more), "ril", on_off[v->ril]);
	if (v->ssidsize != HV_AUTO) {
		str_format(number, sizeof(number), "%d", (int)v->ssidsize);
		property(more, sizeof(more), "ssidsize", number);
	}
	if (bits[v->oas])
		property(more, sizeof(more), "oas", bits[v->oas]);
	if (on_off[v->cmdqv])
		property(more, sizeof(more), "cmdqv", on_off[v->cmdqv]);
	OPTION(argv, "-device", "{\"driver\":\"%s\",\"primary-bus\":\"pci.%d\",\"id\":\"%s%u\"%s}",
	       plan->vm->smmu_driver, plan->vsmmu[i].pxb_index, seed ? "smmuv3." : "iommu", i,
	       more);
}

/* QEMU learns an SMMU's features from the first device behind it: the SMMUs come first. */
static void add_vsmmus(const struct plan *plan, struct argv *argv)
{
	for (unsigned i = 0; i < plan->vsmmus; i++)
		add_vsmmu(plan, i, argv);
}

static void add_iommufd(const struct plan *plan, struct argv *argv)
{
	if (plan->devices)
		OPTION(argv, "-object", "{\"qom-type\":\"iommufd\",\"id\":\"%s\",\"fd\":\"%d\"}",
		       plan->vm->iommufd_id, ARGV_FD_IOMMUFD);
}

bool argv_hostdev(const struct plan *plan, unsigned i, const char *fd, char *json, size_t size)
{
	const struct plan_device *d = &plan->device[i];
	char host[32] = "";
	char boot[32] = "";

	if (plan->vm->dialect == VM_DIALECT_SEED)
		str_format(host, sizeof(host), "\"host\":\"%s\",",
			   d->bdf[0] ? d->bdf : d->config->bdf);
	if (d->config->bootindex != HV_NONE)
		str_format(boot, sizeof(boot), "\"bootindex\":%d,", (int)d->config->bootindex);
	return str_format(json, size,
			  "{\"driver\":\"vfio-pci\",%s\"id\":\"hostdev%u\",%s\"iommufd\":\"%s\","
			  "\"fd\":\"%s\",\"bus\":\"pci.%d\",\"addr\":\"0x0\"%s}",
			  host, d->slot, boot, plan->vm->iommufd_id, fd,
			  d->port == PLAN_NONE ? PLAN_NONE : plan->port[d->port].index,
			  d->config->rom_bar ? "" : ",\"rombar\":0");
}

static void add_hostdev(const struct plan *plan, unsigned i, struct argv *argv)
{
	char json[HOSTDEV_JSON];
	char fd[8];

	str_format(fd, sizeof(fd), "%u", ARGV_FD_HOSTDEV + i);
	argv->overflow |= !argv_hostdev(plan, i, fd, json, sizeof(json));
	OPTION(argv, "-device", "%s", json);
}

static void add_devices(const struct plan *plan, struct argv *argv)
{
	unsigned node = 1;

	for (unsigned i = 0; i < plan->devices; i++) {
		if (plan->device[i].absent)
			continue;
		add_hostdev(plan, i, argv);
		for (unsigned n = 0; n < plan->device[i].gi_nodes && !argv->overflow; n++, node++)
			OPTION(argv, "-object",
			       "{\"qom-type\":\"acpi-generic-initiator\",\"id\":\"gi%u\","
			       "\"pci-dev\":\"hostdev%u\",\"node\":%u}",
			       node, plan->device[i].slot, node);
	}
}

/*
 * Where an emulated device is. Behind a port an SMMU may translate for it, and then it must be
 * told to ask: a legacy one could not.
 */
static void place_words(const struct plan *plan, const struct plan_place *place, int64_t bootindex,
			char words[160])
{
	size_t used;

	if (place->port == PLAN_ROOT)
		str_format(words, 160, "\"bus\":\"pcie.0\",\"addr\":\"0x%x\"",
			   (unsigned)place->addr);
	else
		str_format(words, 160,
			   "\"bus\":\"pci.%d\",\"addr\":\"0x0\",\"disable-legacy\":\"on\","
			   "\"iommu_platform\":true",
			   place->port == PLAN_NONE ? PLAN_NONE : plan->port[place->port].index);
	used = strlen(words);
	if (bootindex != HV_NONE)
		str_format(words + used, 160 - used, ",\"bootindex\":%d", (int)bootindex);
}

/* One port on a bus of its own, so that nothing else can get in its way. */
static void add_ctl(struct argv *argv)
{
	OPTION(argv, "-chardev", "socket,id=ctl0,fd=%d", ARGV_FD_CTL);
	OPTION(argv, "-device",
	       "{\"driver\":\"virtio-serial-pci\",\"id\":\"ctlbus0\",\"max_ports\":2,"
	       "\"bus\":\"pcie.0\",\"addr\":\"0x%x\"}",
	       PLAN_CTL_ADDR);
	OPTION(argv, "-device",
	       "{\"driver\":\"virtserialport\",\"id\":\"ctlport0\",\"bus\":\"ctlbus0.0\","
	       "\"nr\":1,\"chardev\":\"ctl0\",\"name\":\"org.hvinit.ctl\"}");
}

static void add_emulated(const struct plan *plan, struct argv *argv)
{
	static const char *const formats[] = { "raw", "qcow2" };
	char words[160];
	char node[16];

	if (plan->vm->pvpanic)
		OPTION(argv, "-device",
		       "{\"driver\":\"pvpanic-pci\",\"id\":\"panic0\",\"bus\":\"pcie.0\","
		       "\"addr\":\"0x%x\"}",
		       PLAN_PANIC_ADDR);
	if (plan->vm->ctl)
		add_ctl(argv);
	for (unsigned i = 0; i < plan->disks; i++) {
		const struct disk_config *disk = &plan->vm->disk[i];

		str_format(node, sizeof(node), "disk%u", i);
		add_file(argv, (int)(ARGV_FD_DISK + i),
			 &(struct file){
				 .node = node,
				 .format = formats[disk->format],
				 .is_block = manifest_disk_is_block(disk),
				 .readonly = disk->readonly,
				 .io_uring = disk->aio == DISK_AIO_IO_URING,
			 });
		place_words(plan, &plan->disk[i], disk->bootindex, words);
		OPTION(argv, "-device",
		       "{\"driver\":\"virtio-blk-pci\",\"id\":\"virtio-disk%u\",\"drive\":\"disk%u\",%s}",
		       i, i, words);
	}
	for (unsigned i = 0; i < plan->nets; i++) {
		place_words(plan, &plan->net[i], plan->vm->net[i].bootindex, words);
		OPTION(argv, "-netdev", "{\"type\":\"tap\",\"id\":\"hostnet%u\",\"fd\":\"%u\"}", i,
		       ARGV_FD_NET + i);
		/* Without a ROM: the firmware can boot from virtio by itself. */
		OPTION(argv, "-device",
		       "{\"driver\":\"virtio-net-pci\",\"id\":\"net%u\",\"netdev\":\"hostnet%u\","
		       "\"mac\":\"%s\",\"romfile\":\"\",%s}",
		       i, i, plan->mac[i], words);
	}
}

int argv_next(const char **at, char *word, size_t size)
{
	const char *from = *at + strspn(*at, " ");
	bool quoted = false;
	size_t used = 0;

	if (!*from)
		return 0;
	for (; *from && (quoted || *from != ' '); from++) {
		if (*from == '\'') {
			quoted = !quoted;
			continue;
		}
		if (used + 1 >= size)
			return -E2BIG;
		word[used++] = *from;
	}
	word[used] = '\0';
	*at = from;
	return quoted ? -EINVAL : 1;
}

/* What an expert wants besides; check_vm() has looked at it. */
static void add_extra(const struct vm_config *vm, struct argv *argv)
{
	char word[sizeof(vm->qemu_args)];
	const char *at = vm->qemu_args;

	while (argv_next(&at, word, sizeof(word)) > 0)
		add(argv, "%s", word);
}

void argv_build(const struct plan *plan, struct argv *argv)
{
	argv->count = 0;
	argv->used = 0;
	argv->overflow = false;
	add_machine(plan, argv);
	add_memory(plan, argv);
	add_boot(plan->vm, argv);
	add_actions(plan->vm, argv);
	add_channels(argv);
	add_topology(plan, argv);
	if (plan->vm->dialect == VM_DIALECT_SEED) {
		add_iommufd(plan, argv);
		add_vsmmus(plan, argv);
	} else {
		add_vsmmus(plan, argv);
		add_iommufd(plan, argv);
	}
	add_devices(plan, argv);
	add_emulated(plan, argv);
	add_extra(plan->vm, argv);
	OPTION(argv, "-sandbox",
	       "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
}

/* Single quotes keep everything as it is; a quote in the word ends them for a moment. */
static void print_quoted(const char *word, FILE *out)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-_=./,:+@%";

	if (*word && word[strspn(word, plain)] == '\0') {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	fputc('\'', out);
}

void argv_print(const struct argv *argv, FILE *out)
{
	for (unsigned i = 0; i < argv->count; i++) {
		print_quoted(argv->word[i], out);
		if (i + 1 < argv->count && argv->word[i][0] == '-' && argv->word[i + 1][0] != '-') {
			fputc(' ', out);
			print_quoted(argv->word[++i], out);
		}
		fputc('\n', out);
	}
}
