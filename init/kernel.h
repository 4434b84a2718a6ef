/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a kernel was built with, read from the configuration that lies beside it. */
#ifndef HVINIT_KERNEL_H
#define HVINIT_KERNEL_H

#include <stdbool.h>

enum kernel_symbol {
#define KERNEL(name) KERNEL_##name,
#include "kernel.def"
#undef KERNEL
	KERNEL_SYMBOLS
};

enum kernel_state { KERNEL_UNKNOWN, KERNEL_NO, KERNEL_MODULE, KERNEL_YES };

/* The name without "CONFIG_". */
const char *kernel_symbol_name(enum kernel_symbol symbol);

/*
 * Reads the configuration of the kernel of that release below root, from the first of
 * usr/lib/hvinit/kernel.config (an image's own), boot/config-RELEASE and
 * usr/lib/modules/RELEASE/config; without any, all stay KERNEL_UNKNOWN.
 */
void kernel_read(int root, const char *release, enum kernel_state state[KERNEL_SYMBOLS]);

/* Whether root is an image of hvinit's, by the configuration that it has of its kernel. */
bool kernel_is_own(int root);

#endif
