/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Authenticode signatures. What reads them is a program of others' on a file that nobody trusts yet, so
 * it runs as nobody, and can neither write nor talk. For children of PID 1.
 */
#ifndef HVINIT_SYS_VERIFY_H
#define HVINIT_SYS_VERIFY_H

#include <stdbool.h>
#include <stddef.h>

/* The certificate that 'make sign' puts into an image. */
#define SYS_CERTIFICATE "/etc/hvinit/certificate.pem"

/* Whether this image has one: then it takes no other than signed ones. */
bool sys_certificate_exists(int root);

/*
 * Whether the file that fd has open is signed by who has the key of that certificate. 0; -EKEYREJECTED:
 * it is not; any other negative errno: it could not be found out. said is the program's last line, ""
 * when there is none. Validity dates do not count, as with UEFI.
 */
int sys_verify(int fd, char *said, size_t size);

#endif
