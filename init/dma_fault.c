/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's words are those of drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c of Linux 7.3:
 * arm_smmu_dump_event(), arm_smmu_evtq_thread().
 */
#include "dma_fault.h"

#include <stdlib.h>

#include "device.h"
#include "log.h"
#include "sys.h"
#include "tally.h"
#include "util.h"

#define SMMU "arm-smmu-v3 "
#define EVENT "event: "
#define CLIENT "client: "
#define OVERFLOW "EVTQ overflow"
#define SUPPRESSED "arm_smmu_dump_event: "

enum { TEXT = 256 };

static const struct config *config;
static struct tally told[HV_VM_SLOTS][HV_HOSTDEV_SLOTS];
static struct tally overflows;
static uint64_t counts[HV_VM_SLOTS][HV_HOSTDEV_SLOTS];
static uint64_t unnamed;

void dma_fault_init(const struct config *all)
{
	config = all;
	memset(told, 0, sizeof(told));
	memset(counts, 0, sizeof(counts));
	overflows = (struct tally){ 0 };
	unnamed = 0;
}

/* What an SMMU has to say: "arm-smmu-v3 <its name>: <that>"; NULL when the line is not of one. */
static const char *said_by_smmu(const char *text)
{
	const char *colon = str_prefix(text, SMMU) ? strstr(text, ": ") : NULL;

	return colon ? colon + 2 : NULL;
}

/* "event: F_TRANSLATION client: 0000:41:00.0 sid: …", of a device that a VM has. */
static bool find_client(const char *said, char bdf[SYS_BDF], unsigned *vm, unsigned *hostdev)
{
	const char *client = str_prefix(said, EVENT) ? strstr(said, CLIENT) : NULL;

	if (!client || !config)
		return false;
	client += strlen(CLIENT);
	str_format(bdf, SYS_BDF, "%.*s", (int)strcspn(client, " "), client);
	return device_find(config, bdf, vm, hostdev);
}

static void tell_fault(unsigned vm, unsigned hostdev, const char *bdf, const char *event)
{
	unsigned times = tally_add(&told[vm][hostdev]);
	struct diag diag = { 0 };

	counts[vm][hostdev]++;
	if (times == 0)
		return;
	diag_add(&diag, (int)vm, DIAG_DMA_FAULT, bdf, "carry out DMA of %s (%u %s): %s",
		 config->vm[vm].name, times, times == 1 ? "fault" : "faults", event);
	log_finding(&diag.finding[0]);
}

/* More faults came than the SMMU's queue has room for, which the kernel does not count. */
static void tell_overflow(const char *said)
{
	unsigned times = tally_add(&overflows);
	struct diag diag = { 0 };

	if (times == 0)
		return;
	diag_add(&diag, DIAG_HOST, DIAG_DMA_FAULT, "host", "count all DMA that faults (%u %s): %s",
		 times, times == 1 ? "time" : "times", said);
	log_finding(&diag.finding[0]);
}

void dma_fault_line(const char *text)
{
	char line[TEXT]; /* telling of it reads the next line into the place of this one */
	const char *said;
	char bdf[SYS_BDF];
	unsigned hostdev;
	unsigned vm;

	str_copy(line, sizeof(line), text);
	said = said_by_smmu(line);
	if (str_prefix(line, SUPPRESSED))
		unnamed += strtoul(line + strlen(SUPPRESSED), NULL, 10);
	else if (said && find_client(said, bdf, &vm, &hostdev))
		tell_fault(vm, hostdev, bdf, said + strlen(EVENT));
	else if (said && str_prefix(said, OVERFLOW))
		tell_overflow(said);
}

bool dma_fault_hides(const char *text)
{
	/* The record of an event, its words behind a tab that is spelled out, the kind of access. */
	static const char *const always[] = { "event 0x", "\\x090x", "priv ", "unpriv ", OVERFLOW };
	const char *said = said_by_smmu(text);
	char bdf[SYS_BDF];
	unsigned hostdev;
	unsigned vm;

	for (size_t i = 0; said && i < ARRAY_SIZE(always); i++)
		if (str_prefix(said, always[i]))
			return true;
	return str_prefix(text, SUPPRESSED) || (said && find_client(said, bdf, &vm, &hostdev));
}

uint64_t dma_fault_count(unsigned vm, unsigned hostdev)
{
	return counts[vm][hostdev];
}

uint64_t dma_fault_unnamed(void)
{
	return unnamed;
}
