/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * BootCurrent names the load option, Boot####, whose device path begins with an ACPI node for the
 * root bridge and a PCI node for each hop below it (UEFI Specification 2.10, sections 3.1.3, 3.3,
 * 10.3.2 and 10.3.3). Whoever can write these variables owns the machine, but a firmware that writes
 * nonsense must not break anything either: every length is looked at.
 */
#include "bootdev.h"

#include <errno.h>
#include <stdint.h>

#include "sys_machine.h"
#include "sys_use.h"
#include "util.h"

enum {
	OPTION = 4096,
	HEAD = 6, /* of a load option: its attributes and the length of its paths */
	NODE = 4, /* of a node: type, subtype, length */
	TYPE_HARDWARE = 1,
	TYPE_ACPI = 2,
	PCI_NODE = 6,
	ACPI_NODE = 12,
	HID_PCI = 0x0a0341d0, /* PNP0A03 as an EISA id */
	HID_PCIE = 0x0a0841d0, /* PNP0A08 */
};

struct bytes {
	const unsigned char *at;
	size_t left;
};

static unsigned word16(const unsigned char *at)
{
	return (unsigned)at[0] | (unsigned)at[1] << 8;
}

static uint32_t word32(const unsigned char *at)
{
	return (uint32_t)word16(at) | (uint32_t)word16(at + 2) << 16;
}

/* Takes the next node; false at the end and at one that is cut off. */
static bool next_node(struct bytes *path, struct bytes *node)
{
	size_t len = path->left < NODE ? 0 : word16(path->at + 2);

	if (len < NODE || len > path->left)
		return false;
	*node = (struct bytes){ path->at, len };
	path->at += len;
	path->left -= len;
	return true;
}

/* The paths of a load option, behind its description, which is UTF-16 and ends by a zero. */
static bool find_paths(const unsigned char *option, size_t size, struct bytes *path)
{
	size_t at = HEAD;
	size_t len;

	if (size < HEAD)
		return false;
	len = word16(option + 4);
	while (at + 2 <= size && word16(option + at))
		at += 2;
	at += 2;
	if (at > size || len > size - at)
		return false;
	*path = (struct bytes){ option + at, len };
	return true;
}

static bool is_root_bridge(const struct bytes *node)
{
	return node->left == ACPI_NODE && node->at[0] == TYPE_ACPI && node->at[1] == 1 &&
	       (word32(node->at + 4) == HID_PCIE || word32(node->at + 4) == HID_PCI);
}

static bool is_pci(const struct bytes *node)
{
	return node->left == PCI_NODE && node->at[0] == TYPE_HARDWARE && node->at[1] == 1;
}

int bootdev_find(int root, char bdf[SYS_BDF])
{
	unsigned char option[OPTION];
	unsigned char current[2];
	struct bytes path;
	struct bytes node;
	char name[16];
	ssize_t n = sys_efi_global(root, "BootCurrent", current, sizeof(current));
	int error;

	if (n != sizeof(current))
		return n < 0 ? (int)n : -EINVAL;
	str_format(name, sizeof(name), "Boot%04X", word16(current));
	n = sys_efi_global(root, name, option, sizeof(option));
	if (n < 0)
		return (int)n;
	if (!find_paths(option, (size_t)n, &path) || !next_node(&path, &node) ||
	    !is_root_bridge(&node))
		return -ENOENT;
	bdf[0] = '\0';
	error = -ENOENT;
	for (uint32_t uid = word32(node.at + 8); next_node(&path, &node) && is_pci(&node);) {
		/* The node has the function first. */
		error = bdf[0] ? sys_pci_child(root, bdf, node.at[5], node.at[4], bdf) :
				 sys_pci_on_root(root, uid, node.at[5], node.at[4], bdf);
		if (error)
			return error;
	}
	return error;
}
