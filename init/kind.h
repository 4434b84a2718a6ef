/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a PCI device is, in a word. */
#ifndef HVINIT_KIND_H
#define HVINIT_KIND_H

#include <stdint.h>

enum { KIND_MAX = sizeof("accelerator") };

/*
 * The word for a class code (0xBBSSII: base class, subclass, interface) of the PCI Code and ID
 * Assignment Specification; never more than KIND_MAX bytes.
 */
const char *kind_of(uint32_t class);

#endif
