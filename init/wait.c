/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sleeps until the kernel has something to tell. */
#include "wait.h"

#include <poll.h>
#include <sys/socket.h>

#include "sys_host.h"
#include "util.h"

enum { BLIND_MS = 100 }; /* between two looks without a uevent socket */

/* What happened is not looked at: that something did is enough. */
static void drain(int fd)
{
	char data[4096];

	while (recv(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
}

bool wait_until(bool (*there)(void *arg), void *arg, uint64_t deadline_us)
{
	/* Before the first look: what comes after it must not be missed. */
	_cleanup_fd_ int fd = sys_uevent_open();
	bool yes;

	while (!(yes = there(arg))) {
		struct pollfd events = { .fd = fd, .events = POLLIN };
		uint64_t now = boottime_us();
		int ms;

		if (now >= deadline_us)
			break;
		ms = (int)((deadline_us - now) / 1000) + 1;
		if (poll(&events, 1, fd < 0 && ms > BLIND_MS ? BLIND_MS : ms) > 0)
			drain(fd);
	}
	return yes;
}
