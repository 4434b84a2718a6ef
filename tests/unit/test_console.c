/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operator's side: the line editor, who has the terminal, and what the commands do. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "command.h"
#include "console.h"
#include "device.h"
#include "log.h"
#include "machine.h"
#include "loop.h"
#include "manifest.h"
#include "show.h"
#include "shutdown.h"
#include "sys.h"
#include "term.h"
#include "vm.h"

enum { CTRL_C = 3, CTRL_U = 0x15, CTRL_W = 0x17, CTRL_RBRACKET = 0x1d };

static struct config config;

/* --- the rooms around it --- */

/* Two terminals: what is on their screens, and what is done at the first one unless said. */
enum { SCREEN = 16384 };

static struct term *terms[CONSOLES];
static char screens[CONSOLES][SCREEN];
static unsigned terminals;
static char *screen = screens[0];
static size_t shown; /* on the first */
static bool lent;

static struct vm_view vms[2];
static char commands[256]; /* what the VMs were told */
static const char *refusal;
static char guest_got[256];
static bool guest_is_deaf;
static struct ring guest_ring;
static struct ring words_ring;
static struct ring host_ring;
static int shutdowns;
static struct source *child_output;
static uint32_t child_wanted; /* events of its output that are waited for */
static bool behind; /* the line is slow */

static unsigned number_of(const struct term *term)
{
	unsigned n = 0;

	while (n < terminals && terms[n] != term)
		n++;
	assert_true(n < terminals);
	return n;
}

int term_init(struct term *term, int fd, unsigned baud)
{
	(void)baud;
	assert_int_equal(fd, 5);
	terms[terminals++] = term;
	return 0;
}

void term_write(struct term *term, const char *data, size_t len)
{
	char *to = screens[number_of(term)];
	size_t used = strlen(to);

	assert_true(used + len < SCREEN);
	memcpy(to + used, data, len);
	to[used + len] = '\0';
	shown = strlen(screen);
}

void term_text(struct term *term, const char *data, size_t len)
{
	term_write(term, data, len);
}

void term_puts(struct term *term, const char *text)
{
	term_write(term, text, strlen(text));
}

bool term_is_behind(const struct term *term)
{
	(void)term;
	return behind;
}

size_t term_pending(const struct term *term)
{
	(void)term;
	return behind ? TERM_OUT : 0;
}

static void room(void)
{
	terms[0]->room(terms[0]->arg);
}

void term_lend(struct term *term)
{
	(void)term;
	lent = true;
}

void term_take_back(struct term *term, int fd)
{
	(void)term;
	assert_int_equal(fd, -1); /* as sys_tty_open() says here */
	lent = false;
}

int loop_add(struct source *source, int fd, uint32_t events, void (*ready)(void *, uint32_t),
	     void *arg)
{
	(void)events;
	source->fd = fd;
	source->ready = ready;
	source->arg = arg;
	child_output = source;
	return 0;
}

void loop_want(struct source *source, uint32_t events)
{
	(void)source;
	child_wanted = events;
}

void loop_close(struct source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}

int vm_find(const char *name)
{
	for (int i = 0; i < 2; i++)
		if (strcmp(vms[i].name, name) == 0)
			return i;
	return -1;
}

bool vm_exists(unsigned slot)
{
	return slot < 2;
}

const char *vm_command(unsigned slot, enum vm_event event)
{
	size_t used = strlen(commands);
	static const char *const names[] = {
		[VM_EV_START] = "start",     [VM_EV_STOP] = "stop",   [VM_EV_KILL] = "kill",
		[VM_EV_RESTART] = "restart", [VM_EV_PAUSE] = "pause", [VM_EV_RESUME] = "resume",
		[VM_EV_RESET] = "reset",
	};

	str_format(commands + used, sizeof(commands) - used, "%s %u;", names[event], slot);
	return refusal;
}

