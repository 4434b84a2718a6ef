/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's log: kernel records, our own lines, and what may reach the operator's terminal. */
#include "unit.h"

#include <signal.h>
#include <sys/socket.h>

#include "console.h"
#include "log.h"
#include "loop.h"
#include "sys.h"

static struct source *follow;
static int kmsg[2]; /* what is written to the kernel log; its other end */
static int records[2]; /* what is read from it; its other end */
static char shown[8192];

int __wrap_sys_kmsg_open(void);
int __wrap_sys_kmsg_follow(void);
off_t __wrap_lseek(int fd, off_t offset, int whence);

int __wrap_sys_kmsg_open(void)
{
	return kmsg[0];
}

int __wrap_sys_kmsg_follow(void)
{
	return records[0];
}

/* A kernel log can be read from its beginning; a socket cannot. */
static bool has_past;

off_t __wrap_lseek(int fd, off_t offset, int whence)
{
	assert_int_equal(fd, records[0]);
	assert_int_equal(offset, 0);
	assert_int_equal(whence, SEEK_SET);
	return has_past ? 0 : -1;
}

int loop_add(struct source *source, int fd, uint32_t events, void (*ready)(void *, uint32_t),
	     void *arg)
{
	(void)events;
	source->fd = fd;
	source->ready = ready;
	source->arg = arg;
	follow = source;
	return 0;
}

void loop_close(struct source *source)
{
	source->fd = -1;
}

static struct source *timer;
static uint64_t timer_ms;

int timer_add(struct source *source, void (*ready)(void *, uint32_t), void *arg)
{
	source->fd = 1000;
	source->ready = ready;
	source->arg = arg;
	timer = source;
	return 0;
}

void timer_set(const struct source *source, uint64_t ms)
{
	assert_ptr_equal(source, timer);
	timer_ms = ms;
}

bool timer_fired(const struct source *source)
{
	return source == timer;
}

void console_line(const char *line)
{
	size_t used = strlen(shown);

	str_format(shown + used, sizeof(shown) - used, "%s\n", line);
}

/* Nobody follows it. */
void console_more(const struct ring *ring)
{
	(void)ring;
}

/* As at boot: what the kernel has kept so far is not in the ring. */
static int setup_behind(void **state)
{
	(void)state;
	shown[0] = '\0';
	/* Like /dev/kmsg, a sequence of records. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, kmsg) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, records))
		return -1;
	log_init(6);
	return log_keep(4096);
}

static int setup(void **state)
{
	int error = setup_behind(state);

	log_ring();
	return error;
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		close(kmsg[i]);
		close(records[i]);
	}
	return 0;
}

static void record(const char *text)
{
	assert_int_equal(send(records[1], text, strlen(text), 0), strlen(text));
	follow->ready(follow->arg, 1);
}

static const char *kept(void)
{
	static char text[8192];
	uint64_t at = 0;

	text[ring_read(log_ring(), &at, text, sizeof(text) - 1)] = '\0';
	return text;
}

static const char *written(void)
{
	static char text[2048];
	ssize_t n = recv(kmsg[1], text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void test_message(void **state)
{
	static const char back[] = "12,100,2345678,-;hvinit: demo: text 7\n";

	(void)state;
	/* What the kernel makes of it, which must be shown, and only once. */
	assert_true(send(records[1], back, sizeof(back) - 1, 0) > 0);
	log_msg(LOG_LEVEL_WARN, "demo", "%s %d", "text", 7);
	assert_string_equal(written(), "<12>hvinit: demo: text 7\n");
	assert_string_equal(shown, "[    2.345678] hvinit: demo: text 7\n");
	assert_string_equal(kept(), shown);
}

/* The kernel limits the rate and says that it wrote the line: it must not be lost here. */
static void test_swallowed(void **state)
{
	(void)state;
	log_msg(LOG_LEVEL_WARN, "demo", "swallowed");
	assert_non_null(strstr(shown, "hvinit: demo: swallowed\n"));
	assert_string_equal(kept(), shown);
}

static void test_finding(void **state)
{
	struct diag diag = { 0 };

	(void)state;
	diag_add(&diag, 0, DIAG_QEMU_NONE, "demo", "start it: no such file");
	log_finding(&diag.finding[0]);
	assert_string_equal(written(), "<11>hvinit: demo: start it: no such file [QEMU-NONE]\n");
	assert_string_equal(written(),
			    "<11>hvinit: remedy: rebuild the image; the file list is in rootfs/\n");
}

