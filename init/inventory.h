/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's PCI devices, and what becomes of each. */
#ifndef HVINIT_INVENTORY_H
#define HVINIT_INVENTORY_H

#include <stdio.h>

#include "facts.h"
#include "json.h"
#include "symbols.h"

/* A device a line. */
void inventory_print(const struct config *config, const struct facts *facts, FILE *out);

/* Members of an object that is open; docs/schema/devices.schema.json says what they are. */
void inventory_json(const struct config *config, const struct facts *facts, struct json *json);

#endif
