/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 after FIPS 180-4. Debian's libraries for it are built against glibc and cannot be
 * linked into a static musl program, and AF_ALG is not there on every build machine.
 */
#include "sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "util.h"

enum { BLOCK = SHA256_BLOCK };

/* FIPS 180-4 section 4.2.2: fractional parts of the cube roots of the first 64 primes. */
static const uint32_t K[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t ror(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static void block(uint32_t h[8], const uint8_t *p)
{
	uint32_t w[64];
	uint32_t v[8];

	for (unsigned t = 0; t < 16; t++, p += 4)
		w[t] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
	for (unsigned t = 16; t < 64; t++) {
		uint32_t s0 = ror(w[t - 15], 7) ^ ror(w[t - 15], 18) ^ w[t - 15] >> 3;
		uint32_t s1 = ror(w[t - 2], 17) ^ ror(w[t - 2], 19) ^ w[t - 2] >> 10;

		w[t] = w[t - 16] + s0 + w[t - 7] + s1;
	}
	memcpy(v, h, sizeof(v));
	for (unsigned t = 0; t < 64; t++) {
		uint32_t s1 = ror(v[4], 6) ^ ror(v[4], 11) ^ ror(v[4], 25);
		uint32_t s0 = ror(v[0], 2) ^ ror(v[0], 13) ^ ror(v[0], 22);
		uint32_t t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + K[t] + w[t];
		uint32_t t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (unsigned i = 0; i < 8; i++)
		h[i] += v[i];
}

void sha256_begin(struct sha256 *sha)
{
	/* Section 5.3.3. */
	static const uint32_t first[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	memcpy(sha->h, first, sizeof(first));
	sha->len = 0;
}

void sha256_add(struct sha256 *sha, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t used = sha->len % BLOCK;

	sha->len += len;
	if (used && len >= BLOCK - used) {
		memcpy(sha->rest + used, p, BLOCK - used);
		block(sha->h, sha->rest);
		p += BLOCK - used;
		len -= BLOCK - used;
		used = 0;
	}
	for (; !used && len >= BLOCK; p += BLOCK, len -= BLOCK)
		block(sha->h, p);
	if (len)
		memcpy(sha->rest + used, p, len);
}

/* Section 5.1.1: a one bit, zeros, and the length in bits in the last eight bytes. */
void sha256_end(struct sha256 *sha, char hex[SHA256_HEX])
{
	uint8_t pad[2 * BLOCK] = { 0x80 };
	size_t left = sha->len % BLOCK;
	size_t zeros = (left < BLOCK - 8 ? BLOCK : 2 * BLOCK) - left;
	uint64_t bits = sha->len * 8;

	for (unsigned i = 0; i < 8; i++)
		pad[zeros - 1 - i] = (uint8_t)(bits >> (8 * i));
	sha256_add(sha, pad, zeros);
	for (unsigned i = 0; i < 8; i++)
		snprintf(hex + (size_t)i * 8, SHA256_HEX - (size_t)i * 8, "%08x", sha->h[i]);
}

void sha256_hex(const void *data, size_t len, char hex[SHA256_HEX])
{
	struct sha256 sha;

	sha256_begin(&sha);
	sha256_add(&sha, data, len);
	sha256_end(&sha, hex);
}

bool sha256_is_hex(const char *text)
{
	return strlen(text) == SHA256_HEX - 1 &&
	       text[strspn(text, "0123456789abcdefABCDEF")] == '\0';
}

/* Not opened for writing by anybody, as files of the image are not: else a cut would be a fault. */
int sha256_file(int root, const char *path, char hex[SHA256_HEX])
{
	_cleanup_fd_ int fd = openat(root, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	void *data;

	hex[0] = '\0';
	if (fd < 0 || fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_size == 0) {
		sha256_hex("", 0, hex);
		return 0;
	}
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return -errno;
	sha256_hex(data, (size_t)st.st_size, hex);
	munmap(data, (size_t)st.st_size);
	return 0;
}