/* Kernel lines above the level are kept for 'log host', not shown; ours are. */
static void test_level(void **state)
{
	(void)state;
	log_set_level(4);
	record("6,1,1000000,-;pci 0000:41:00.0: something\n");
	record("4,2,2000000,-;a warning\n");
	record("14,3,3000000,-;hvinit: demo: running\n");
	record("15,4,4000000,-;debugging of user space\n");
	assert_string_equal(shown, "[    2.000000] a warning\n"
				   "[    3.000000] hvinit: demo: running\n");
	assert_non_null(strstr(kept(), "[    1.000000] pci 0000:41:00.0: something\n"));
	assert_non_null(strstr(kept(), "[    4.000000] debugging of user space\n"));
}

static void test_records(void **state)
{
	(void)state;
	record("6,1,1,-;one line\n SUBSYSTEM=pci\n DEVICE=+pci:0000:41:00.0\n");
	record("6,2,2,c,more=fields;a line; with a semicolon\n");
	record("6,3,3,-;\033[2Jcleared\ttab\n");
	assert_string_equal(shown, "[    0.000001] one line\n"
				   "[    0.000002] a line; with a semicolon\n"
				   "[    0.000003] cleared\ttab\n");
}

static void test_strange_records(void **state)
{
	(void)state;
	record("nonsense");
	record(";x");
	record("x,1,1,-;y");
	assert_string_equal(shown, "");
	record("6;no fields");
	record("6,1;no time");
	follow->ready(follow->arg, 1); /* nothing to read */
}

static void test_long_record(void **state)
{
	char text[6000] = "6,1,1,-;";

	(void)state;
	memset(text + 8, 'x', sizeof(text) - 9);
	text[sizeof(text) - 1] = '\0';
	record(text);
	assert_true(strlen(shown) > 500 && strlen(shown) < 1200);
	assert_int_equal(shown[strlen(shown) - 1], '\n');
	record("6,2,2,-;next\n");
	assert_non_null(strstr(shown, "] next\n"));
	assert_non_null(strstr(kept(), "] next\n"));
}

static void send_records(const char *const *record, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_true(send(records[1], record[i], strlen(record[i]), 0) > 0);
}

/*
 * What was said before it was kept is fetched, but not shown a second time. What nobody has read
 * yet comes with it, and is shown.
 */
static void test_past(void **state)
{
	static const char *const all[] = {
		"6,1001,1,-;Booting Linux\n",
		"6,1002,2,-;second\n",
		"6,1003,3,-;third\n",
	};

	(void)state;
	record(all[0]);
	record(all[1]);
	shown[0] = '\0';
	has_past = true;
	send_records(all, ARRAY_SIZE(all));
	assert_int_equal(timer_ms, 1000);
	timer->ready(timer->arg, 1);
	has_past = false;
	assert_int_equal(timer->fd, -1);
	assert_string_equal(shown, "[    0.000003] third\n");
	assert_string_equal(kept(), "[    0.000001] Booting Linux\n[    0.000002] second\n"
				    "[    0.000003] third\n");
	record("6,1004,4,-;fourth\n");
	assert_non_null(strstr(kept(), "third\n[    0.000004] fourth\n"));
}

/* Who asks need not wait. */
static void test_asked(void **state)
{
	static const char *const all[] = { "6,2001,1,-;Booting Linux\n" };

	(void)state;
	has_past = true;
	send_records(all, ARRAY_SIZE(all));
	assert_string_equal(kept(), "[    0.000001] Booting Linux\n");
	has_past = false;
}

/* Lines that say that some were lost. */
static unsigned times_lost(const char *text)
{
	unsigned times = 0;

	for (const char *at = text; (at = strstr(at, " were lost\n")); at++)
		times++;
	return times;
}

/* The kernel numbers its records: what is missing was written over before it could be read. */
static void test_lost(void **state)
{
	static const char told[] = "] hvinit: log: 3 lines of the kernel log were lost\n";
	const char *one;
	const char *gap;
	const char *five;

	(void)state;
	log_set_level(4);
	record("4,1,1,-;one\n");
	assert_int_equal(log_lost(), 0);
	record("4,5,5,-;five\n");
	assert_int_equal(log_lost(), 3);
	record("4,6,6,-;six\n");
	one = strstr(shown, "] one\n");
	gap = strstr(shown, told);
	five = strstr(shown, "] five\n");
	assert_true(one && gap && five && one < gap && gap < five);
	assert_int_equal(times_lost(shown), 1);
	assert_string_equal(kept(), shown);
	/* A second one is told for itself, and counted with the first. */
	record("7,8,8,-;eight\n");
	assert_non_null(strstr(shown, "] hvinit: log: 1 lines of the kernel log were lost\n"));
	assert_int_equal(times_lost(shown), 2);
	assert_int_equal(times_lost(kept()), 2);
	assert_int_equal(log_lost(), 4);
}

