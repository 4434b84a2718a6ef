/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256, for the hash in the manifest's header and of images. */
#ifndef HVINIT_SHA256_H
#define HVINIT_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_HEX = 65, SHA256_BLOCK = 64 };

/* Of data that comes in pieces. */
struct sha256 {
	uint32_t h[8];
	uint64_t len; /* bytes so far */
	uint8_t rest[SHA256_BLOCK]; /* those that do not fill a block yet */
};

void sha256_begin(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *data, size_t len);
/* Writes the hash of all that was added, as sha256_hex() does. */
void sha256_end(struct sha256 *sha, char hex[SHA256_HEX]);

/* Whether text is a hash in hexadecimal digits, in whatever case. */
bool sha256_is_hex(const char *text);

/* Writes the hash of data as 64 lower-case hexadecimal digits and a NUL. */
void sha256_hex(const void *data, size_t len, char hex[SHA256_HEX]);

/*
 * The same of a file below root; 0 or a negative errno, with "" in hex. Maps it: for small files. It must
 * be a regular one.
 */
int sha256_file(int root, const char *path, char hex[SHA256_HEX]);

#endif
