/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The manifest: the HOST_* and VM<n>_* symbols of a .config, read into struct config. */
#ifndef HVINIT_MANIFEST_H
#define HVINIT_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "diag.h"
#include "symbols.h"

#define MANIFEST_PATH "/etc/hvinit/manifest"

/* The newest machine type of the image's QEMU: what "virt" stands for when a manifest is made. */
#define QEMU_MACHINE "virt-11.1"

enum { MANIFEST_MAX = 256 * 1024 }; /* bytes; a full one has less than a quarter of that */

/* Every symbol at its template's default; no VM has a name. */
void manifest_defaults(struct config *config);

/*
 * Reads a manifest of len bytes (it need not be terminated) over what config holds. What is wrong
 * goes to diag, by symbol and line: a fault in a VM's symbol concerns that VM only, a fault in the
 * header or in a line without a symbol concerns the host (then no VM may be started).
 */
void manifest_parse(const char *text, size_t len, struct config *config, struct diag *diag);

/*
 * The same for a file ("-" is standard input). False with a finding when it cannot be read. Not
 * for two callers at a time: the text is kept in static memory.
 */
bool manifest_load(const char *path, struct config *config, struct diag *diag);

/*
 * Reads a file ("-" is standard input) into static memory, terminated: its text, or NULL with a
 * finding.
 */
const char *manifest_read(const char *path, size_t *len, struct diag *diag);

/*
 * The slot that names the device itself (not one of its virtual functions), and its VM's number;
 * NULL when there is none. A slot of a VM
 * whose name is missing or wrong counts: whoever wrote it did not mean the device for the host.
 */
const struct hostdev_config *manifest_find(const struct config *config, const char *bdf,
					   unsigned *vm);

/*
 * Sets a symbol to a value as line 1 of a manifest would, quotes included; false with a finding
 * when it cannot have it. diag must have room.
 */
bool manifest_set(const char *name, const char *value, struct config *config, struct diag *diag);

/* Whether a line of a manifest names a symbol first whose value nothing may show, set or not. */
bool manifest_is_secret(const char *line);

/*
 * Applies hvinit.<SYMBOL>=<value> words of a kernel command line for the symbols whose template
 * allows it, and tells whether hvinit.safe is among them. With trusted false (Secure Boot is on)
 * only hvinit.safe counts. Words that are refused are warnings in diag.
 */
bool manifest_cmdline(const char *cmdline, bool trusted, struct config *config, struct diag *diag);

/*
 * Applies one SYMBOL=value as such a word would; false with a warning when it is refused. Calls each
 * with the name of every symbol that can be set so, those of VMs that there are.
 */
bool manifest_override(const char *word, struct config *config, struct diag *diag);
void manifest_settable(const struct config *config, void (*each)(void *arg, const char *name),
		       void *arg);

/*
 * Writes the manifest for a .config of len bytes and a NUL; nothing but findings when it has
 * faults.
 */
void manifest_write(const char *dotconfig, size_t len, FILE *out, struct diag *diag);

/* A slot without its first symbol is none: a VM without a name, a device without a BDF. */
static inline bool manifest_vm_used(const struct vm_config *vm)
{
	return vm->name[0] != '\0';
}

static inline bool manifest_hostdev_used(const struct hostdev_config *hostdev)
{
	return hostdev->bdf[0] != '\0';
}

static inline bool manifest_disk_used(const struct disk_config *disk)
{
	return disk->path[0] != '\0';
}

/* QEMU wants to know which of the two a disk is; block devices are below /dev. */
static inline bool manifest_disk_is_block(const struct disk_config *disk)
{
	return strncmp(disk->path, "/dev/", 5) == 0;
}

static inline bool manifest_net_used(const struct net_config *net)
{
	return net->bridge[0] != '\0';
}

static inline bool manifest_bridge_used(const struct bridge_config *bridge)
{
	return bridge->name[0] != '\0';
}

#endif
