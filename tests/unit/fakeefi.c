/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A variable is replaced whole, other than a file. */
#include "fakeefi.h"

#include <unistd.h>

#include "sys_machine.h"

unsigned efi_writes;
int efi_write_error;

/* The linker gives the wrapped names. NOLINTBEGIN(bugprone-reserved-identifier) */
int __real_sys_efi_write(int dir, const char *path, const void *data, size_t size);
int __wrap_sys_efi_write(int dir, const char *path, const void *data, size_t size);

int __wrap_sys_efi_write(int dir, const char *path, const void *data, size_t size)
{
	efi_writes++;
	if (efi_write_error)
		return efi_write_error;
	unlinkat(dir, path, 0);
	return __real_sys_efi_write(dir, path, data, size);
}
/* NOLINTEND(bugprone-reserved-identifier) */
