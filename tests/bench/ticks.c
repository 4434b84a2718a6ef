/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints, in microseconds, how long the arm64 system counter has run, which is from power-on, and what
 * the kernel's clock is then, which begins with the kernel.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

int main(void)
{
	struct timespec now;
	uint64_t count;
	uint64_t hertz;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hertz));
	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(count));
	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("counter %" PRIu64 " clock %" PRIu64 "\n",
	       (uint64_t)((__uint128_t)count * 1000000 / hertz),
	       (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	return 0;
}
