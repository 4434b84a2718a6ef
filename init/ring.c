/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Positions count bytes ever written, so that a reader sees how much it has lost. */
#include "ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

int ring_init(struct ring *ring, size_t size)
{
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (data == MAP_FAILED)
		return -errno;
	ring->data = data;
	ring->size = size;
	ring->total = 0;
	return 0;
}

void ring_write(struct ring *ring, const char *data, size_t len)
{
	if (!ring->data)
		return;
	ring->total += len;
	if (len > ring->size) {
		data += len - ring->size;
		len = ring->size;
	}
	while (len > 0) {
		size_t at = (size_t)((ring->total - len) % ring->size);
		size_t n = ring->size - at < len ? ring->size - at : len;

		memcpy(ring->data + at, data, n);
		data += n;
		len -= n;
	}
}

size_t ring_read(const struct ring *ring, uint64_t *at, char *buf, size_t size)
{
	size_t done = 0;

	if (!ring->data)
		return 0;
	if (*at < ring_oldest(ring))
		*at = ring_oldest(ring);
	while (done < size && *at < ring->total) {
		size_t from = (size_t)(*at % ring->size);
		size_t n = ring->size - from;

		if (n > size - done)
			n = size - done;
		if (n > ring->total - *at)
			n = (size_t)(ring->total - *at);
		memcpy(buf + done, ring->data + from, n);
		done += n;
		*at += n;
	}
	return done;
}
