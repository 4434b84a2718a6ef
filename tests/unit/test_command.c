/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands do, and what they say to words that are wrong. */
#include "fakedesk.h"

static void test_set(void **state)
{
	(void)state;
	type("set HOST_LOG_LEVEL=7\r");
	assert_int_equal(config.host.log_level, 7);
	type("set VM0_MEMORY_MIB=128\r");
	assert_int_equal(config.vm[0].memory_mib, 128);
	assert_shows_not("hvinit: ");
	type("safe\r");
	assert_int_equal(safes, 1);
}

static void test_status_of_one(void **state)
{
	(void)state;
	type("status other\r");
	assert_shows("other            failed");
	assert_shows_not("demo   ");
	assert_shows_not("watchdog");
}

/* Each line of the help fits the screen. */
static void test_help_fits(void **state)
{
	(void)state;
	type("help\r");
	for (char *rest = screen, *line; (line = strsep(&rest, "\n"));)
		if (strlen(line) > 79)
			fail_msg("longer than a line of the screen: %s", line);
}

struct completion {
	const char *typed;
	const char *shown; /* at the end of the screen */
};

static const struct completion completions[] = {
	{ "stat\t", "hvinit> status " },
	{ "sta\t", "hvinit> sta" },
	{ "sta\t\t", "sta\nstatus  start   \nhvinit> sta" },
	{ "res\t", "hvinit> res" },
	{ "rest\td\t", "hvinit> restart demo " },
	{ "start o\t\r", "" },
	{ "log h\t", "hvinit> log host " },
	{ "log \t", "hvinit> log \nhost   demo   other  \nhvinit> log " },
	{ "argv demo --\t", "hvinit> argv demo --json " },
	{ "record --k\t", "hvinit> record --kconfig " },
	{ "rec \t", "hvinit> rec --" },
	{ "quarantine 00\t", "hvinit> quarantine 0000:41:00.0 " },
	{ "explain QEMU-N\t", "hvinit> explain QEMU-NONE " },
	{ "help rec\t", "hvinit> help record " },
	{ "update --s\t", "hvinit> update --sha256 " },
	{ "update /a --sha256 0 --f\t", "hvinit> update /a --sha256 0 --force " },
	{ "set HOST_\t", "hvinit> set HOST_LOG_LEVEL=" },
	{ "st demo\001\006\006at\t", "us  demo\b\b\b\b\b" },
	{ "x\t", "hvinit> x\a" },
	{ "nonsense a\t", "\a" },
	{ "version \t", "\a" },
	{ "\t\003", "hvinit> " },
};

static void test_complete(void **state)
{
	(void)state;
	str_copy(config.vm[0].hostdev[0].bdf, SYS_BDF, "0000:41:00.0");
	for (size_t i = 0; i < ARRAY_SIZE(completions); i++) {
		const char *wanted = completions[i].shown;
		size_t len = strlen(wanted);

		key(CTRL_C);
		clear();
		term_puts(terms[0], "hvinit> ");
		type(completions[i].typed);
		if (shown < len || strcmp(screen + shown - len, wanted) != 0)
			fail_msg("%s: \"%s\" is not at the end of:\n%s", completions[i].typed,
				 wanted, screen);
	}
	assert_string_equal(commands, "start 1;");
}

/* Several lines are pasted, and the first ones take their time. */
struct answer {
	const char *line;
	const char *part;
};

