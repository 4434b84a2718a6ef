/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words for QEMU 11.1. Devices are JSON: their strings need no second quoting, because every one
 * that comes from the manifest is an id, a BDF or a number.
 */
#include "argv.h"

#include <inttypes.h>

#include "util.h"

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

static void add_machine(const struct vm_config *vm, struct argv *argv)
{
	add(argv, "%s", QEMU_PATH);
	OPTION(argv, "-name", "guest=%s", vm->name);
	add(argv, "-S");
	add(argv, "-nodefaults");
	add(argv, "-no-user-config");
	OPTION(argv, "-display", "none");
	OPTION(argv, "-machine", "%s,accel=kvm,gic-version=3", vm->machine);
	OPTION(argv, "-cpu", "host");
	OPTION(argv, "-m", "size=%" PRId64 "M", vm->memory_mib);
	OPTION(argv, "-smp", "cpus=%" PRId64, vm->cpus);
}

static void add_boot(const struct vm_config *vm, struct argv *argv)
{
	/* accel needs ACPI in the guest, and ACPI needs firmware, even with a kernel given. */
	OPTION(argv, "-bios", "%s", vm->firmware);
	if (vm->kernel[0])
		OPTION(argv, "-kernel", "%s", vm->kernel);
	if (vm->initrd[0])
		OPTION(argv, "-initrd", "%s", vm->initrd);
	if (vm->cmdline[0])
		OPTION(argv, "-append", "%s", vm->cmdline);
}

static void add_channels(struct argv *argv)
{
	OPTION(argv, "-chardev", "socket,id=qmp0,fd=%d", ARGV_FD_QMP);
	OPTION(argv, "-object",
	       "{\"qom-type\":\"monitor-qmp\",\"id\":\"mon0\",\"chardev\":\"qmp0\"}");
	OPTION(argv, "-chardev", "socket,id=serial0,fd=%d", ARGV_FD_SERIAL);
	OPTION(argv, "-serial", "chardev:serial0");
}

static void add_topology(const struct plan *plan, struct argv *argv)
{
	for (unsigned i = 0; i < plan->vsmmus; i++)
		OPTION(argv, "-device",
		       "{\"driver\":\"pxb-pcie\",\"bus_nr\":%d,\"id\":\"pci.%d\",\"bus\":\"pcie.0\","
		       "\"addr\":\"0x%x\"}",
		       plan->vsmmu[i].bus_nr, plan->vsmmu[i].pxb_index,
		       (unsigned)plan->vsmmu[i].addr);
	for (unsigned i = 0; i < plan->devices; i++) {
		const struct plan_device *d = &plan->device[i];

		if (d->vsmmu == PLAN_NONE)
			continue;
		OPTION(argv, "-device",
		       "{\"driver\":\"pcie-root-port\",\"port\":%d,\"chassis\":%d,\"id\":\"pci.%d\","
		       "\"bus\":\"pci.%d\",\"addr\":\"0x%x\"}",
		       d->port_nr, d->port_chassis, d->port_index, plan->vsmmu[d->vsmmu].pxb_index,
		       (unsigned)d->port_addr);
	}
}

/* QEMU learns an SMMU's features from the first device behind it: the SMMUs come first. */
static void add_devices(const struct plan *plan, struct argv *argv)
{
	const struct vm_config *vm = plan->vm;

	if (plan->devices == 0)
		return;
	OPTION(argv, "-object", "{\"qom-type\":\"iommufd\",\"id\":\"%s\",\"fd\":\"%d\"}",
	       vm->iommufd_id, ARGV_FD_IOMMUFD);
	for (unsigned i = 0; i < plan->vsmmus; i++)
		OPTION(argv, "-device",
		       "{\"driver\":\"%s\",\"primary-bus\":\"pci.%d\",\"id\":\"smmuv3.%u\","
		       "\"accel\":true}",
		       vm->smmu_driver, plan->vsmmu[i].pxb_index, i);
	for (unsigned i = 0; i < plan->devices; i++) {
		const struct plan_device *d = &plan->device[i];

		OPTION(argv, "-device",
		       "{\"driver\":\"vfio-pci\",\"host\":\"%s\",\"id\":\"hostdev%u\","
		       "\"iommufd\":\"%s\",\"fd\":\"%u\",\"bus\":\"pci.%d\",\"addr\":\"0x0\"}",
		       d->config->bdf, d->slot, vm->iommufd_id, ARGV_FD_HOSTDEV + i, d->port_index);
	}
}

void argv_build(const struct plan *plan, struct argv *argv)
{
	argv->count = 0;
	argv->used = 0;
	argv->overflow = false;
	add_machine(plan->vm, argv);
	add_boot(plan->vm, argv);
	add_channels(argv);
	add_topology(plan, argv);
	add_devices(plan, argv);
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
