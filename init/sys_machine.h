/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's files that tell of the machine itself: its watchdog, its buttons, the firmware's
 * variables, what the kernel said when it panicked. What can fail returns 0 or more, or a negative
 * errno.
 */
#ifndef HVINIT_SYS_MACHINE_H
#define HVINIT_SYS_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sys.h"

/*
 * A firmware variable's attributes stand before its value, little-endian (Linux,
 * Documentation/filesystems/efivarfs.rst): non-volatile, boot and run time (UEFI specification,
 * section 8.2).
 */
enum { SYS_EFI_ATTRIBUTES = 4 };
#define SYS_EFI_KEPT "\x07\0\0\0"

/* hvinit's own variables, and those of the boot loader interface (systemd). */
#define SYS_EFI_OURS "3abd3883-29fd-4b35-859c-b9d35052ed58"
#define SYS_EFI_LOADER "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
/* The UEFI specification's own (section 3.3), such as boot options. */
#define SYS_EFI_GLOBAL "8be4df61-93ca-11d2-aa0d-00e098032b8c"

enum { SYS_EFI_PATH = 128 };

/* Opening it starts it. The caller owns the descriptor (close-on-exec). */
int sys_watchdog_open(int root);

/* Calls each for every event device ("event0"), as sys_names() does. */
int sys_input_each(int root, int (*each)(void *arg, const char *name), void *arg);
/* The caller owns the descriptor (close-on-exec, non-blocking). */
int sys_input_open(int root, const char *name);

/* Whether the firmware has variables. */
bool sys_efi_exists(int root);
/* The file of a firmware variable; false when path is too small for it. */
bool sys_efi_path(const char *name, const char *vendor, char path[SYS_EFI_PATH]);
/* A variable's value without its attributes, with a NUL behind it; the number of its bytes. */
ssize_t sys_efi_read(int root, const char *path, char *buf, size_t size);
/* The same of a short text in UTF-16, as the boot loader's are: what is not ASCII becomes '?'. */
ssize_t sys_efi_text(int root, const char *path, char *buf, size_t size);
/* The bytes of a variable of the specification's own, as they are; -EFBIG when they do not fit. */
ssize_t sys_efi_global(int root, const char *name, void *buf, size_t size);
/* Calls each for the name of every variable of the vendor's that begins so, as sys_names() does. */
int sys_efi_each(int root, const char *prefix, const char *vendor,
		 int (*each)(void *arg, const char *name), void *arg);
/*
 * Writes a variable, or makes it; data begins with the attributes. Async-signal-safe. Firmware can
 * take its time, with all CPUs: not for PID 1 while it has something else to do.
 */
int sys_efi_write(int root, const char *path, const void *data, size_t size);
int sys_efi_remove(int root, const char *path);

/*
 * Whether the firmware's Secure Boot is on: 1 or 0 (also of firmware that has none), or a negative
 * errno when it cannot be told, as without efivarfs. The kernel's words can bring that about
 * (efi=noruntime), so who trusts by it takes an error for 1.
 */
int sys_secure_boot(int root);
/* The kernel's lockdown: "none", "integrity" or "confidentiality" (Linux, security/lockdown). */
int sys_lockdown(int root, char *word, size_t size);

/* What the kernel kept of its log when it panicked: each calls for every record's name. */
int sys_pstore_each(int root, int (*each)(void *arg, const char *name), void *arg);
ssize_t sys_pstore_read(int root, const char *name, char *buf, size_t size);
/* Frees its place in the firmware. */
int sys_pstore_remove(int root, const char *name);

enum { SYS_MACHINE_UUID = 37 };

/*
 * The machine's own UUID (SMBIOS type 1), in lower case and in the order of bytes that dmidecode shows it
 * in, too. -ENODATA: it has none that is its own, but all zeros or ones (SMBIOS specification 3.7,
 * section 7.2.1).
 */
int sys_machine_uuid(int root, char uuid[SYS_MACHINE_UUID]);

/* Whether the PCI device is below that bridge or root port. */
bool sys_pci_is_below(int root, const char *bdf, const char *port);

/* The process that a thread belongs to; a negative errno when there is none. */
pid_t sys_process_of(int root, pid_t thread);

#endif
