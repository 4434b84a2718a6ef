/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of CPUs, as the kernel and Kconfig write them: "0-3,8". */
#ifndef HVINIT_CPULIST_H
#define HVINIT_CPULIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CPULIST_MAX = 1024, CPULIST_TEXT = 256 };

struct cpulist {
	uint64_t bit[CPULIST_MAX / 64];
};

/*
 * Reads text into list; "" is the empty set. False when it is no list, a range runs backwards or a
 * number is CPULIST_MAX or more; list is then unspecified.
 */
bool cpulist_parse(const char *text, struct cpulist *list);

/* Writes the list; one that does not fit ends with "…". Returns text. */
char *cpulist_print(const struct cpulist *list, char text[CPULIST_TEXT]);

bool cpulist_has(const struct cpulist *list, unsigned cpu);
unsigned cpulist_count(const struct cpulist *list);
/* The nth CPU of the list in ascending order (from 0), or -1. */
int cpulist_nth(const struct cpulist *list, unsigned n);
/* The lowest CPU that both have, or -1. */
int cpulist_common(const struct cpulist *a, const struct cpulist *b);
/* The lowest CPU of a that b lacks, or -1. */
int cpulist_missing(const struct cpulist *a, const struct cpulist *b);

#endif
