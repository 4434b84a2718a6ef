/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Buttons: pipes in the place of input devices. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <sys/ioctl.h>

#include "button.h"
#include "shutdown.h"
#include "standins.h"
#include "sys_machine.h"

enum { DEVICES = 12 };

static struct {
	const char *name;
	unsigned key; /* 0: none */
	int pipe[2];
	struct source *source; /* NULL: nobody listens */
	unsigned opened;
} input[DEVICES];

static unsigned devices;
static char asked[64];
static uint64_t now_ms = 100000;

int __wrap_sys_input_each(int root, int (*each)(void *arg, const char *name), void *arg);
int __wrap_sys_input_open(int root, const char *name);
int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	now->tv_sec = (time_t)(now_ms / 1000);
	now->tv_nsec = (long)(now_ms % 1000) * 1000000;
	return 0;
}

int __wrap_sys_input_each(int root, int (*each)(void *arg, const char *name), void *arg)
{
	(void)root;
	for (unsigned i = 0; i < devices; i++)
		if (each(arg, input[i].name))
			return 1;
	return 0;
}

int __wrap_sys_input_open(int root, const char *name)
{
	(void)root;
	for (unsigned i = 0; i < devices; i++)
		if (strcmp(input[i].name, name) == 0) {
			assert_int_equal(pipe2(input[i].pipe, O_NONBLOCK), 0);
			input[i].opened++;
			/* A number that another one had. */
			for (unsigned j = 0; j < devices; j++)
				if (j != i && input[j].pipe[0] == input[i].pipe[0])
					input[j].pipe[0] = -1;
			return input[i].pipe[0];
		}
	return -ENODEV;
}

int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	unsigned char *keys = arg;

	assert_int_equal(_IOC_NR(request), 0x20 + EV_KEY);
	for (unsigned i = 0; i < devices; i++)
		if (input[i].pipe[0] == fd && input[i].key)
			keys[input[i].key / 8] |= (unsigned char)(1 << input[i].key % 8);
	return 0;
}

int loop_add(struct source *source, int fd, uint32_t events, void (*ready)(void *, uint32_t),
	     void *arg)
{
	(void)events;
	source->fd = fd;
	source->ready = ready;
	source->arg = arg;
	for (unsigned i = 0; i < devices; i++)
		if (input[i].pipe[0] == fd)
			input[i].source = source;
	return 0;
}

void loop_close(struct source *source)
{
	for (unsigned i = 0; i < devices; i++)
		if (input[i].source == source)
			input[i].source = NULL;
	close(source->fd);
	source->fd = -1;
}

bool shutdown_going_on(void)
{
	return asked[0];
}

void shutdown_begin(enum shutdown_how how)
{
	str_format(asked + strlen(asked), sizeof(asked) - strlen(asked), "%s;",
		   how == SHUTDOWN_POWEROFF ? "power off" : "reboot");
}

static void add(const char *name, unsigned key)
{
	input[devices].name = name;
	input[devices].key = key;
	input[devices].source = NULL;
	input[devices].pipe[0] = input[devices].pipe[1] = -1;
	input[devices++].opened = 0;
}

static void press(unsigned device, unsigned code, int value)
{
	const struct input_event events[] = {
		{ .type = EV_KEY, .code = (uint16_t)code, .value = value },
		{ .type = EV_SYN },
	};

	assert_int_equal(write(input[device].pipe[1], events, sizeof(events)), sizeof(events));
	input[device].source->ready(input[device].source->arg, 1);
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < devices; i++) {
		if (input[i].opened)
			close(input[i].pipe[1]);
		if (input[i].source)
			input[i].source->ready(input[i].source->arg, 1);
	}
	devices = 0;
	asked[0] = '\0';
	now_ms += 100000;
	return 0;
}

static void test_keys(void **state)
{
	(void)state;
	add("event0", KEY_A);
	add("event1", KEY_POWER);
	add("event2", KEY_RESTART);
	add("event3", 0);
	button_look();
	assert_null(input[0].source);
	assert_non_null(input[1].source);
	assert_non_null(input[2].source);
	assert_null(input[3].source);
	button_look();
	assert_int_equal(input[1].opened, 1);
	close(input[0].pipe[1]);
	close(input[3].pipe[1]);
	input[0].opened = input[3].opened = 0;
}

/* To let go of it is no second press. */
static void test_power(void **state)
{
	(void)state;
	add("event1", KEY_POWER);
	button_look();
	press(0, KEY_A, 1);
	assert_string_equal(asked, "");
	press(0, KEY_POWER, 1);
	press(0, KEY_POWER, 0);
	assert_string_equal(asked, "power off;");
	now_ms += 1500;
	press(0, KEY_POWER, 1);
	assert_string_equal(asked, "power off;power off;");
}

static void test_restart(void **state)
{
	(void)state;
	add("event1", KEY_RESTART);
	button_look();
	press(0, KEY_RESTART, 1);
	assert_string_equal(asked, "reboot;");
}

static void test_double(void **state)
{
	(void)state;
	add("event1", KEY_POWER);
	add("event2", KEY_POWER);
	button_look();
	press(0, KEY_POWER, 1);
	press(1, KEY_POWER, 1);
	assert_string_equal(asked, "power off;");
}

static void test_unplugged(void **state)
{
	(void)state;
	add("event1", KEY_POWER);
	button_look();
	close(input[0].pipe[1]);
	input[0].source->ready(input[0].source->arg, 1);
	assert_null(input[0].source);
	button_look();
	assert_non_null(input[0].source);
	assert_int_equal(input[0].opened, 2);
}

static void test_many(void **state)
{
	static const char *const names[] = { "event1", "event2", "event3", "event4", "event5",
					     "event6", "event7", "event8", "event9" };
	unsigned listened = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		add(names[i], KEY_POWER);
	button_look();
	for (unsigned i = 0; i < devices; i++)
		listened += input[i].source != NULL;
	assert_int_equal(listened, 8);
}

#define BUTTON_CASE(title, function) FIXTURE(title, function, NULL, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BUTTON_CASE("devices that have the key", test_keys),
		BUTTON_CASE("power", test_power),
		BUTTON_CASE("restart", test_restart),
		BUTTON_CASE("one press that two devices tell of", test_double),
		BUTTON_CASE("a device that goes and comes back", test_unplugged),
		BUTTON_CASE("more devices than there is room for", test_many),
	};

	return cmocka_run_group_tests_name("button", tests, NULL, NULL);
}
