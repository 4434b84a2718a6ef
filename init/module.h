/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel modules. */
#ifndef HVINIT_MODULE_H
#define HVINIT_MODULE_H

/*
 * Loads a module (by name, '-' and '_' alike) after those that modules.dep says it needs. 0 when
 * it is loaded then, -ENOENT when there is no such module, else a negative errno. Blocks.
 */
int module_load(int root, const char *name);

#endif
