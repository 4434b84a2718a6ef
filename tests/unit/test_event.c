/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events, byte for byte, and that who follows them is told. */
#include "unit.h"

#include <stdlib.h>

#include "console.h"
#include "event.h"

enum { BYTES = 8192 };

static uint64_t at; /* what of the ring has been looked at */
static unsigned told;

void console_more(const struct ring *ring)
{
	assert_ptr_equal(ring, event_ring());
	told++;
}

static int setup(void **state)
{
	(void)state;
	at = event_ring()->total;
	told = 0;
	return 0;
}

/* What is new, with the time cut out of one line. */
static const char *happened(void)
{
	static const char begin[] = "{\"up_ms\": ";
	static char text[BYTES];
	uint64_t now = boottime_us() / 1000;
	uint64_t up;
	char *end;

	text[ring_read(event_ring(), &at, text, sizeof(text) - 1)] = '\0';
	assert_true(str_prefix(text, begin));
	up = strtoull(text + sizeof(begin) - 1, &end, 10);
	assert_true(up <= now && up + 60000 > now);
	assert_true(str_prefix(end, ", \"event\": \""));
	return end;
}

/* Before there is room for them they are lost, and nothing else. */
static void test_before(void **state)
{
	(void)state;
	event_machine("safe");
	assert_int_equal(event_ring()->total, 0);
	assert_int_equal(event_init(BYTES), 0);
	assert_int_equal(event_ring()->total, 0);
}

static void test_vm(void **state)
{
	(void)state;
	event_vm("demo", "failed", "starting", "QEMU: no such device");
	assert_string_equal(happened(),
			    ", \"event\": \"vm\", \"vm\": \"demo\", \"state\": \"failed\", "
			    "\"before\": \"starting\", "
			    "\"why\": \"QEMU: no such device\"}\n");
	event_vm("demo", "running", "prelaunch", "");
	assert_string_equal(happened(),
			    ", \"event\": \"vm\", \"vm\": \"demo\", \"state\": \"running\", "
			    "\"before\": \"prelaunch\", \"why\": \"\"}\n");
}

static void test_end(void **state)
{
	(void)state;
	event_end("demo", "guest-shutdown", 1234567890123, "guest-shutdown");
	assert_string_equal(happened(), ", \"event\": \"end\", \"vm\": \"demo\", "
					"\"cause\": \"guest-shutdown\", "
					"\"ran_ms\": 1234567890123, "
					"\"why\": \"guest-shutdown\"}\n");
}

static void test_device(void **state)
{
	(void)state;
	event_device("demo", 15, "0000:41:00.0", "quarantined", "it reads ones");
	assert_string_equal(happened(),
			    ", \"event\": \"device\", \"vm\": \"demo\", \"hostdev\": 15, "
			    "\"bdf\": \"0000:41:00.0\", \"state\": \"quarantined\", "
			    "\"why\": \"it reads ones\"}\n");
	/* Where a virtual function is nobody knows at first. */
	event_device("demo", 0, "", "claimed", "");
	assert_string_equal(happened(),
			    ", \"event\": \"device\", \"vm\": \"demo\", \"hostdev\": 0, "
			    "\"bdf\": \"\", \"state\": \"claimed\", \"why\": \"\"}\n");
}

static void test_machine(void **state)
{
	(void)state;
	event_machine("poweroff");
	assert_string_equal(happened(), ", \"event\": \"machine\", \"what\": \"poweroff\"}\n");
}

/* QEMU's words can hold anything, a guest's among them: they must not end a string, or a line. */
static void test_quoting(void **state)
{
	(void)state;
	event_vm("demo", "failed", "running",
		 "a \"b\"\\c\nd\r\033[2J\x7f \xc3\xa9 \xff\", \"vm\": \"x");
	assert_string_equal(happened(),
			    ", \"event\": \"vm\", \"vm\": \"demo\", \"state\": \"failed\", "
			    "\"before\": \"running\", "
			    "\"why\": \"a \\\"b\\\"\\\\c\\u000ad\\u000d\\u001b[2J\\u007f \xc3\xa9 "
			    "\\ufffd\\\", \\\"vm\\\": \\\"x\"}\n");
}

/* The longest texts that there can be, each byte of which six stand for. */
static void test_longest(void **state)
{
	char why[256];
	const char *text;
	unsigned controls = 0;

	(void)state;
	memset(why, '\033', sizeof(why));
	why[sizeof(why) - 1] = '\0';
	event_end("demo", "crash", UINT64_MAX, why);
	text = happened();
	assert_non_null(strstr(text, "\"ran_ms\": 18446744073709551615, \"why\": \"\\u001b"));
	for (const char *c = text; (c = strstr(c, "\\u001b")); c++)
		controls++;
	assert_int_equal(controls, 255);
	assert_string_equal(strrchr(text, 'b'), "b\"}\n");
}

/* What does not fit is left out, and the rest is a line all the same. */
static void test_too_long(void **state)
{
	char why[4096];

	(void)state;
	memset(why, 'x', sizeof(why));
	why[sizeof(why) - 1] = '\0';
	event_vm("demo", "failed", "running", why);
	assert_string_equal(happened(),
			    ", \"event\": \"vm\", \"vm\": \"demo\", \"state\": \"failed\", "
			    "\"before\": \"running\", \"why\": null}\n");
}

static void test_told(void **state)
{
	(void)state;
	event_vm("demo", "running", "prelaunch", "");
	assert_int_equal(told, 1);
	event_end("demo", "crash", 0, "");
	assert_int_equal(told, 2);
	event_device("demo", 0, "", "free", "");
	assert_int_equal(told, 3);
	event_machine("safe");
	assert_int_equal(told, 4);
}

#define EVENT_CASE(title, function) FIXTURE(title, function, setup, NULL, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EVENT_CASE("before there is room", test_before),
		EVENT_CASE("a VM's state", test_vm),
		EVENT_CASE("a VM's end", test_end),
		EVENT_CASE("a device", test_device),
		EVENT_CASE("the machine", test_machine),
		EVENT_CASE("a text that must be quoted", test_quoting),
		EVENT_CASE("the longest texts", test_longest),
		EVENT_CASE("a text that is too long", test_too_long),
		EVENT_CASE("who follows them is told", test_told),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
