/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's words are those of drivers/pci/pcie/aer.c and mm/memory-failure.c of Linux 7.3. */
#include "hw_errors.h"

#include <stdlib.h>

#include "device.h"
#include "dma_fault.h"
#include "log.h"
#include "manifest.h"
#include "sys_machine.h"
#include "tally.h"
#include "util.h"
#include "vm.h"

#define AER "AER: "
#define MEMORY "Memory failure: "

enum { BDF = sizeof("0000:00:00.0") - 1, TEXT = 256 };

static const struct config *config;
static int root;
static struct tally devices[HV_VM_SLOTS][HV_HOSTDEV_SLOTS];
static struct tally memory[HV_VM_SLOTS];

void hw_errors_init(const struct config *all, int of)
{
	config = all;
	root = of;
	dma_fault_init(config);
	memset(devices, 0, sizeof(devices));
	memset(memory, 0, sizeof(memory));
}

static void tell(struct tally *tally, unsigned vm, const char *subject, const char *what,
		 const char *text)
{
	unsigned times = tally_add(tally);
	struct diag diag = { 0 };

	if (times == 0)
		return;
	diag_add(&diag, (int)vm, DIAG_HW_ERROR, subject, "trust %s of %s (%u %s): %s", what,
		 config->vm[vm].name, times, times == 1 ? "error" : "errors", text);
	log_finding(&diag.finding[0]);
}

/* --- PCIe --- */

/* Takes the next PCI address of a text, and moves *at behind it. */
static bool next_bdf(const char **at, char bdf[SYS_BDF])
{
	static const char shape[] = "xxxx:xx:xx.x";

	for (const char *start = *at; *start; start++) {
		size_t n = 0;

		while (n < BDF &&
		       (shape[n] == 'x' ? strchr("0123456789abcdef", start[n]) != NULL :
					  start[n] == shape[n]) &&
		       start[n])
			n++;
		if (n < BDF)
			continue;
		memcpy(bdf, start, BDF);
		bdf[BDF] = '\0';
		*at = start + BDF;
		return true;
	}
	return false;
}

static void device_line(const char *line)
{
	char text[TEXT]; /* telling of it reads the next line into the place of this one */
	const char *said;
	const char *at = text;
	char bdf[SYS_BDF];
	unsigned hostdev;
	unsigned vm;

	str_copy(text, sizeof(text), line);
	said = strstr(text, AER);
	while (said && next_bdf(&at, bdf)) {
		if (!device_find(config, bdf, &vm, &hostdev))
			continue;
		tell(&devices[vm][hostdev], vm, bdf, "device", said);
		return;
	}
	/* A port speaks for what is below it, which may be devices of several VMs. */
	at = text;
	if (!next_bdf(&at, bdf))
		return;
	for (vm = 0; vm < HV_VM_SLOTS; vm++)
		for (hostdev = 0; hostdev < HV_HOSTDEV_SLOTS; hostdev++) {
			const struct hostdev_config *h = &config->vm[vm].hostdev[hostdev];

			if (manifest_hostdev_used(h) && sys_pci_is_below(root, h->bdf, bdf))
				tell(&devices[vm][hostdev], vm, h->bdf, "device", text);
		}
}

/* --- memory --- */

/* The number behind the last colon that is followed by nothing but digits, or a blank after them. */
static pid_t pid_in(const char *text)
{
	pid_t pid = 0;

	for (const char *at = strchr(text, ':'); at; at = strchr(at + 1, ':')) {
		char *end;
		long number = strtol(at + 1, &end, 10);

		if (at[1] != ' ' && end > at + 1 && (*end == ' ' || !*end) && number > 0)
			pid = (pid_t)number;
	}
	return pid;
}

static void memory_line(const char *text)
{
	pid_t thread = pid_in(text);
	pid_t process = thread ? sys_process_of(root, thread) : 0;

	if (process <= 0)
		process = thread;
	for (unsigned vm = 0; process && vm < HV_VM_SLOTS; vm++)
		if (vm_exists(vm) && vm_look(vm).pid == process)
			tell(&memory[vm], vm, config->vm[vm].name, "memory", text);
}

void hw_errors_line(const char *text)
{
	if (!config)
		return;
	if (strstr(text, AER))
		device_line(text);
	else if (str_prefix(text, MEMORY))
		memory_line(text);
	else
		dma_fault_line(text);
}
