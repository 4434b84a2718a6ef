/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bit for each CPU. */
#include "cpulist.h"

#include <ctype.h>
#include <stdlib.h>

#include "util.h"

enum { WORD = 64, WORDS = CPULIST_MAX / WORD };

static bool read_cpu(const char **text, unsigned *cpu)
{
	unsigned long n;
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	n = strtoul(*text, &end, 10);
	*text = end;
	*cpu = (unsigned)n;
	return n < CPULIST_MAX;
}

bool cpulist_parse(const char *text, struct cpulist *list)
{
	memset(list, 0, sizeof(*list));
	if (!*text)
		return true;
	for (;; text++) {
		unsigned first;
		unsigned last;

		if (!read_cpu(&text, &first))
			return false;
		last = first;
		if (*text == '-') {
			text++;
			if (!read_cpu(&text, &last) || last < first)
				return false;
		}
		for (unsigned cpu = first; cpu <= last; cpu++)
			list->bit[cpu / WORD] |= UINT64_C(1) << cpu % WORD;
		if (*text != ',')
			return *text == '\0';
	}
}

bool cpulist_has(const struct cpulist *list, unsigned cpu)
{
	return cpu < CPULIST_MAX && list->bit[cpu / WORD] >> cpu % WORD & 1;
}

/* The first CPU from on that is in the list, or CPULIST_MAX. */
static unsigned next_in(const struct cpulist *list, unsigned from)
{
	while (from < CPULIST_MAX && !cpulist_has(list, from))
		from++;
	return from;
}

char *cpulist_print(const struct cpulist *list, char text[CPULIST_TEXT])
{
	static const char more[] = "…";
	size_t used = 0;
	unsigned end;

	text[0] = '\0';
	for (unsigned cpu = next_in(list, 0); cpu < CPULIST_MAX; cpu = next_in(list, end)) {
		char range[16];

		for (end = cpu; cpulist_has(list, end);)
			end++;
		if (end - cpu > 1)
			str_format(range, sizeof(range), "%s%u-%u", used ? "," : "", cpu, end - 1);
		else
			str_format(range, sizeof(range), "%s%u", used ? "," : "", cpu);
		if (used + strlen(range) + sizeof(more) > CPULIST_TEXT) {
			str_copy(text + used, CPULIST_TEXT - used, more);
			break;
		}
		str_copy(text + used, CPULIST_TEXT - used, range);
		used += strlen(range);
	}
	return text;
}

unsigned cpulist_count(const struct cpulist *list)
{
	unsigned count = 0;

	for (unsigned i = 0; i < WORDS; i++)
		count += (unsigned)__builtin_popcountll(list->bit[i]);
	return count;
}

int cpulist_nth(const struct cpulist *list, unsigned n)
{
	for (unsigned cpu = next_in(list, 0); cpu < CPULIST_MAX; cpu = next_in(list, cpu + 1))
		if (n-- == 0)
			return (int)cpu;
	return -1;
}

static int lowest(const struct cpulist *a, const struct cpulist *b, uint64_t invert)
{
	for (unsigned i = 0; i < WORDS; i++)
		if (a->bit[i] & (b->bit[i] ^ invert))
			return (int)(i * WORD) + __builtin_ctzll(a->bit[i] & (b->bit[i] ^ invert));
	return -1;
}

int cpulist_common(const struct cpulist *a, const struct cpulist *b)
{
	return lowest(a, b, 0);
}

int cpulist_missing(const struct cpulist *a, const struct cpulist *b)
{
	return lowest(a, b, ~UINT64_C(0));
}
