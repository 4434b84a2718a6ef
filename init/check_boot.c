/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's machine, firmware, files and what it boots from. */
#include "check_private.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

#include "argv.h"
#include "manifest.h"
#include "util.h"

enum {
	CLASS_STORAGE = 0x01, /* base classes (PCI Code and ID Assignment, 1.1 and 1.2) */
	CLASS_NETWORK = 0x02,
	CLASS_SERIAL_BUS = 0x0c, /* USB among them */
	BOOT_INDEXES = 100,
};

/* As QEMU writes it: no sign, no leading zero. */
static bool take_number(const char **at, unsigned long *number)
{
	const char *text = *at;
	char *end;

	if (!isdigit((unsigned char)text[0]) || (text[0] == '0' && isdigit((unsigned char)text[1])))
		return false;
	*number = strtoul(text, &end, 10);
	*at = end;
	return true;
}

/* The versions that QEMU 11.1 lists: 5.2 and then three a year. */
static bool is_known_machine(const char *name)
{
	unsigned long major;
	unsigned long minor;
	const char *at = name + strlen("virt-");

	if (strcmp(name, "virt") == 0)
		return true;
	if (!str_prefix(name, "virt-"))
		return false;
	if (!take_number(&at, &major) || *at++ != '.' || !take_number(&at, &minor) || *at ||
	    minor > 2)
		return false;
	return (major == 5 && minor == 2) || (major >= 6 && major <= 10) ||
	       (major == 11 && minor <= 1);
}

static void check_machine(const struct check *c)
{
	if (!is_known_machine(c->vm->machine))
		check_fail(c, DIAG_MACHINE_NONE, SYMBOL(c, "MACHINE"),
			   "be a %s: want virt, or virt-5.2 to " QEMU_MACHINE, c->vm->machine);
}

/* --- files --- */

static bool has_file(const struct check *c, const char *path)
{
	if (c->set->files)
		return filelist_has(c->set->files, path);
	return c->set->root < 0 || sys_exists(c->set->root, path);
}

static void check_file(const struct check *c, const char *path, const char *last)
{
	if (path[0] && !has_file(c, path))
		check_fail(c, DIAG_FILE_NONE, SYMBOL(c, "%s", last), "open %.200s: no such file",
			   path);
}

static void check_files(const struct check *c)
{
	if (!has_file(c, QEMU_PATH))
		check_fail(c, DIAG_QEMU_NONE, c->vm->name, "start %s: no such file", QEMU_PATH);
	check_file(c, c->vm->firmware, "FIRMWARE");
	check_file(c, c->vm->kernel, "KERNEL");
	check_file(c, c->vm->initrd, "INITRD");
}

/* QEMU refuses both without a kernel; Kconfig does not even ask for them then. */
static void check_kernel_words(const struct check *c)
{
	if (c->vm->kernel[0])
		return;
	if (c->vm->initrd[0])
		check_fail(c, DIAG_KERNEL_NONE, SYMBOL(c, "INITRD"),
			   "load it: there is no kernel that could use it");
	if (c->vm->cmdline[0])
		check_fail(c, DIAG_KERNEL_NONE, SYMBOL(c, "CMDLINE"),
			   "hand it over: there is no kernel that could read it");
}

static void check_state(const struct check *c)
{
	if (c->vm->uefi_vars == VM_UEFI_VARS_KEEP && !c->config->host.state_partlabel[0])
		check_fail(c, DIAG_STATE_NONE, SYMBOL(c, "UEFI_VARS"),
			   "keep them: HOST_STATE_PARTLABEL names no partition to keep them on");
}

/* --- what it boots from --- */

/* Slots of all kinds in one row: disks, network interfaces, devices. */
enum { BOOTABLE = HV_DISK_SLOTS + HV_NET_SLOTS + HV_HOSTDEV_SLOTS };

static const char *boot_symbol(const struct check *c, unsigned n, char name[DIAG_SUBJECT])
{
	if (n < HV_DISK_SLOTS)
		return check_symbol(c, name, "DISK%u_BOOTINDEX", n);
	n -= HV_DISK_SLOTS;
	if (n < HV_NET_SLOTS)
		return check_symbol(c, name, "NET%u_BOOTINDEX", n);
	return check_symbol(c, name, "HOSTDEV%u_BOOTINDEX", n - HV_NET_SLOTS);
}

/* An optional device that is not there: the VM starts without it. */
static bool is_absent(const struct check *c, unsigned hostdev)
{
	for (unsigned i = 0; i < c->plan->devices; i++)
		if (c->plan->device[i].slot == hostdev)
			return c->plan->device[i].absent;
	return false;
}

static int64_t bootindex(const struct check *c, unsigned n)
{
	const struct vm_config *vm = c->vm;

	if (n < HV_DISK_SLOTS)
		return manifest_disk_used(&vm->disk[n]) ? vm->disk[n].bootindex : HV_NONE;
	n -= HV_DISK_SLOTS;
	if (n < HV_NET_SLOTS)
		return manifest_net_used(&vm->net[n]) ? vm->net[n].bootindex : HV_NONE;
	n -= HV_NET_SLOTS;
	if (!manifest_hostdev_used(&vm->hostdev[n]) || is_absent(c, n))
		return HV_NONE;
	return vm->hostdev[n].bootindex;
}

/* Whether any has a number; two with the same one are told of. */
static bool check_order(const struct check *c)
{
	unsigned first[BOOT_INDEXES];
	bool taken[BOOT_INDEXES] = { false };
	char symbol[DIAG_SUBJECT];
	char other[DIAG_SUBJECT];
	bool any = false;

	for (unsigned n = 0; n < BOOTABLE; n++) {
		int64_t index = bootindex(c, n);

		if (index < 0 || index >= BOOT_INDEXES)
			continue;
		any = true;
		if (taken[index])
			check_fail(c, DIAG_BOOT_CLASH, boot_symbol(c, n, symbol),
				   "boot from it as number %" PRId64 ": %s is the same", index,
				   boot_symbol(c, first[index], other));
		else
			first[index] = n;
		taken[index] = true;
	}
	return any;
}

/* A device that is not known may be anything. */
static bool may_boot(const struct plan_device *d)
{
	uint32_t base = d->fact ? d->fact->class >> 16 : 0;

	return !base || base == CLASS_STORAGE || base == CLASS_NETWORK || base == CLASS_SERIAL_BUS;
}

static void check_bootable(const struct check *c)
{
	bool ordered = check_order(c);

	if (c->vm->kernel[0] || ordered || c->plan->disks || c->plan->nets)
		return;
	for (unsigned i = 0; i < c->plan->devices; i++)
		if (!c->plan->device[i].absent && may_boot(&c->plan->device[i]))
			return;
	check_fail(c, DIAG_BOOT_NONE, c->vm->name,
		   "boot: it has no kernel, disk or network, and no device that is one");
}

void check_boot(const struct check *c)
{
	check_machine(c);
	check_files(c);
	check_kernel_words(c);
	check_state(c);
	check_bootable(c);
}