static void note_plug(const char *what, unsigned slot, unsigned hostdev)
{
	size_t used = strlen(commands);

	str_format(commands + used, sizeof(commands) - used, "%s %u %u;", what, slot, hostdev);
}

const char *vm_attach(unsigned slot, unsigned hostdev)
{
	note_plug("attach", slot, hostdev);
	return refusal;
}

const char *vm_detach(unsigned slot, unsigned hostdev)
{
	note_plug("detach", slot, hostdev);
	return refusal;
}

unsigned vm_active(void)
{
	return 1;
}

struct vm_view vm_look(unsigned slot)
{
	return vms[slot];
}

bool vm_type(unsigned slot, const char *data, size_t len)
{
	size_t used = strlen(guest_got);

	assert_int_equal(slot, 0);
	if (guest_is_deaf)
		return false;
	str_format(guest_got + used, sizeof(guest_got) - used, "%.*s", (int)len, data);
	return true;
}

const struct ring *vm_console(unsigned slot)
{
	(void)slot;
	return &guest_ring;
}

const struct ring *vm_words(unsigned slot)
{
	(void)slot;
	return &words_ring;
}

void log_msg(enum log_level level, const char *subject, const char *fmt, ...)
{
	(void)level;
	(void)subject;
	(void)fmt;
}

const struct ring *log_ring(void)
{
	return &host_ring;
}

void machine_status(void (*print)(const char *fmt, ...))
{
	print("watchdog: fake, %d s\n", 60);
}

void shutdown_begin(enum shutdown_how how)
{
	shutdowns |= 1 << how;
}

int sys_close_range(unsigned first, unsigned last)
{
	assert_int_equal(first, STDERR_FILENO + 1);
	(void)last;
	return 0;
}

void sys_unblock_signals(void)
{
}

int sys_tty_open(const char *path)
{
	assert_string_equal(path, "/dev/ttyAMA0");
	return -1; /* a shell's child then ends at once */
}

static unsigned safes;

void vm_safe(void)
{
	safes++;
}

void log_set_level(int level)
{
	(void)level;
}

int sys_kernel_release(char *buf, size_t size)
{
	return str_copy(buf, size, "7.3") ? 0 : -1;
}

bool show_devices(const struct config *all, const struct facts *facts, bool json)
{
	(void)all;
	assert_null(facts);
	puts(json ? "the devices, for programs" : "the devices");
	return true;
}

bool show_plan(const struct config *all, const struct facts *facts, bool json)
{
	(void)all;
	assert_null(facts);
	puts(json ? "the plan, for programs" : "the plan");
	return true;
}

bool show_argv(const struct config *all, unsigned slot, const struct facts *facts, bool json)
{
	(void)all;
	assert_null(facts);
	printf("the argv of %u%s\n", slot, json ? ", for programs" : "");
	return true;
}

bool show_check(const struct config *all, bool json)
{
	(void)all;
	if (!json)
		abort();
	puts("the check, for programs");
	return true;
}

bool show_manifest(void)
{
	sleep(60);
	return true;
}

bool show_record(enum show_record what)
{
	printf("recorded: %d\n", (int)what);
	return true;
}

bool show_explain(const char *what)
{
	printf("explained: %s\n", what);
	return true;
}

/* --- helpers --- */

static void type_bytes(const char *data, size_t len)
{
	terms[0]->input(terms[0]->arg, data, len);
}

static void type(const char *text)
{
	type_bytes(text, strlen(text));
}

static void key(char c)
{
	type_bytes(&c, 1);
}

static void clear(void)
{
	shown = 0;
	for (unsigned i = 0; i < CONSOLES; i++)
		screens[i][0] = '\0';
}

static void assert_shows(const char *part)
{
	if (!strstr(screen, part))
		fail_msg("\"%s\" is not on the screen:\n%s", part, screen);
}

static void assert_shows_not(const char *part)
{
	if (strstr(screen, part))
		fail_msg("\"%s\" is on the screen:\n%s", part, screen);
}

