/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linux, Documentation/ABI/testing/pstore. */
#include "panic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sys_machine.h"
#include "text.h"
#include "util.h"

/* A firmware variable holds a kilobyte or two of the log, and there are ten or so to a panic. */
enum { RECORDS = 64, NAME = 64, SIZE = 16 * 1024, LINE = 960 };

/* User messages; the kernel log takes a line a write. */
#define SHOWN "<12>hvinit: host: "
#define KEPT "<15>hvinit: host: "

struct list {
	unsigned count;
	char name[RECORDS][NAME];
};

static int found(void *arg, const char *name)
{
	(void)arg;
	(void)name;
	return 1;
}

bool panic_is_kept(int root)
{
	return sys_pstore_each(root, found, NULL) > 0;
}

static int take(void *arg, const char *name)
{
	struct list *list = arg;

	if (list->count < RECORDS && str_copy(list->name[list->count], NAME, name))
		list->count++;
	return 0;
}

/* "dmesg-efi_pstore-176405522101001": of one panic the last words have the lowest number. */
static int last_first(const void *one, const void *another)
{
	const char *a = one;
	const char *b = another;
	size_t len[] = { strlen(a), strlen(b) };

	if (len[0] != len[1])
		return len[0] < len[1] ? 1 : -1;
	return -strcmp(a, b);
}

static bool is_reason(const char *line)
{
	return strstr(line, "Kernel panic") || strstr(line, "Internal error:");
}

/* In one write, for the kernel makes a line of its log out of each. */
static void copy_line(int kmsg, const char *line)
{
	char text[LINE];
	ssize_t n;

	if (!*line)
		return;
	str_format(text, sizeof(text) - 1, "%spanic before this boot: %s",
		   is_reason(line) ? SHOWN : KEPT, line);
	n = (ssize_t)strlen(text);
	text[n] = '\n';
	n = write(kmsg, text, (size_t)n + 1);
	(void)n;
}

/* The record's own first line is "Panic#1 Part2". */
static void copy_record(int kmsg, char *text)
{
	struct text_filter filter = { 0 };

	text[text_filter(&filter, text, strlen(text), text)] = '\0';
	text += strcspn(text, "\n");
	while (*text) {
		char *line = ++text;

		text += strcspn(text, "\n");
		if (*text == '\n') {
			*text = '\0';
			copy_line(kmsg, line);
			*text = '\n';
		} else {
			copy_line(kmsg, line);
		}
	}
}

int panic_copy(const void *arg)
{
	static struct list list;
	static char text[SIZE + TEXT_HELD];
	const int *root = arg;
	_cleanup_fd_ int kmsg = sys_kmsg_open();
	int first = 0;

	list.count = 0;
	sys_pstore_each(*root, take, &list);
	qsort(list.name, list.count, NAME, last_first);
	for (unsigned i = 0; i < list.count; i++) {
		int error;

		if (sys_pstore_read(*root, list.name[i], text, SIZE) >= 0)
			copy_record(kmsg, text);
		error = sys_pstore_remove(*root, list.name[i]);
		first = first ? first : error;
	}
	return first;
}
