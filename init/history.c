/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ring of ends. */
#include "history.h"

#include "util.h"

static const char *const cause_name[END_CAUSES] = {
	[END_STOPPED] = "stopped",
	[END_KILLED] = "killed",
	[END_SHUTDOWN] = "guest-shutdown",
	[END_RESET] = "guest-reset",
	[END_PANIC] = "guest-panic",
	[END_WATCHDOG] = "guest-watchdog",
	[END_SIGNAL] = "host-signal",
	[END_OOM] = "oom-kill",
	[END_CRASH] = "crash",
	[END_EXIT] = "exit",
	[END_REFUSED] = "refused",
	[END_LAUNCH] = "launch",
	[END_HUNG] = "hung",
};

void history_init(struct history *history)
{
	memset(history->tally, 0, sizeof(history->tally));
	history->resets = 0;
	history->count = 0;
}

void history_add(struct history *history, struct history_entry entry, const char *text)
{
	struct history_entry *place = &history->entry[history->count % HISTORY_ENTRIES];

	*place = entry;
	str_copy(place->text, sizeof(place->text), text);
	history->count++;
	history->tally[entry.cause]++;
}

const struct history_entry *history_back(const struct history *history, unsigned n)
{
	if (n >= history->count || n >= HISTORY_ENTRIES)
		return NULL;
	return &history->entry[(history->count - 1 - n) % HISTORY_ENTRIES];
}

unsigned history_since(const struct history *history, uint64_t since_ms)
{
	const struct history_entry *entry;
	unsigned count = 0;

	for (unsigned n = 0; (entry = history_back(history, n)); n++)
		if (entry->at_ms >= since_ms && entry->cause != END_STOPPED &&
		    entry->cause != END_KILLED)
			count++;
	return count;
}

const char *history_cause(enum end_cause cause)
{
	return cause_name[cause];
}
