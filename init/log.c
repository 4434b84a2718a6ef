/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes to and follows /dev/kmsg; Documentation/ABI/testing/dev-kmsg describes the records. */
#include "log.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "console.h"
#include "loop.h"
#include "sys.h"
#include "text.h"

enum {
	LINE = 1024, /* a record of the kernel log is cut there, too */
	RECORD = 8192, /* a read must take a whole one: text and its dictionary */
	RECORDS_BEFORE = 10000,
	LATER_MS = 1000, /* VMs start before the past is fetched */
	AT_ONCE = 64, /* records shown in one go: a flood must not hold up the loop */
	FACILITY_USER = 1,
	FACILITY_SHIFT = 3,
};

static int kmsg = -1;
static struct source follow = { .fd = -1 };
static struct ring ring;
static int shown;
static unsigned delivered; /* lines of ours so far */
static void (*kernel_line)(const char *text);
static bool (*hidden)(const char *text);
static struct source later = { .fd = -1 };
static bool behind; /* what the kernel has kept so far is not in the ring */
static uint64_t lost;
static uint64_t next; /* sequence number of the first record that was not shown */
/* The kernel log's clock began to count before CLOCK_BOOTTIME did: by so many microseconds. */
static uint64_t ahead;

static void format_stamp(uint64_t us, char *stamp, size_t size)
{
	str_format(stamp, size, "[%5lu.%06lu]", (unsigned long)(us / 1000000),
		   (unsigned long)(us % 1000000));
}

void log_stamp(char *stamp, size_t size)
{
	format_stamp(boottime_us() + ahead, stamp, size);
}

/* One line for the ring, unless what is older is not in it yet, and for the consoles. */
static void say(uint64_t us, const char *text, bool is_shown)
{
	char line[LINE + 64];
	char stamp[32];
	int n;

	format_stamp(us, stamp, sizeof(stamp));
	n = snprintf(line, sizeof(line), "%s %s\n", stamp, text);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(line))
		n = sizeof(line) - 1;
	if (!behind) {
		ring_write(&ring, line, (size_t)n);
		console_more(&ring);
	}
	line[n - 1] = '\0';
	if (is_shown)
		console_line(line);
}

/*
 * Our own lines come as user messages, the kernel's as its own. One that comes again was shown before
 * it could be kept.
 */
static void deliver(unsigned priority, uint64_t us, const char *text, bool again)
{
	bool ours = priority >> FACILITY_SHIFT != 0;
	bool is_shown = (int)(priority & 7) <= (ours ? LOG_LEVEL_INFO : shown);

	delivered += ours && !again;
	if (is_shown && !ours && hidden)
		is_shown = !hidden(text);
	say(us, text, !again && is_shown);
	/* Last: it may log, and so come here again. */
	if (!ours && !again && kernel_line)
		kernel_line(text);
}

/* The kernel numbers its records; between two that came, so many were written over. */
static void tell_lost(uint64_t lines)
{
	char text[80];

	if (lines == 0)
		return;
	lost += lines;
	str_format(text, sizeof(text), "hvinit: log: %lu lines of the kernel log were lost",
		   (unsigned long)lines);
	say(boottime_us() + ahead, text, true);
}

/* "priority,sequence,microseconds,flags;text\n continuation lines" */
static void read_record(char *record, size_t len)
{
	struct text_filter filter = { 0 };
	unsigned priority;
	uint64_t sequence;
	uint64_t us;
	uint64_t now;
	bool again;
	char *text;
	char *end;

	record[len] = '\0';
	text = strchr(record, ';');
	if (!text)
		return;
	priority = (unsigned)strtoul(record, &end, 10);
	if (*end != ',')
		return;
	sequence = strtoull(end + 1, &end, 10);
	us = *end == ',' ? strtoull(end + 1, NULL, 10) : 0;
	now = boottime_us();
	if (priority >> FACILITY_SHIFT && ahead == 0 && us > now)
		ahead = us - now;
	text++;
	text[strcspn(text, "\n")] = '\0';
	text[text_filter(&filter, text, strlen(text), text)] = '\0';
	again = sequence < next;
	if (!again && next)
		tell_lost(sequence - next);
	if (!again)
		next = sequence + 1;
	deliver(priority, us, text, again);
}

