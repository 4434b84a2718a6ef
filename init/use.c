/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each use is found as the kernel sees it now; the first one found is kept. */
#include "use.h"

#include <stdlib.h>

#include "bootdev.h"
#include "sys_use.h"
#include "util.h"

enum {
	CLASS_IPMI = 0x0c07, /* base class and subclass (PCI Code and ID Assignment, 1.13) */
	VENDOR_ASPEED = 0x1a03,
	VENDOR_MATROX = 0x102b,
	VENDOR_HUAWEI = 0x19e5,
	VENDOR_HP = 0x103c,
	VENDOR_HPE = 0x1590, /* the kernel's PCI_VENDOR_ID_HP_3PAR */
	MATROX_G200_FIRST = 0x0522, /* the G200s of BMCs (drivers/gpu/drm/mgag200/mgag200_drv.c) */
	MATROX_G200_LAST = 0x053a,
	HUAWEI_HI1710 = 0x1711, /* drivers/gpu/drm/hisilicon/hibmc/hibmc_drm_drv.c */
	/*
	 * iLO's functions: USB, serial port, KCS, support, messaging and watchdog, and iLO 5's USB
	 * (pci.ids, vendor 103c; drivers/watchdog/hpwdt.c, drivers/misc/hpilo.c). That those of Arm
	 * servers (ProLiant RL300) have the same ids is from memory.
	 */
	ILO_FIRST = 0x3300,
	ILO_LAST = 0x3308,
	ILO5_USB = 0x22f6,
	ILO_HPE = 0x0389, /* drivers/watchdog/hpwdt.c, "PCtrl" */
	CONSOLES = 256,
	UUID = 40,
};

struct use {
	int root;
	struct facts *facts;
	char text[FACTS_USE];
};

static struct pci_fact *find(struct facts *facts, const char *bdf)
{
	for (unsigned i = 0; i < facts->count; i++)
		if (strcmp(facts->device[i].bdf, bdf) == 0)
			return &facts->device[i];
	return NULL;
}

static int mark(void *arg, const char *bdf)
{
	const struct use *use = arg;
	struct pci_fact *device = find(use->facts, bdf);

	if (device && !device->use[0])
		str_copy(device->use, sizeof(device->use), use->text);
	return 0;
}

/* Whoever names a mount point can put any byte into it, and this text is shown on terminals. */
PRINTF_LIKE(2, 3)
static void set_text(struct use *use, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(use->text, sizeof(use->text), fmt, ap);
	va_end(ap);
	for (char *c = use->text; *c; c++)
		if (*c < ' ' || *c > '~' || *c == '"')
			*c = '?';
}

static int mark_mount(void *arg, const char *block, const char *on)
{
	struct use *use = arg;

	set_text(use, "mounted at %s", on);
	sys_block_pci(use->root, block, mark, use);
	return 0;
}

static int mark_swap(void *arg, const char *block)
{
	struct use *use = arg;

	set_text(use, "swap");
	sys_block_pci(use->root, block, mark, use);
	return 0;
}

/*
 * By the partition, which tells also of a RAID, once its disk has come up; and by the firmware's own
 * path, for a disk that no driver has: it may be reserved for a VM.
 */
static void mark_boot(struct use *use)
{
	char bdf[SYS_BDF];
	char uuid[UUID];

	set_text(use, "booted from");
	if (bootdev_find(use->root, bdf) == 0)
		mark(use, bdf);
	if (sys_block_any(use->root) && sys_boot_partition(use->root, uuid, sizeof(uuid)) == 0)
		sys_partition_pci(use->root, "PARTUUID", uuid, mark, use);
}

static int mark_net(void *arg, const char *name, const char *bdf)
{
	struct use *use = arg;

	set_text(use, "network %s is up", name);
	return mark(use, bdf);
}

static void mark_consoles(struct use *use)
{
	char names[CONSOLES];
	char *rest = names;
	char bdf[SYS_BDF];
	const char *name;

	if (sys_consoles(use->root, names, sizeof(names)) <= 0)
		return;
	while ((name = strsep(&rest, " "))) {
		if (!*name || sys_tty_pci(use->root, name, bdf))
			continue;
		set_text(use, "console %s", name);
		mark(use, bdf);
	}
}

static bool is_bmc(const struct pci_fact *d)
{
	if (d->class >> 8 == CLASS_IPMI || d->vendor == VENDOR_ASPEED)
		return true;
	if (d->vendor == VENDOR_MATROX)
		return d->device >= MATROX_G200_FIRST && d->device <= MATROX_G200_LAST;
	if (d->vendor == VENDOR_HP)
		return d->device == ILO5_USB || (d->device >= ILO_FIRST && d->device <= ILO_LAST);
	if (d->vendor == VENDOR_HPE)
		return d->device == ILO_HPE;
	return d->vendor == VENDOR_HUAWEI && d->device == HUAWEI_HI1710;
}

static void mark_functions(struct use *use)
{
	char boot[8];

	for (unsigned i = 0; i < use->facts->count; i++) {
		struct pci_fact *d = &use->facts->device[i];

		if (d->bridge || d->use[0])
			continue;
		if (is_bmc(d))
			str_copy(d->use, sizeof(d->use), "BMC");
		else if (sys_pci_read(use->root, d->bdf, "boot_vga", boot, sizeof(boot)) > 0 &&
			 boot[0] == '1')
			str_copy(d->use, sizeof(d->use), "boot display");
	}
}

void use_discover(int root, struct facts *facts)
{
	struct use use = { .root = root, .facts = facts };

	sys_mount_each(root, mark_mount, &use);
	sys_swap_each(root, mark_swap, &use);
	mark_boot(&use);
	mark_consoles(&use);
	sys_net_each(root, mark_net, &use);
	mark_functions(&use);
}

static int take_bdf(void *arg, const char *bdf)
{
	str_copy(arg, SYS_BDF, bdf);
	return 1;
}

bool use_partition(int root, const char *partlabel, char bdf[SYS_BDF])
{
	return sys_partition_pci(root, "PARTNAME", partlabel, take_bdf, bdf) > 0;
}
