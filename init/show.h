/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What hvinit can tell without changing anything, printed to stdout: for the program on the build
 * machine, and for children of PID 1 on the console. With json it is for programs to read, as the
 * schemas in docs/schema/ say. False: it could not be told in whole.
 */
#ifndef HVINIT_SHOW_H
#define HVINIT_SHOW_H

#include <stdbool.h>

#include "facts.h"
#include "json.h"
#include "symbols.h"

/* The outermost object, which says what wrote it; its other members and the end are the caller's. */
struct json show_begin_json(void);

/* Every VM's topology, and the machine with them on it. facts: NULL for this machine's, as now. */
bool show_plan(const struct config *config, const struct facts *facts, bool json);

/* The words with which QEMU is started for a VM, whether or not a check would let it start. */
bool show_argv(const struct config *config, unsigned slot, const struct facts *facts, bool json);

/* The machine's PCI devices, and who has them. */
bool show_devices(const struct config *config, const struct facts *facts, bool json);

/* This machine as a host record, after asking its SMMUs or not; or a fragment of a .config. */
enum show_record { SHOW_RECORD, SHOW_PROBED, SHOW_KCONFIG };
bool show_record(enum show_record what);

/* The host, and what keeps VMs from starting on it, faults of the image's manifest among it. */
bool show_check(const struct config *config, bool json);

/* The manifest of this image. */
bool show_manifest(void);

/*
 * What a diagnostic's code means, or the code that a line of QEMU's stands for, in Markdown; all of
 * them for "". False: it is neither.
 */
bool show_explain(const char *what);

#endif