/* False when there is nothing more to read. */
static bool read_one(void)
{
	static char record[RECORD + 1];
	ssize_t n = read(follow.fd, record, RECORD);

	if (n > 0)
		read_record(record, (size_t)n);
	return n > 0 || (n < 0 && errno == EPIPE);
}

static void follow_ready(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	read_one();
}

void log_init(int shown_level)
{
	int fd = sys_kmsg_follow();

	shown = shown_level;
	next = lost = 0;
	kmsg = sys_kmsg_open();
	if (fd >= 0 && kmsg >= 0)
		loop_add(&follow, fd, EPOLLIN, follow_ready, NULL);
}

/* All that was said before, by the kernel and by us, belongs there. */
static void catch_up(void)
{
	if (!behind)
		return;
	behind = false;
	loop_close(&later);
	if (lseek(follow.fd, 0, SEEK_SET))
		return;
	for (unsigned i = 0; i < RECORDS_BEFORE && read_one(); i++)
		;
}

static void later_ready(void *arg, uint32_t events)
{
	(void)arg;
	(void)events;
	if (timer_fired(&later))
		catch_up();
}

int log_keep(size_t bytes)
{
	int error = ring_init(&ring, bytes);

	behind = follow.fd >= 0 && !error;
	if (behind && timer_add(&later, later_ready, NULL) == 0)
		timer_set(&later, LATER_MS);
	return error;
}

void log_notice(void (*notice)(const char *text))
{
	kernel_line = notice;
}

void log_hide(bool (*hides)(const char *text))
{
	hidden = hides;
}

void log_set_level(int shown_level)
{
	shown = shown_level;
}

static void emit(enum log_level level, const char *text)
{
	char line[LINE];
	unsigned priority = FACILITY_USER << FACILITY_SHIFT | (unsigned)level;
	unsigned before = delivered;
	unsigned budget = AT_ONCE;

	/* Without its newline the kernel keeps a record back, to be continued, until the next one. */
	str_format(line, sizeof(line), "<%u>hvinit: %s\n", priority, text);
	if (follow.fd >= 0 && write(kmsg, line, strlen(line)) >= 0) {
		/* Shown before the next thing is done: it may be the machine's last. */
		while (delivered == before && budget > 0 && read_one())
			budget--;
		/* Behind so many others it is shown in its turn. */
		if (delivered != before || budget == 0)
			return;
	}
	/*
	 * There is no kernel log, as in a container, or it did not take the line: without
	 * printk.devkmsg=on on its command line the kernel drops all but ten lines in five seconds,
	 * and says that it has written them.
	 */
	catch_up();
	line[strcspn(line, "\n")] = '\0';
	deliver(priority, boottime_us(), strchr(line, '>') + 1, false);
}

void log_msg(enum log_level level, const char *subject, const char *fmt, ...)
{
	char text[LINE - 64];
	char line[LINE - 16];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_format(line, sizeof(line), "%s: %s", subject, text);
	emit(level, line);
}

void log_finding(const struct finding *finding)
{
	enum log_level level = finding->severity == DIAG_FAIL ? LOG_LEVEL_ERR : LOG_LEVEL_WARN;
	char line[LINE - 64];

	diag_format(finding, line, sizeof(line));
	emit(level, line);
	str_format(line, sizeof(line), "remedy: %s", diag_code_remedy(finding->code));
	emit(level, line);
}

uint64_t log_lost(void)
{
	return lost;
}

const struct ring *log_ring(void)
{
	catch_up();
	return &ring;
}
