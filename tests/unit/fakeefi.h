/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes of firmware variables that are files of an invented machine: for tests that wrap sys_efi_write(). */
#ifndef HVINIT_FAKEEFI_H
#define HVINIT_FAKEEFI_H

extern unsigned efi_writes; /* that were asked for */
extern int efi_write_error; /* 0, or the negative errno that they return */

#endif