static void assert_prompt(void)
{
	static const char prompt[] = "hvinit> ";
	const size_t len = sizeof(prompt) - 1;

	if (shown < len || strcmp(screen + shown - len, prompt) != 0)
		fail_msg("no prompt at the end:\n%s", screen);
}

/* Lets the command's child end, and reads all that it printed. */
static void finish_child(void)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);

	assert_true(pid > 0);
	assert_true(console_reaped(pid, status));
	while (child_output && child_output->fd >= 0)
		child_output->ready(child_output->arg, 1);
}

static int setup(void **state)
{
	(void)state;
	manifest_defaults(&config);
	vms[0] = (struct vm_view){ .name = "demo", .state = "running", .why = "", .pid = 77 };
	vms[1] = (struct vm_view){ .name = "other", .state = "failed", .why = "no device" };
	commands[0] = guest_got[0] = '\0';
	refusal = NULL;
	guest_is_deaf = false;
	shutdowns = 0;
	child_output = NULL;
	clear();
	command_init(&config);
	terminals = 0;
	console_init(&config);
	assert_int_equal(console_add(5, "/dev/ttyAMA0", 0), 0);
	assert_prompt();
	clear();
	return 0;
}

static int group_setup(void **state)
{
	(void)state;
	return ring_init(&guest_ring, 4096) || ring_init(&words_ring, 4096) ||
	       ring_init(&host_ring, 4096);
}

/* --- the line editor --- */

struct edit {
	const char *keys;
	const char *command; /* what the VMs are told */
};

static const struct edit edits[] = {
	{ "start demo\r", "start 0;" },
	{ "start demo\n", "start 0;" },
	{ "  start   demo  \r", "start 0;" },
	{ "startt\b demo\r", "start 0;" },
	{ "startx\x7f demo\r", "start 0;" },
	{ "stop nonsense\x17"
	  "demo\r",
	  "stop 0;" },
	{ "stop nonsense  \x17"
	  "demo\r",
	  "stop 0;" },
	{ "kill demo\x15stop demo\r", "stop 0;" },
	{ "kill demo\x03stop demo\r", "stop 0;" },
	{ "st\033[2~op d\033[5;5~emo\033OP\r", "stop 0;" },
	{ "stop d\x07\x1e\xc3\xa9"
	  "emo\r",
	  "stop 0;" },
	{ "\b\b\x17\x15stop demo\r", "stop 0;" },
	{ "start demo\rstop other\r", "start 0;stop 1;" },
	{ "kill demo", "" },
	{ "\r\r\r", "" },
};

static void test_edit(void **state)
{
	const struct edit *edit = *state;

	type(edit->keys);
	assert_string_equal(commands, edit->command);
}

static void test_edit_byte_by_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
		commands[0] = '\0';
		for (const char *c = edits[i].keys; *c; c++)
			key(*c);
		assert_string_equal(commands, edits[i].command);
		key(CTRL_U);
		clear();
	}
}

static void test_long_line(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2000; i++)
		key('x');
	clear();
	key('\r');
	assert_shows("no such command");
	assert_prompt();
}

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
static void test_ahead(void **state)
{
	(void)state;
	type("plan\rplan --json\rstart demo\rst");
	assert_string_equal(commands, "");
	finish_child();
	assert_shows("the plan\n");
	assert_string_equal(commands, "");
	finish_child();
	assert_shows("the plan, for programs\n");
	assert_string_equal(commands, "start 0;");
	type("op demo\r");
	assert_string_equal(commands, "start 0;stop 0;");
}

static void test_far_ahead(void **state)
{
	(void)state;
	type("plan\r");
	for (unsigned i = 0; i < 1000; i++)
		type("kill!");
	assert_shows("\a");
	key(CTRL_C);
	type("start demo\r");
	finish_child();
	assert_string_equal(commands, "start 0;");
}

static void test_interrupt(void **state)
{
	(void)state;
	type("kill demo");
	key(CTRL_C);
	assert_shows("^C\n");
	assert_prompt();
	key('\r');
	assert_string_equal(commands, "");
}

