/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256, for the hash in the manifest's header. */
#ifndef HVINIT_SHA256_H
#define HVINIT_SHA256_H

#include <stddef.h>

enum { SHA256_HEX = 65 };

/* Writes the hash of data as 64 lower-case hexadecimal digits and a NUL. */
void sha256_hex(const void *data, size_t len, char hex[SHA256_HEX]);

/*
 * The same of a file below root; 0 or a negative errno, with "" in hex. Maps it: for small files. It must
 * be a regular one.
 */
int sha256_file(int root, const char *path, char hex[SHA256_HEX]);

#endif
