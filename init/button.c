/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linux, Documentation/input/event-codes.rst. */
#include "button.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <linux/input.h>

#include "log.h"
#include "loop.h"
#include "shutdown.h"
#include "sys_machine.h"
#include "util.h"

/*
 * DOUBLE_MS: one press of a button that two devices tell of, as ACPI may have it, is not two: the
 * second would end guests without waiting for them.
 */
enum { BUTTONS = 8, NAME = 16, AT_ONCE = 16, DOUBLE_MS = 1000 };

static struct button {
	struct source source;
	char name[NAME];
	bool used; /* source.fd means something */
} buttons[BUTTONS];

static void press(unsigned code)
{
	static uint64_t before;
	uint64_t now = boottime_us() / 1000;

	if (before && now - before < DOUBLE_MS)
		return;
	before = now;
	log_msg(LOG_LEVEL_INFO, "host", "%s button pressed%s",
		code == KEY_POWER ? "power" : "restart",
		shutdown_going_on() ? ": guests are waited for no longer" : "");
	shutdown_begin(code == KEY_POWER ? SHUTDOWN_POWEROFF : SHUTDOWN_REBOOT);
}

static void button_ready(void *arg, uint32_t events)
{
	struct button *button = arg;
	struct input_event event[AT_ONCE];
	ssize_t n = read(button->source.fd, event, sizeof(event));

	(void)events;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		loop_close(&button->source);
		button->used = false;
	}
	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(event[0]); i++)
		if (event[i].type == EV_KEY && event[i].value == 1 &&
		    (event[i].code == KEY_POWER || event[i].code == KEY_RESTART))
			press(event[i].code);
}

static bool has_key(int fd)
{
	unsigned char keys[KEY_MAX / 8 + 1] = { 0 };

	if (ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) < 0)
		return false;
	return keys[KEY_POWER / 8] & 1 << KEY_POWER % 8 ||
	       keys[KEY_RESTART / 8] & 1 << KEY_RESTART % 8;
}

/* Where the device is, or may go; NULL when it is listened to, or there is no room. */
static struct button *place_for(const char *name)
{
	struct button *place = NULL;

	for (size_t i = 0; i < BUTTONS; i++) {
		if (buttons[i].used && strcmp(buttons[i].name, name) == 0)
			return NULL;
		if (!buttons[i].used)
			place = &buttons[i];
	}
	return place;
}

static int look_at(void *arg, const char *name)
{
	struct button *button = place_for(name);
	_cleanup_fd_ int fd = button ? sys_input_open(AT_FDCWD, name) : -1;

	(void)arg;
	if (fd < 0 || !has_key(fd) || !str_copy(button->name, sizeof(button->name), name))
		return 0;
	if (loop_add(&button->source, fd, EPOLLIN, button_ready, button))
		return 0;
	button->used = true;
	steal_fd(&fd);
	return 0;
}

void button_look(void)
{
	sys_input_each(AT_FDCWD, look_at, NULL);
}
