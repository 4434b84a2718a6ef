/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of two versions is the newer one, in the boot loader's order. */
#ifndef HVINIT_VERSION_ORDER_H
#define HVINIT_VERSION_ORDER_H

/*
 * Below 0: a is older than b; 0: neither; above 0: a is newer. UAPI.10, "Version Format
 * Specification".
 */
int version_order(const char *a, const char *b);

#endif
