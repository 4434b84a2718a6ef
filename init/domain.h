/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A libvirt domain, as far as a manifest has words for it: libvirt 12's spelling and that of the
 * first patches for several SMMUs. Build machine only.
 */
#ifndef HVINIT_DOMAIN_H
#define HVINIT_DOMAIN_H

#include "cpulist.h"
#include "symbols.h"
#include "sys.h"
#include "xml.h"

enum {
	DOMAIN_UNSET = -1, /* in place of a number: the domain does not say */
	DOMAIN_CONTROLLERS = 256, /* PCI controllers of one kind: indexes end at 255 */
	DOMAIN_BOOTS = 4, /* <boot dev=>: there are no more kinds */
	DOMAIN_WORDS = 64, /* <qemu:arg> */
	DOMAIN_VCPUS = 512,
};

/* Texts are owned by the document; NULL: the domain does not say. Lines are those of the XML. */
struct domain_text {
	const char *text;
	unsigned line;
};

/* Where the guest sees something: <address type='pci'>. */
struct domain_place {
	bool set;
	int bus; /* index of a PCI controller */
	int slot;
	int function;
};

struct domain_pxb {
	xmlNode *node;
	int index;
	int bus_nr;
	struct domain_place at;
};

struct domain_port {
	xmlNode *node;
	int index;
	int chassis;
	int nr;
	struct domain_place at;
};

/* A controller that a manifest has no word for: what is behind it is also behind those above. */
struct domain_bridge {
	int index;
	struct domain_place at;
};

struct domain_smmu {
	xmlNode *node;
	int bus; /* index of its PCI controller */
	bool early; /* the spelling of the first patches */
	bool accel;
	const char *ats;
	const char *ril;
	const char *ssidsize;
	const char *oas;
	const char *cmdqv;
};

struct domain_hostdev {
	xmlNode *node;
	char bdf[SYS_BDF];
	struct domain_place at;
	int boot; /* order, from 1 */
	bool is_net; /* an <interface>, which is a virtual function most likely */
	bool managed;
	bool optional;
	bool no_rom;
	const char *driver;
};

struct domain_disk {
	xmlNode *node;
	const char *path;
	const char *format;
	bool readonly;
	int boot;
	struct domain_place at;
};

struct domain_net {
	xmlNode *node;
	const char *bridge;
	const char *mac;
	int boot;
	struct domain_place at;
};

/* CPUs of the host that a part of the domain is pinned to. */
struct domain_pin {
	bool set;
	unsigned line;
	struct cpulist cpus;
};

struct domain {
	struct domain_text name, uuid, machine, firmware, kernel, initrd, cmdline, iommufd_id;
	struct domain_text boot[DOMAIN_BOOTS]; /* "hd", "network" in order */
	unsigned boots;
	bool keeps_vars; /* has <nvram> */
	unsigned vars_line;
	int64_t memory_mib;
	unsigned memory_line;
	const char *hugepages; /* "2M", "1G" or NULL */
	unsigned hugepages_line;
	int node; /* NUMA node of the memory */
	unsigned node_line;
	int vcpus;
	unsigned vcpus_line;
	struct domain_pin vcpu_all; /* <vcpu cpuset=> */
	struct domain_pin vcpu[DOMAIN_VCPUS];
	struct domain_pin emulator;
	const char *restart; /* a word of VMn_RESTART, or NULL */
	unsigned restart_line;
	const char *on_reset; /* of VMn_ON_RESET, or NULL */
	unsigned on_reset_line;
	unsigned panic_line; /* of a pvpanic device; 0: there is none */
	unsigned pxbs, ports, bridges, smmus, hostdevs, disks, nets, words;
	struct domain_pxb pxb[DOMAIN_CONTROLLERS];
	struct domain_port port[DOMAIN_CONTROLLERS];
	struct domain_bridge bridge[DOMAIN_CONTROLLERS];
	struct domain_smmu smmu[HV_VSMMU_SLOTS];
	struct domain_hostdev hostdev[HV_HOSTDEV_SLOTS];
	struct domain_disk disk[HV_DISK_SLOTS];
	struct domain_net net[HV_NET_SLOTS];
	struct domain_text word[DOMAIN_WORDS]; /* for QEMU */
};

/* Reads the domain below root; it points into the document. What is wrong is told of. */
void domain_read(struct xml *xml, xmlNode *root, struct domain *domain);

/* Tells of all that no one has taken: when everything else has been told. */
void domain_rest(struct xml *xml);

/* The part of it that is in <devices> (domain_devices.c). */
void domain_read_devices(struct xml *xml, xmlNode *devices, struct domain *domain);

/*
 * An attribute that is a number from 0 to max in that base (0: as in C), DOMAIN_UNSET when it is
 * not there; one that is no such number is told of, and counts as not there.
 */
int domain_number(struct xml *xml, xmlNode *node, const char *name, int base, int max);

#endif
