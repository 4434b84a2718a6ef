/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A buffer of one line, filled again and again. */
#include "lines.h"

#include <errno.h>
#include <fcntl.h>

#include "util.h"

struct lines {
	char end;
	int (*each)(void *arg, char *line);
	void *arg;
	size_t used;
	bool cut; /* the beginning of this line did not fit, and is gone */
	char buf[LINES_MAX + 1];
};

static int hand_over(struct lines *l, char *line)
{
	bool cut = l->cut;

	l->cut = false;
	return cut ? 0 : l->each(l->arg, line);
}

/* Hands over the whole lines in the buffer and keeps the rest. */
static int take_lines(struct lines *l)
{
	char *line = l->buf;
	int result = 0;
	char *at;

	while (result == 0 && (at = memchr(line, l->end, l->used))) {
		*at = '\0';
		l->used -= (size_t)(at + 1 - line);
		result = hand_over(l, line);
		line = at + 1;
	}
	memmove(l->buf, line, l->used);
	if (l->used == LINES_MAX) {
		l->used = 0;
		l->cut = true;
	}
	return result;
}

int lines_read(int root, const char *path, char end, int (*each)(void *arg, char *line), void *arg)
{
	_cleanup_fd_ int fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	struct lines l = { .end = end, .each = each, .arg = arg };
	int result = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (result == 0 && (n = read(fd, l.buf + l.used, LINES_MAX - l.used)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		l.used += (size_t)n;
		result = take_lines(&l);
	}
	l.buf[l.used] = '\0';
	return result || l.used == 0 ? result : hand_over(&l, l.buf);
}