/* What was before the first one that is read is nobody's loss. */
static void test_first_is_no_loss(void **state)
{
	(void)state;
	record("6,7001,1,-;first\n");
	record("6,7002,2,-;second\n");
	assert_string_equal(shown, "[    0.000001] first\n[    0.000002] second\n");
	assert_string_equal(kept(), shown);
	assert_int_equal(log_lost(), 0);
}

/* What comes again is not lost a second time, though it has the same gap; nor is what is older. */
static void test_again_is_no_loss(void **state)
{
	static const char *const all[] = {
		"6,3000,1,-;older\n",
		"6,3002,2,-;second\n",
		"6,3005,3,-;third\n",
		"6,3006,4,-;fourth\n",
	};

	(void)state;
	record(all[1]);
	record(all[2]);
	assert_int_equal(log_lost(), 2);
	assert_int_equal(times_lost(shown), 1);
	shown[0] = '\0';
	has_past = true;
	send_records(all, ARRAY_SIZE(all));
	log_ring();
	has_past = false;
	assert_string_equal(shown, "[    0.000004] fourth\n");
	assert_int_equal(log_lost(), 2);
	assert_non_null(strstr(kept(), "] older\n"));
}

static char noticed[64];

static void notice(const char *text)
{
	str_copy(noticed, sizeof(noticed), text);
}

/* Ours are not looked at, and nothing twice. */
static void test_notice(void **state)
{
	(void)state;
	log_notice(notice);
	record("3,1,1,-;AER: something\n");
	record("12,2,2,-;hvinit: said\n");
	log_notice(NULL);
	record("3,3,3,-;another\n");
	assert_string_equal(noticed, "AER: something");
}

static bool hides(const char *text)
{
	return strstr(text, "AER") != NULL;
}

/* What is told of in other words is kept, and noticed, and not shown. Ours always is. */
static void test_hide(void **state)
{
	(void)state;
	log_notice(notice);
	log_hide(hides);
	noticed[0] = shown[0] = '\0';
	record("3,1,1,-;AER: something\n");
	record("12,2,2,-;hvinit: of AER\n");
	record("3,3,3,-;another\n");
	log_notice(NULL);
	log_hide(NULL);
	assert_string_equal(shown, "[    0.000002] hvinit: of AER\n[    0.000003] another\n");
	assert_string_equal(noticed, "another");
	assert_non_null(strstr(kept(), "] AER: something\n"));
}

/* Without a kernel log, as in a container, lines go straight to console and ring. */
static void test_no_kernel_log(void **state)
{
	char text[3000];

	(void)state;
	close(kmsg[1]);
	kmsg[1] = -1;
	log_msg(LOG_LEVEL_INFO, "init", "started");
	assert_non_null(strstr(shown, "] hvinit: init: started\n"));
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_msg(LOG_LEVEL_INFO, "init", "%s", text);
	log_msg(LOG_LEVEL_INFO, text, "%s", text);
	assert_true(strlen(shown) < 3000);
}

#define LOG_CASE(title, function) FIXTURE(title, function, setup, teardown, NULL)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_CASE("a message goes through the kernel", test_message),
		LOG_CASE("a finding and its remedy", test_finding),
		LOG_CASE("levels", test_level),
		LOG_CASE("a message that the kernel swallows", test_swallowed),
		LOG_CASE("kernel records", test_records),
		LOG_CASE("strange records", test_strange_records),
		LOG_CASE("a long record", test_long_record),
		FIXTURE("what was said before", test_past, setup_behind, teardown, NULL),
		FIXTURE("what was said before is asked for", test_asked, setup_behind, teardown,
			NULL),
		LOG_CASE("lines that were lost", test_lost),
		LOG_CASE("the first line is no loss", test_first_is_no_loss),
		FIXTURE("lines that come again are no loss", test_again_is_no_loss, setup_behind,
			teardown, NULL),
		LOG_CASE("lines of the kernel are noticed", test_notice),
		LOG_CASE("lines of the kernel are hidden", test_hide),
		LOG_CASE("no kernel log", test_no_kernel_log),
	};

	signal(SIGPIPE, SIG_IGN); /* PID 1 blocks it */
	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
