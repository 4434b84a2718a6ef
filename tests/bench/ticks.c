/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes to the kernel's log how long the arm64 system counter has run, in microseconds: from power-on,
 * where the kernel's own clock begins with the kernel. The kernel stamps the line with its own.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	uint64_t count;
	uint64_t hertz;
	char line[64];
	int len;
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0) {
		perror("ticks: /dev/kmsg");
		return 1;
	}
	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hertz));
	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(count));
	len = snprintf(line, sizeof(line), "<6>ticks: %" PRIu64 " us", (uint64_t)((__uint128_t)count * 1000000 / hertz));
	if (write(fd, line, (size_t)len) != len) {
		perror("ticks: write");
		return 1;
	}
	return 0;
}
