/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The classes that somebody would give to a virtual machine, and those that stand beside them. */
#include "kind.h"

#include "util.h"

enum { BASE = 0xff0000, SUB = 0xffff00, INTERFACE = 0xffffff };

/* The first that fits counts. */
static const struct {
	uint32_t class;
	uint32_t mask;
	const char *name;
} kinds[] = {
	{ 0x010000, SUB, "SCSI" },	   { 0x010400, SUB, "RAID" },
	{ 0x010600, SUB, "SATA" },	   { 0x010700, SUB, "SAS" },
	{ 0x010802, INTERFACE, "NVMe" },   { 0x010000, BASE, "storage" },
	{ 0x020000, SUB, "Ethernet" },	   { 0x020700, SUB, "InfiniBand" },
	{ 0x020000, BASE, "network" },	   { 0x030000, SUB, "VGA" },
	{ 0x030200, SUB, "GPU" },	   { 0x030000, BASE, "display" },
	{ 0x040300, SUB, "audio" },	   { 0x040000, BASE, "multimedia" },
	{ 0x050200, SUB, "CXL memory" },   { 0x050000, BASE, "memory" },
	{ 0x060000, SUB, "host bridge" },  { 0x060400, SUB, "PCI bridge" },
	{ 0x060000, BASE, "bridge" },	   { 0x070000, BASE, "serial" },
	{ 0x080000, BASE, "system" },	   { 0x090000, BASE, "input" },
	{ 0x0b0000, BASE, "processor" },   { 0x0c0300, SUB, "USB" },
	{ 0x0c0000, BASE, "serial bus" },  { 0x0d0000, BASE, "wireless" },
	{ 0x100000, BASE, "crypto" },	   { 0x110000, BASE, "signals" },
	{ 0x120000, BASE, "accelerator" },
};

const char *kind_of(uint32_t class)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if ((class & kinds[i].mask) == kinds[i].class)
			return kinds[i].name;
	return "other";
}
