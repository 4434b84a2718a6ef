/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A log of fixed size: the newest bytes stay, the oldest go. */
#ifndef HVINIT_RING_H
#define HVINIT_RING_H

#include <stddef.h>
#include <stdint.h>

struct ring {
	char *data; /* NULL: nothing is kept */
	size_t size;
	uint64_t total; /* bytes ever written */
};

/* Takes size bytes from the kernel, for good; only at boot. 0 or a negative errno. */
int ring_init(struct ring *ring, size_t size);
void ring_write(struct ring *ring, const char *data, size_t len);

/* The position of the oldest byte that is kept. */
static inline uint64_t ring_oldest(const struct ring *ring)
{
	return ring->total > ring->size ? ring->total - ring->size : 0;
}

/*
 * Copies up to size bytes from position *at on, which it moves; a position that is lost already
 * becomes the oldest kept one. Returns the number of bytes, 0 at the end.
 */
size_t ring_read(const struct ring *ring, uint64_t *at, char *buf, size_t size);

#endif
