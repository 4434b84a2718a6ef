/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's messages of devices; a socket pair in its place. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "standins.h"
#include "uevent.h"

static int pair[2];
static char got[512];
static unsigned lost;
static bool overrun;

int __wrap_sys_uevent_open(void);
ssize_t __real_recvfrom(int fd, void *buf, size_t size, int flags, struct sockaddr *from,
			socklen_t *len);
ssize_t __wrap_recvfrom(int fd, void *buf, size_t size, int flags, struct sockaddr *from,
			socklen_t *len);

int __wrap_sys_uevent_open(void)
{
	return pair[0];
}

ssize_t __wrap_recvfrom(int fd, void *buf, size_t size, int flags, struct sockaddr *from,
			socklen_t *len)
{
	if (overrun) {
		overrun = false;
		errno = ENOBUFS;
		return -1;
	}
	return __real_recvfrom(fd, buf, size, flags, from, len);
}

static void take(const struct uevent *event)
{
	str_format(got + strlen(got), sizeof(got) - strlen(got), "%s %s %s %s;", event->action,
		   event->subsystem, event->devname, event->pci);
}

static void lose(void)
{
	lost++;
}

#define DISK                                                                     \
	"remove@/devices/pci0000:40/0000:40:00.0/0000:41:00.0\0ACTION=remove\0"  \
	"DEVPATH=/devices/pci0000:40/0000:40:00.0/0000:41:00.0\0SUBSYSTEM=pci\0" \
	"PCI_CLASS=10802\0PCI_SLOT_NAME=0000:41:00.0\0SEQNUM=1701"
#define BUTTON "add@/devices/x\0ACTION=add\0SUBSYSTEM=input\0DEVNAME=input/event0"

static void tell(const char *message, size_t len)
{
	assert_int_equal(send(pair[1], message, len, 0), len);
}

static void test_messages(void **state)
{
	(void)state;
	tell(DISK, sizeof(DISK));
	tell("nonsense", 8);
	tell(BUTTON, sizeof(BUTTON));
	watched->ready(watched->arg, 1);
	assert_string_equal(got, "remove pci  0000:41:00.0;add input input/event0 ;");
	assert_int_equal(lost, 0);
}

/* What is after a loss is told all the same. */
static void test_lost(void **state)
{
	(void)state;
	got[0] = '\0';
	overrun = true;
	tell(BUTTON, sizeof(BUTTON));
	watched->ready(watched->arg, 1);
	assert_int_equal(lost, 1);
	assert_string_equal(got, "add input input/event0 ;");
}

static const struct strange {
	const char *text;
	size_t len;
} strange[] = {
	{ "", 0 },
	{ "x", 1 },
	{ "add@/x", 6 },
	{ "libudev\0ACTION=add\0SUBSYSTEM=pci", 33 },
	{ "add@/x\0ACTION=add", 18 },
	{ "add@/x\0SUBSYSTEM=pci", 21 },
	{ "add@/x\0ACTION\0SUBSYSTEM=pci\0ACTIONS=add", 39 },
};

static void test_strange(void **state)
{
	const struct strange *row = *state;
	struct uevent event;
	char text[64];

	memcpy(text, row->text, row->len);
	assert_false(uevent_parse(text, row->len, &event));
}

/* Whatever it is, nothing outside of it is touched: the sanitizers watch. */
static void test_damaged(void **state)
{
	struct uevent event;
	uint32_t seed = 1;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		size_t len = 1 + next_random(&seed) % sizeof(DISK);
		char *text = test_malloc(len);

		memcpy(text, DISK, len);
		damage(text, len, &seed);
		if (uevent_parse(text, len, &event))
			assert_true(strlen(event.action) + strlen(event.pci) < len);
		test_free(text);
	}
}

static int setup(void **state)
{
	(void)state;
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
		return -1;
	return uevent_init(take, lose);
}

int main(void)
{
	struct CMUnitTest tests[ARRAY_SIZE(strange) + 3] = {
		CASE("messages", test_messages, NULL),
		CASE("messages are lost", test_lost, NULL),
		CASE("damaged messages", test_damaged, NULL),
	};

	for (size_t i = 0; i < ARRAY_SIZE(strange); i++)
		tests[i + 3] = CASE("a strange message", test_strange, &strange[i]);
	return cmocka_run_group_tests_name("uevent", tests, setup, NULL);
}