/* A message comes between: the line that is being typed is shown again below it. */
static void test_message(void **state)
{
	(void)state;
	type("stop de");
	clear();
	console_line("demo: something");
	assert_string_equal(screen, "\r               \rdemo: something\nhvinit> stop de");
	type("mo\r");
	assert_string_equal(commands, "stop 0;");
}

/* --- commands --- */

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

/* --- children --- */

static void test_child(void **state)
{
	(void)state;
	type("argv other\r");
	assert_shows_not("hvinit> ");
	finish_child();
	assert_shows("the argv of 1\n");
	assert_prompt();
	type("plan\r");
	finish_child();
	assert_shows("the plan\n");
	assert_prompt();
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
	type("argv --json\rstatus --json\r");
	assert_shows("hvinit: usage: argv VM [--json]\n");
	assert_shows("hvinit: usage: status [VM]\n");
}

/* The output may end before the child does, and the other way round. */
static void test_child_order(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	type("devices\r");
	pid = waitpid(-1, &status, 0);
	while (child_output->fd >= 0)
		child_output->ready(child_output->arg, 1);
	assert_shows("the devices\n");
	assert_shows_not("hvinit> ");
	assert_true(console_reaped(pid, status));
	assert_prompt();
}

/* On a slow line a command's output waits; none of it is dropped. */
static void test_child_waits(void **state)
{
	(void)state;
	behind = true;
	type("devices\r");
	child_output->ready(child_output->arg, 1);
	assert_int_equal(child_wanted, 0);
	behind = false;
	room();
	assert_int_not_equal(child_wanted, 0);
	finish_child();
	assert_shows("the devices\n");
	assert_prompt();
}

static void test_child_dies(void **state)
{
	(void)state;
	type("check\r");
	finish_child();
	assert_shows("ended by signal 6");
	assert_prompt();
	type("stop demo\r");
	assert_string_equal(commands, "stop 0;");
}