static const struct answer answers[] = {
	{ "nonsense", "hvinit: nonsense: no such command" },
	{ "st", "ambiguous" },
	{ "s", "ambiguous" },
	{ "start", "usage: start VM" },
	{ "start a b", "usage: start VM" },
	{ "start nobody", "hvinit: nobody: no such VM" },
	{ "console", "usage: console VM" },
	{ "console other", "it is not running" },
	{ "log", "usage: log VM|host" },
	{ "log nobody", "no such VM" },
	{ "version now", "usage: version" },
	{ "version", "Linux 7.3" },
	{ "ver", "Linux 7.3" },
	{ "statsu", "hvinit: statsu: no such command; did you mean 'status'?; try 'help'" },
	{ "stat", "up " },
	{ "st", "hvinit: st: ambiguous: status start stop\n" },
	{ "status nobody", "no such VM" },
	{ "status --fast", "usage: status [VM]" },
	{ "help kill", "It must be typed in full.\n" },
	{ "help status", "With a VM, only that one." },
	{ "set HOST_LOG_LEVEL", "what to set it to?" },
	{ "set HOST_LOG_LEVEL=9", "HOST_LOG_LEVEL" },
	{ "set HOST_SHELL=y", "the symbol cannot be set there" },
	{ "set VM0_NOTHING=1", "VM0_NOTHING" },
	{ "saf", "'safe' must be typed in full" },
	{ "help", "its serial console; Ctrl-] comes back" },
	{ "help start", "start a VM that is stopped, failed or in backoff" },
	{ "help nonsense", "no such command" },
	{ "status", "demo             running" },
	{ "status", "no device" },
	{ "status", "watchdog: fake, 60 s" },
	{ "shell", "HOST_SHELL is off" },
	{ "rebo", "must be typed in full" },
	{ "upd", "'update' must be typed in full" },
	{ "update a b", "usage: update [PATH] [--sha256 HEX] [--force]" },
	{ "update --sha256", "usage: update" },
	{ "update --sha256 --force", "usage: update" },
	{ "update --force --force", "usage: update" },
	{ "update --fast", "usage: update" },
	{ "update --sha256 abc", "a SHA-256 has 64 hexadecimal digits" },
	{ "help update", "--force takes one that is not newer" },
	{ "record --probe --kconfig", "usage: record [--probe|--kconfig]" },
	{ "k demo", "must be typed in full" },
	{ "ar b c d e f g h i j k l", "usage: argv VM [--json]" },
};

static void test_answer(void **state)
{
	const struct answer *answer = *state;

	type(answer->line);
	key('\r');
	assert_shows(answer->part);
	assert_prompt();
	assert_string_equal(commands, "");
}

static void test_refusal(void **state)
{
	(void)state;
	refusal = "it is running already";
	type("start demo\r");
	assert_shows("hvinit: demo: it is running already\n");
	clear();
	type("stop demo\r");
	assert_shows("hvinit: demo: it is running already\n");
	clear();
	type("kill demo\r");
	assert_shows("hvinit: demo: it is running already\n");
}

static void test_vm_commands(void **state)
{
	(void)state;
	type("restart demo\rpause demo\rresum demo\rreset demo\r");
	assert_string_equal(commands, "restart 0;pause 0;resume 0;reset 0;");
}

static void test_plug(void **state)
{
	(void)state;
	type("attach demo\rattach\rattach demo 1 2\rattach nobody 1\r");
	assert_string_equal(commands, "");
	assert_shows("hvinit: usage: attach VM SLOT\n");
	type("attach demo 3\rdetach demo 15\r");
	assert_string_equal(commands, "attach 0 3;detach 0 15;");
	commands[0] = '\0';
	type("detach demo 16\rdetach demo 1x\rdetach demo -1\r");
	assert_string_equal(commands, "detach 0 16;detach 0 16;detach 0 16;");
}

static void test_history(void **state)
{
	static struct history history;
	const struct history_entry entry = { .at_ms = 1, .ran_ms = 62000, .cause = END_CRASH };

	(void)state;
	vms[0].history = &history;
	history_init(&history);
	type("history demo\r");
	finish_child();
	assert_shows("ended 0 times, reset itself 0 times\n");
	assert_shows_not("HAD RUN");
	history_add(&history, entry, "QEMU was killed by signal 11");
	history.resets = 3;
	clear();
	type("history demo\r");
	finish_child();
	assert_shows("ended 1 times, reset itself 3 times\n");
	assert_shows("  crash            1\n");
	assert_shows("62 s  crash           QEMU was killed by signal 11\n");
	assert_prompt();
}

static void test_quarantine(void **state)
{
	(void)state;
	str_copy(config.vm[0].hostdev[0].bdf, SYS_BDF, "0000:41:00.0");
	type("release 0000:41:00.0\r");
	assert_shows("0000:41:00.0: it is in no quarantine\n");
	type("quarantine 0000:41:00.0\r");
	assert_int_equal(device_look(0, 0)->state, DEVICE_QUARANTINED);
	type("devices\r");
	finish_child();
	assert_shows("of demo is quarantined: by the operator\n");
	type("release 0000:41:00.0\r");
	assert_int_equal(device_look(0, 0)->state, DEVICE_FREE);
	type("release\r");
	assert_shows("hvinit: usage: release BDF\n");
	type("release 0000:42:00.0\r");
	assert_shows("hvinit: 0000:42:00.0: it is no VM's device");
	config.vm[0].hostdev[0].bdf[0] = '\0';
}

