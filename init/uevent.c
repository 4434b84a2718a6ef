/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A netlink socket and its messages: "ACTION@DEVPATH", then KEY=VALUE strings, each with a NUL. */
#include "uevent.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <linux/netlink.h>

#include "loop.h"
#include "sys_host.h"
#include "util.h"

/* UEVENT_BUFFER_SIZE of the kernel (include/linux/kobject.h), with the header before it. */
enum { MESSAGE = 4096, AT_ONCE = 16 };

static struct source source = { .fd = -1 };
static void (*on_event)(const struct uevent *event);
static void (*on_loss)(void);

/* The value when text is KEY=value. */
static bool take(const char *text, const char *key, const char **value)
{
	size_t len = strlen(key);

	if (strncmp(text, key, len) != 0 || text[len] != '=')
		return false;
	*value = text + len + 1;
	return true;
}

bool uevent_parse(char *message, size_t len, struct uevent *event)
{
	const char *end = message + len;

	*event = (struct uevent){ "", "", "", "" };
	if (len == 0)
		return false;
	message[len - 1] = '\0';
	if (!strchr(message, '@'))
		return false;
	for (const char *at = message + strlen(message) + 1; at < end; at += strlen(at) + 1)
		if (!take(at, "ACTION", &event->action) &&
		    !take(at, "SUBSYSTEM", &event->subsystem) &&
		    !take(at, "DEVNAME", &event->devname))
			take(at, "PCI_SLOT_NAME", &event->pci);
	return event->action[0] && event->subsystem[0];
}

/* False when there is nothing more to read. Whoever is not the kernel has a port of its own. */
static bool read_one(void)
{
	char message[MESSAGE];
	struct sockaddr_nl from = { 0 };
	socklen_t size = sizeof(from);
	struct uevent event;
	ssize_t n = recvfrom(source.fd, message, sizeof(message), MSG_DONTWAIT,
			     (struct sockaddr *)&from, &size);

	if (n < 0 && errno == ENOBUFS)
		on_loss();
	else if (n > 0 && from.nl_pid == 0 && uevent_parse(message, (size_t)n, &event))
		on_event(&event);
	return n >= 0 || errno == ENOBUFS || errno == EINTR;
}

static void ready(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	for (unsigned i = 0; i < AT_ONCE && read_one(); i++)
		;
}

int uevent_init(void (*each)(const struct uevent *event), void (*lost)(void))
{
	int fd = sys_uevent_open();

	on_event = each;
	on_loss = lost;
	return fd < 0 ? fd : loop_add(&source, fd, EPOLLIN, ready, NULL);
}
