/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What PID 1 gives up itself, and closes on the machine, before anything else runs. */
#ifndef HVINIT_HARDEN_H
#define HVINIT_HARDEN_H

/*
 * Drops, for PID 1 and all that it will ever start, capabilities that nothing here needs; nobody may
 * look into it or trace it, and who traces others needs CAP_SYS_PTRACE. A part that fails is left
 * out. Returns NULL, or the name of the first such part with errno set.
 */
const char *harden_self(void);

#endif