static void test_shutdown(void **state)
{
	(void)state;
	type("poweroff\r");
	assert_int_equal(shutdowns, 1 << SHUTDOWN_POWEROFF);
	shutdowns = 0;
	type("reboot\r");
	assert_int_equal(shutdowns, 1 << SHUTDOWN_REBOOT);
}

/* What ends a guest or the machine is not done for a slip of the finger. */
static void test_no_shutdown(void **state)
{
	(void)state;
	type("p\rpoweroff now\rreboot demo\r");
	assert_int_equal(shutdowns, 0);
}

static void test_json(void **state)
{
	static const char *const lines[][2] = {
		{ "argv other --json\r", "the argv of 1, for programs\n" },
		{ "devices --json\r", "the devices, for programs\n" },
		{ "plan --json\r", "the plan, for programs\n" },
		{ "plan\r", "the plan\n" },
		{ "check --json\r", "the check, for programs\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		type(lines[i][0]);
		finish_child();
		assert_shows(lines[i][1]);
	}
	type("argv --json\rversion --json\r");
	assert_shows("hvinit: usage: argv VM [--json]\n");
	assert_shows("hvinit: usage: version\n");
}

static void test_log(void **state)
{
	(void)state;
	ring_write(&host_ring, "[    1.0] a line\n", 17);
	ring_write(&guest_ring, "\033]0;evil\alogin: \033[2J", 19);
	ring_write(&words_ring, "qemu: words\n", 12);
	type("log host\r");
	finish_child();
	assert_shows("[    1.0] a line\n");
	type("log demo\r");
	finish_child();
	assert_shows("qemu: words\n");
	assert_shows("login: ");
	assert_shows_not("evil");
	assert_shows_not("\033");
}

static void test_explain(void **state)
{
	(void)state;
	type("explain DEV-NONE\r");
	finish_child();
	assert_shows("explained: DEV-NONE\n");
	type("explain a-code-that-is-longer-than-any-code-there-can-be\r");
	finish_child();
	assert_shows("explained: a-code-that-is-longer-than");
	assert_prompt();
}

static void test_record(void **state)
{
	(void)state;
	type("record\r");
	finish_child();
	assert_shows("recorded: 0\n");
	type("record --probe\r");
	finish_child();
	assert_shows("recorded: 1\n");
	type("rec --kconfig\r");
	finish_child();
	assert_shows("recorded: 2\n");
	type("record everything\r");
	assert_shows("hvinit: usage: record [--probe|--kconfig]\n");
	assert_prompt();
}

int main(void)
{
	static char titles[ARRAY_SIZE(answers)][48];
	static struct CMUnitTest tests[ARRAY_SIZE(titles) + 32];
	const struct CMUnitTest others[] = {
		CONSOLE_CASE("symbols for this boot", test_set, NULL),
		CONSOLE_CASE("one VM's status", test_status_of_one, NULL),
		CONSOLE_CASE("the help fits the screen", test_help_fits, NULL),
		CONSOLE_CASE("completion", test_complete, NULL),
		CONSOLE_CASE("a refusal", test_refusal, NULL),
		CONSOLE_CASE("what VMs are told", test_vm_commands, NULL),
		CONSOLE_CASE("devices that come and go", test_plug, NULL),
		CONSOLE_CASE("history", test_history, NULL),
		CONSOLE_CASE("quarantine", test_quarantine, NULL),
		CONSOLE_CASE("poweroff and reboot", test_shutdown, NULL),
		CONSOLE_CASE("no shutdown by a slip", test_no_shutdown, NULL),
		CONSOLE_CASE("for programs", test_json, NULL),
		CONSOLE_CASE("logs", test_log, NULL),
		CONSOLE_CASE("explain", test_explain, NULL),
		CONSOLE_CASE("record", test_record, NULL),
	};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++, n++) {
		str_format(titles[n], sizeof(titles[n]), "command: %s", answers[i].line);
		tests[n] = CONSOLE_CASE(titles[n], test_answer, &answers[i]);
	}
	memcpy(&tests[n], others, sizeof(others));
	return _cmocka_run_group_tests("command", tests, n + ARRAY_SIZE(others), group_setup, NULL);
}
