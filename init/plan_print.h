/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans for people: settings, tables and drawn trees; for programs: JSON. */
#ifndef HVINIT_PLAN_PRINT_H
#define HVINIT_PLAN_PRINT_H

#include <stdio.h>

#include "json.h"
#include "plan.h"

/* Behind a value: somebody has set it; it is a guess, for the machine does not tell. */
#define PLAN_MARK_SET '*'
#define PLAN_MARK_GUESS '?'
#define PLAN_LEGEND \
	"* set by hand, the rest is inferred   - none   ? not known: not on this machine"

enum { PLAN_LABEL = 64 };

/* A VM: its settings, its devices on the host and in the guest, and the guest's PCI topology. */
void plan_print(const struct plan *plan, FILE *out);

/* The guest's PCI topology alone, drawn. */
void plan_print_tree(const struct plan *plan, FILE *out);

/* The machine, drawn: physical SMMUs, their groups and devices, and the VM that has each. */
void plan_print_host(const struct config *config, const struct facts *facts, FILE *out);

/*
 * A VM as a member of an array; docs/schema/plan.schema.json says what it holds. Numbers that
 * somebody has set are named in its lists "by_hand".
 */
void plan_json(const struct plan *plan, struct json *json);

/* --- for those who print them --- */

/* "0009:01:00.0", or "0009:01:00.0 VF 3" for a function whose own address is not known. */
const char *plan_label(const struct plan_device *device, char label[PLAN_LABEL]);

/* "Ethernet", "Ethernet VF", or "?" when the device is not there. */
const char *plan_kind(const struct plan_device *device, char kind[PLAN_LABEL]);

/* All memory that the device's BARs take, in bytes. */
uint64_t plan_bar_bytes(const struct plan_device *device);

/* Bytes in the largest unit in which they are a number with one decimal at most: "16 KiB". */
const char *plan_bytes(uint64_t bytes, char text[PLAN_LABEL]);

/* The mark behind a number: '\0' when it was inferred from what is known. */
char plan_mark(bool set, bool guess);

#endif
