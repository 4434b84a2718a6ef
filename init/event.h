/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens on the machine, for programs that want to be told: a line of JSON each, in a ring that
 * the command 'events' follows. docs/schema/event.schema.json says what is in a line.
 */
#ifndef HVINIT_EVENT_H
#define HVINIT_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include "ring.h"

/* Takes memory for the lines that are not read yet; before that they are lost. 0 or a negative errno. */
int event_init(size_t bytes);
const struct ring *event_ring(void);

/*
 * A line for who begins to follow, which is in no ring: what happens from then on is told, so how
 * things are is best asked for after it.
 */
void event_greeting(char *line, size_t size);

/* A VM has gone from one state to another, or on in the same one for another reason; why may be "". */
void event_vm(const char *vm, const char *state, const char *before, const char *why);
/* It has ended, for a cause of history.h; its guest has run for so long. */
void event_end(const char *vm, const char *cause, uint64_t ran_ms, const char *why);
/* The device in a VM's HOSTDEV slot; bdf and why may be "". */
void event_device(const char *vm, unsigned slot, const char *bdf, const char *state,
		  const char *why);
/* Of the machine: "poweroff", "reboot", "halt", "safe". */
void event_machine(const char *what);

#endif
