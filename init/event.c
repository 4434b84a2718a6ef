/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of JSON in fixed memory. */
#include "event.h"

#include <inttypes.h>
#include <string.h>

#include "console.h"
#include "json.h"
#include "util.h"

/* Each of a line's texts is shorter than 256 bytes, which six times as many may stand for. */
enum { LINE = 4096, QUOTED = 2048 };

struct line {
	char text[LINE];
	size_t used;
};

static struct ring ring;

int event_init(size_t bytes)
{
	return ring_init(&ring, bytes);
}

const struct ring *event_ring(void)
{
	return &ring;
}

PRINTF_LIKE(2, 3)
static void add(struct line *line, const char *fmt, ...)
{
	size_t room = sizeof(line->text) - line->used;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line->text + line->used, room, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < room)
		line->used += (size_t)n;
}

static void add_text(struct line *line, const char *key, const char *text)
{
	char quoted[QUOTED];

	if (json_quote(text, quoted, sizeof(quoted)))
		add(line, ", \"%s\": %s", key, quoted);
	else
		add(line, ", \"%s\": null", key);
}

static void begin(struct line *line, const char *what)
{
	line->used = 0;
	add(line, "{\"up_ms\": %" PRIu64 ", \"event\": \"%s\"", boottime_us() / 1000, what);
}

static void end(struct line *line)
{
	add(line, "}\n");
	ring_write(&ring, line->text, line->used);
	console_more(&ring);
}

void event_greeting(char *text, size_t size)
{
	struct line line;

	begin(&line, "begin");
	str_format(text, size, "%s}\n", line.text);
}

void event_vm(const char *vm, const char *state, const char *before, const char *why)
{
	struct line line;

	begin(&line, "vm");
	add_text(&line, "vm", vm);
	add_text(&line, "state", state);
	add_text(&line, "before", before);
	add_text(&line, "why", why);
	end(&line);
}

void event_end(const char *vm, const char *cause, uint64_t ran_ms, const char *why)
{
	struct line line;

	begin(&line, "end");
	add_text(&line, "vm", vm);
	add_text(&line, "cause", cause);
	add(&line, ", \"ran_ms\": %" PRIu64, ran_ms);
	add_text(&line, "why", why);
	end(&line);
}

void event_device(const char *vm, unsigned slot, const char *bdf, const char *state,
		  const char *why)
{
	struct line line;

	begin(&line, "device");
	add_text(&line, "vm", vm);
	add(&line, ", \"hostdev\": %u", slot);
	add_text(&line, "bdf", bdf);
	add_text(&line, "state", state);
	add_text(&line, "why", why);
	end(&line);
}

void event_machine(const char *what)
{
	struct line line;

	begin(&line, "machine");
	add_text(&line, "what", what);
	end(&line);
}
