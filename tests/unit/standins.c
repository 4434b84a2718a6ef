/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stand-ins that keep what they are told. */
#include "standins.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "chore.h"
#include "event.h"
#include "unit.h"

#define WEAK __attribute__((weak))

char said[16384];
char happened[4096];
struct source *watched;
uint32_t watched_events;
struct source *timer;
uint64_t timer_ms;
int timer_error;
unsigned chores_begun;
bool chore_hangs;
void (*chore_done)(int error);
int chore_error;

void standins_reset(void)
{
	said[0] = happened[0] = '\0';
	watched = timer = NULL;
	watched_events = 0;
	timer_ms = 0;
	timer_error = chore_error = 0;
	chores_begun = 0;
	chore_hangs = false;
	chore_done = NULL;
}

void say(const char *text)
{
	size_t used = strlen(said);

	str_format(said + used, sizeof(said) - used, "%s\n", text);
}

void assert_said(const char *part)
{
	if (!strstr(said, part))
		fail_msg("nobody said \"%s\", but:\n%s", part, said);
}

unsigned times_said(const char *part)
{
	unsigned times = 0;

	for (const char *at = said; (at = strstr(at, part)); at++)
		times++;
	return times;
}

bool print_into(char *out, size_t size, bool (*show)(void))
{
	const int stream = memfd_create("out", 0);
	const int kept = dup(STDOUT_FILENO);
	ssize_t n;
	bool whole;

	fflush(stdout);
	dup2(stream, STDOUT_FILENO);
	whole = show();
	fflush(stdout);
	dup2(kept, STDOUT_FILENO);
	n = pread(stream, out, size - 1, 0);
	out[n > 0 ? n : 0] = '\0';
	close(stream);
	close(kept);
	return whole;
}

const char *read_text(int fd)
{
	static char text[1024];
	ssize_t n = read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* --- the log --- */

WEAK void log_msg(enum log_level level, const char *subject, const char *fmt, ...)
{
	char text[512];
	char line[600];
	va_list ap;

	(void)level;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	str_format(line, sizeof(line), "%s: %s", subject, text);
	say(line);
}

WEAK void log_finding(const struct finding *finding)
{
	char line[512];

	diag_format(finding, line, sizeof(line));
	say(line);
}

/* --- events --- */

PRINTF_LIKE(1, 2)
static void happen(const char *fmt, ...)
{
	size_t used = strlen(happened);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(happened + used, sizeof(happened) - used, fmt, ap);
	va_end(ap);
}

WEAK void event_vm(const char *vm, const char *state, const char *before, const char *why)
{
	(void)why;
	happen("vm %s %s %s\n", vm, state, before);
}

WEAK void event_end(const char *vm, const char *cause, uint64_t ran_ms, const char *why)
{
	(void)ran_ms;
	(void)why;
	happen("end %s %s\n", vm, cause);
}

WEAK void event_device(const char *vm, unsigned slot, const char *bdf, const char *state,
		       const char *why)
{
	(void)why;
	happen("device %s %u %s %s\n", vm, slot, bdf, state);
}

WEAK void event_machine(const char *what)
{
	happen("machine %s\n", what);
}

/* --- the loop --- */

WEAK int loop_add(struct source *source, int fd, uint32_t events, void (*ready)(void *, uint32_t),
		  void *arg)
{
	*source = (struct source){ fd, ready, arg };
	watched = source;
	watched_events = events;
	return 0;
}

WEAK void loop_want(struct source *source, uint32_t events)
{
	assert_ptr_equal(source, watched);
	watched_events = events;
}

WEAK void loop_pause(const struct source *source)
{
	assert_ptr_equal(source, watched);
	watched_events = 0;
}

WEAK void loop_close(struct source *source)
{
	if (source->fd >= 0)
		close(source->fd);
	source->fd = -1;
}

WEAK int timer_add(struct source *source, void (*ready)(void *, uint32_t), void *arg)
{
	if (timer_error)
		return timer_error;
	*source = (struct source){ TIMER_FD, ready, arg };
	timer = source;
	return 0;
}

WEAK void timer_set(const struct source *source, uint64_t ms)
{
	assert_ptr_equal(source, timer);
	timer_ms = ms;
}

WEAK bool timer_fired(const struct source *source)
{
	return source == timer;
}

/* --- chores --- */

WEAK int chore_start(int (*work)(const void *arg), const void *arg, void (*done)(int error))
{
	int error;

	if (chore_error)
		return chore_error;
	chores_begun++;
	chore_done = done;
	if (chore_hangs)
		return 0;
	error = work(arg);
	if (done)
		done(error);
	return 0;
}

/* --- a launcher's reports --- */

WEAK int launch_read(int fd, struct launch_report *report)
{
	ssize_t n = read(fd, report, sizeof(*report));

	report->listener = -1;
	return n < 0 ? 0 : n == 0 ? -ENODATA : 1;
}