static void test_child_interrupted(void **state)
{
	(void)state;
	type("manifest\r");
	type("kill demo\r"); /* typed ahead: for nobody */
	key(CTRL_C);
	finish_child();
	assert_shows("ended by signal 9");
	assert_prompt();
	assert_string_equal(commands, "");
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

static void test_other_child(void **state)
{
	(void)state;
	assert_false(console_reaped(4242, 0));
	type("devices\r");
	assert_false(console_reaped(4242, 0));
	finish_child();
}

/* --- a guest's console --- */

static void guest_prints(const char *text)
{
	ring_write(&guest_ring, text, strlen(text));
	console_guest(0);
}

static void test_attach(void **state)
{
	(void)state;
	ring_write(&guest_ring, "\nkept\n", 6);
	type("console demo\r");
	assert_shows("demo's console; leave with Ctrl-]\n");
	assert_shows("kept\n");
	clear();
	guest_prints("\033[1mraw");
	assert_string_equal(screen, "\033[1mraw");
	console_guest(1);
	assert_string_equal(screen, "\033[1mraw");
	type("ls\r\003");
	assert_string_equal(guest_got, "ls\r\003");
	assert_string_equal(commands, "");
	key(CTRL_RBRACKET);
	assert_prompt();
	guest_prints("unseen");
	assert_prompt();
	type("stop demo\r");
	assert_string_equal(commands, "stop 0;");
}

/* All in one burst, as a paste or a test sends it. */
static void test_attach_in_one(void **state)
{
	(void)state;
	type("console demo\rls\r\x1dstop demo\r");
	assert_string_equal(guest_got, "ls\r");
	assert_string_equal(commands, "stop 0;");
}

static void test_attach_held(void **state)
{
	(void)state;
	type("console demo\r");
	clear();
	console_line("a message");
	console_line("another");
	assert_string_equal(screen, "");
	key(CTRL_RBRACKET);
	assert_shows("2 lines came meanwhile");
	assert_prompt();
}

static void test_attach_ends(void **state)
{
	(void)state;
	type("console demo\r");
	console_guest_ended(1);
	guest_prints("last words");
	console_guest_ended(0);
	assert_shows("last words");
	assert_shows("its console is closed");
	assert_prompt();
}

static void test_attach_deaf(void **state)
{
	(void)state;
	guest_is_deaf = true;
	type("console demo\r");
	clear();
	type("x");
	assert_string_equal(screen, "\a");
	key(CTRL_RBRACKET);
	assert_prompt();
}

/* Of what a guest floods a slow line with only a little waits for the line, and the rest is counted. */
static void test_attach_slow(void **state)
{
	(void)state;
	guest_ring.total = 0;
	type("console demo\r");
	clear();
	behind = true;
	for (unsigned i = 0; i < 100; i++)
		guest_prints("a line of one hundred characters .............................."
			     ".................................................");
	assert_string_equal(screen, "");
	behind = false;
	room();
	assert_shows("bytes of the console dropped: the line is slow]");
	assert_true(shown > guest_ring.size && shown < guest_ring.size + 100);
	key(CTRL_RBRACKET);
	assert_prompt();
}

/* --- two consoles --- */

static void type_at(unsigned terminal, const char *text)
{
	terms[terminal]->input(terms[terminal]->arg, text, strlen(text));
}

static void test_two(void **state)
{
	(void)state;
	assert_int_equal(console_add(5, "/dev/tty0", 0), 0);
	clear();
	type("stat");
	type_at(1, "version\r");
	assert_string_equal(screens[0], "stat");
	assert_non_null(strstr(screens[1], "Linux 7.3\nhvinit> "));
	clear();
	console_line("for all");
	assert_non_null(strstr(screens[0], "for all\nhvinit> stat"));
	assert_non_null(strstr(screens[1], "for all\nhvinit> "));
	type_at(1, "console demo\r");
	clear();
	/* Who has the guest's console has seen its line. */
	console_echo(0, "demo| a line");
	assert_non_null(strstr(screens[0], "demo| a line"));
	assert_string_equal(screens[1], "");
	type("us\r");
	assert_non_null(strstr(screens[0], "up "));
	type_at(1, "x\x1d");
	assert_string_equal(guest_got, "x");
	assert_null(strstr(screens[1], "came meanwhile"));
	/* The past is everybody's. */
	clear();
	type_at(1, "\020");
	assert_non_null(strstr(screens[1], "status"));
}

static void test_two_children(void **state)
{
	struct source *first;
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(console_add(5, "/dev/tty0", 0), 0);
	clear();
	type("manifest\r");
	first = child_output;
	type_at(1, "plan\r");
	pid = waitpid(-1, &status, 0);
	assert_true(console_reaped(pid, status));
	while (child_output->fd >= 0)
		child_output->ready(child_output->arg, 1);
	assert_non_null(strstr(screens[1], "the plan\nhvinit> "));
	assert_null(strstr(screens[0], "the plan"));
	key(CTRL_C);
	child_output = first;
	finish_child();
	assert_shows("ended by signal 9");
	assert_prompt();
}

static void test_too_many(void **state)
{
	(void)state;
	for (unsigned i = 1; i < CONSOLES; i++)
		assert_int_equal(console_add(5, "/dev/tty", 0), 0);
	assert_int_equal(console_add(5, "/dev/tty", 0), -ENOSPC);
}

/* --- the shell --- */

static void test_shell(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	config.host.shell = true;
	type("shell\r");
	assert_true(lent);
	type("stop demo\r");
	console_line("a message");
	assert_string_equal(commands, "");
	pid = waitpid(-1, &status, 0);
	assert_true(console_reaped(pid, status));
	assert_false(lent);
	assert_shows("1 lines came meanwhile");
	assert_prompt();
}

static void test_no_console(void **state)
{
	(void)state;
	console_init(&config);
	console_line("nobody sees it");
	console_echo(0, "nobody sees it");
	console_reply("nobody sees it");
	assert_string_equal(screen, "");
}

#define CONSOLE_CASE(title, function, row) FIXTURE(title, function, setup, NULL, row)

int main(void)
{
	static char titles[ARRAY_SIZE(edits) + ARRAY_SIZE(answers)][48];
	static struct CMUnitTest tests[ARRAY_SIZE(titles) + 40];
	const struct CMUnitTest others[] = {
		CONSOLE_CASE("editing byte by byte", test_edit_byte_by_byte, NULL),
		CONSOLE_CASE("a line that is too long", test_long_line, NULL),
		CONSOLE_CASE("Ctrl-C", test_interrupt, NULL),
		CONSOLE_CASE("symbols for this boot", test_set, NULL),
		CONSOLE_CASE("one VM's status", test_status_of_one, NULL),
		CONSOLE_CASE("the help fits the screen", test_help_fits, NULL),
		CONSOLE_CASE("completion", test_complete, NULL),
		CONSOLE_CASE("several lines at once", test_ahead, NULL),
		CONSOLE_CASE("too many lines at once", test_far_ahead, NULL),
		CONSOLE_CASE("a message while typing", test_message, NULL),
		CONSOLE_CASE("a refusal", test_refusal, NULL),
		CONSOLE_CASE("what VMs are told", test_vm_commands, NULL),
		CONSOLE_CASE("devices that come and go", test_plug, NULL),
		CONSOLE_CASE("history", test_history, NULL),
		CONSOLE_CASE("quarantine", test_quarantine, NULL),
		CONSOLE_CASE("poweroff and reboot", test_shutdown, NULL),
		CONSOLE_CASE("no shutdown by a slip", test_no_shutdown, NULL),
		CONSOLE_CASE("a command's child", test_child, NULL),
		CONSOLE_CASE("for programs", test_json, NULL),
		CONSOLE_CASE("its output ends first", test_child_order, NULL),
		CONSOLE_CASE("its output waits for the line", test_child_waits, NULL),
		CONSOLE_CASE("a child that crashes", test_child_dies, NULL),
		CONSOLE_CASE("a child is interrupted", test_child_interrupted, NULL),
		CONSOLE_CASE("logs", test_log, NULL),
		CONSOLE_CASE("explain", test_explain, NULL),
		CONSOLE_CASE("record", test_record, NULL),
		CONSOLE_CASE("a child of somebody else", test_other_child, NULL),
		CONSOLE_CASE("a guest's console", test_attach, NULL),
		CONSOLE_CASE("there and back in one burst", test_attach_in_one, NULL),
		CONSOLE_CASE("messages meanwhile", test_attach_held, NULL),
		CONSOLE_CASE("the guest ends", test_attach_ends, NULL),
		CONSOLE_CASE("a guest that does not read", test_attach_deaf, NULL),
		CONSOLE_CASE("a guest on a slow line", test_attach_slow, NULL),
		CONSOLE_CASE("two consoles", test_two, NULL),
		CONSOLE_CASE("two commands at a time", test_two_children, NULL),
		CONSOLE_CASE("too many consoles", test_too_many, NULL),
		CONSOLE_CASE("the shell", test_shell, NULL),
		CONSOLE_CASE("no console at all", test_no_console, NULL),
	};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(edits); i++, n++) {
		str_format(titles[n], sizeof(titles[n]), "editing %zu", i);
		tests[n] = CONSOLE_CASE(titles[n], test_edit, &edits[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++, n++) {
		str_format(titles[n], sizeof(titles[n]), "command: %s", answers[i].line);
		tests[n] = CONSOLE_CASE(titles[n], test_answer, &answers[i]);
	}
	memcpy(&tests[n], others, sizeof(others));
	return _cmocka_run_group_tests("console", tests, n + ARRAY_SIZE(others), group_setup, NULL);
}
