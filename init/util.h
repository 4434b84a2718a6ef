/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small helpers that every room uses: scoped descriptors, bounded text, shared memory, array sizes. */
#ifndef HVINIT_UTIL_H
#define HVINIT_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

static inline void close_fdp(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Closes the descriptor when the variable goes out of scope; steal_fd() keeps it. */
#define _cleanup_fd_ __attribute__((cleanup(close_fdp)))

static inline int steal_fd(int *fd)
{
	int kept = *fd;

	*fd = -1;
	return kept;
}

/* Copies what fits and always terminates; false when src was cut. */
static inline bool str_copy(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);
	bool fits = len < size;

	if (!fits)
		len = size - 1;
	memcpy(dst, src, len);
	dst[len] = '\0';
	return fits;
}

/* snprintf that says whether all of it fitted. */
PRINTF_LIKE(3, 4)
static inline bool str_format(char *dst, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(dst, size, fmt, ap);
	va_end(ap);
	return n >= 0 && (size_t)n < size;
}

/*
 * Zeroed memory that the caller and its later children share, for good: what a child finds out is read by
 * PID 1. NULL with errno. Source: mmap(2).
 */
static inline void *memory_share(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

/* Microseconds since boot, sleep included: the clock of all timers. */
static inline uint64_t boottime_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static inline bool str_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

#endif
