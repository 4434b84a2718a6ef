/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both ends of the socket. */
#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "command.h"
#include "console.h"
#include "edit.h"
#include "loop.h"
#include "sys.h"
#include "util.h"

enum { BACKLOG = 8, DIR_MODE = 0755, SOCKET_UMASK = 0177 };

static struct source listener = { .fd = -1 };
static int spare = -1; /* with no descriptor left, one to turn somebody away by */

static bool address(const char *path, struct sockaddr_un *to)
{
	*to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return str_copy(to->sun_path, sizeof(to->sun_path), path);
}

/* --- PID 1's end --- */

/* In the form of any other answer; a new socket has room for it. */
static void turn_away(int fd)
{
	static const char words[] = "hvinit: ctl: too many programs at once\n\0001";
	ssize_t n = write(fd, words, sizeof(words) - 1);

	(void)n;
	close(fd);
}

static void connected(void *arg, uint32_t events)
{
	int fd = accept4(listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)arg;
	(void)events;
	if (fd >= 0) {
		if (console_add_program(fd) == -ENOSPC)
			turn_away(fd);
	} else if (errno == EMFILE || errno == ENFILE) {
		/* Who stands at the door would make the loop look at it for ever. */
		close_fdp(&spare);
		fd = accept4(listener.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0)
			turn_away(fd);
		spare = sys_null_open(AT_FDCWD);
	}
}

static int bind_socket(int fd)
{
	struct sockaddr_un to;
	mode_t before;
	int error = 0;

	address(CTL_PATH, &to);
	mkdir("/run/hvinit", DIR_MODE);
	unlink(CTL_PATH);
	/* Who may say "kill" is who may do everything. */
	before = umask(SOCKET_UMASK);
	if (bind(fd, (const struct sockaddr *)&to, sizeof(to)) || listen(fd, BACKLOG))
		error = -errno;
	umask(before);
	return error;
}

int ctl_init(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = fd < 0 ? -errno : bind_socket(fd);

	spare = sys_null_open(AT_FDCWD);
	if (!error)
		return loop_add(&listener, fd, EPOLLIN, connected, NULL);
	close_fdp(&fd);
	return error;
}

/* --- the other end --- */

/* The words with blanks between them; false when they do not fit. */
static bool join(char *const words[], char line[EDIT_LINE])
{
	size_t used = 0;

	for (; *words; words++) {
		if (!str_format(line + used, EDIT_LINE - 1 - used, "%s%s", used ? " " : "", *words))
			return false;
		used += strlen(line + used);
	}
	str_copy(line + used, EDIT_LINE - used, "\n");
	return true;
}

static int connect_to(const char *path)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un to;

	if (!address(path, &to))
		return -ENAMETOOLONG;
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		return -errno;
	return steal_fd(&fd);
}

/* Who has hung up before it was asked has said why: there were too many programs at once. */
static bool send_line(int fd, const char *line)
{
	return send(fd, line, strlen(line), MSG_NOSIGNAL) >= 0 || errno == EPIPE;
}

/* The answer, and the digit behind its NUL; -1: it has no end. */
static int copy_answer(int fd)
{
	char data[4096];
	bool last = false;
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0 || (n < 0 && errno == EINTR)) {
		const char *end;

		if (n < 0)
			continue;
		if (last)
			return data[0] - '0';
		end = memchr(data, '\0', (size_t)n);
		fwrite(data, 1, end ? (size_t)(end - data) : (size_t)n, stdout);
		fflush(stdout);
		if (end && end + 1 < data + n)
			return end[1] - '0';
		last = end;
	}
	return -1;
}

int ctl_ask(const char *path, char *const words[])
{
	char line[EDIT_LINE];
	int result = -1;
	int fd;

	if (!join(words, line)) {
		fprintf(stderr, "hvinit: ctl: more than %d characters\n", EDIT_LINE - 2);
		return COMMAND_USAGE;
	}
	fd = connect_to(path);
	if (fd < 0 || !send_line(fd, line))
		fprintf(stderr, "hvinit: ctl: %s: %s\n", path, strerror(fd < 0 ? -fd : errno));
	else if ((result = copy_answer(fd)) < 0)
		fprintf(stderr, "hvinit: ctl: %s: the answer has no end\n", path);
	close_fdp(&fd);
	return result < 0 ? COMMAND_REFUSED : result;
}
