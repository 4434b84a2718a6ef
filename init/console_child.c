/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A child has the terminal: a command that takes its time, or a shell. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "console_private.h"
#include "sys.h"
#include "util.h"

enum { CTRL_C = 0x03 };

/* Whole lines only, so that others can come between them. */
static void show_lines(struct console *console)
{
	const char *newline = memrchr(console->part, '\n', console->part_used);
	size_t n = newline ? (size_t)(newline + 1 - console->part) : 0;

	if (!newline && console->part_used == sizeof(console->part))
		n = console->part_used;
	if (n == 0)
		return;
	console->mid_line = !newline;
	term_text(&console->term, console->part, n);
	console->part_used -= n;
	memmove(console->part, console->part + n, console->part_used);
}

static void show_rest(struct console *console)
{
	term_text(&console->term, console->part, console->part_used);
	console->mid_line = console->part_used > 0;
	console->part_used = 0;
}

static enum command_result result_of(int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : COMMAND_REFUSED;

	return code == COMMAND_DONE || code == COMMAND_USAGE ? (enum command_result)code :
							       COMMAND_REFUSED;
}

/* Its end is when it is reaped, and all it wrote is read, whichever comes last. */
static void end(struct console *console)
{
	char note[64];

	show_rest(console);
	if (WIFSIGNALED(console->status)) {
		str_format(note, sizeof(note),
			   "%shvinit: console: the command ended by signal %d\n",
			   console->mid_line ? "\n" : "", WTERMSIG(console->status));
		term_puts(&console->term, note);
	}
	console->mid_line = false;
	console_command_over(console, result_of(console->status));
}

void console_feed_child(struct console *console)
{
	if (console->output.fd >= 0)
		loop_want(&console->output, EPOLLIN);
}

static void output_ready(void *arg, uint32_t events)
{
	struct console *console = arg;
	ssize_t n = read(console->output.fd, console->part + console->part_used,
			 sizeof(console->part) - console->part_used);

	(void)events;
	if (n > 0) {
		console->part_used += (size_t)n;
		show_lines(console);
	} else if (n == 0 || errno != EAGAIN) {
		loop_close(&console->output);
	}
	/* The child can wait for the line, dead or alive; what it has to say must not be dropped. */
	if (term_is_behind(&console->term)) {
		loop_pause(&console->output);
		term_await(&console->term);
	}
	if (console->output.fd < 0 && console->child == 0)
		end(console);
}

_Noreturn static void run_child(int out, console_work *work, const struct command_call *call)
{
	enum command_result result;

	sys_unblock_signals();
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	/* One that hangs in a driver must keep nothing of PID 1's open, least of all the watchdog. */
	sys_close_range(STDERR_FILENO + 1, ~0U);
	result = work(console_config(), call);
	fflush(NULL);
	_exit((int)result);
}

enum command_result console_child(console_work *work, const struct command_call *call)
{
	struct console *console = console_current;
	int fd[2];

	if (pipe2(fd, O_CLOEXEC)) {
		console_reply("hvinit: console: make a pipe: %s\n", strerror(errno));
		return COMMAND_REFUSED;
	}
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	console->child = fork();
	if (console->child == 0)
		run_child(fd[1], work, call);
	close(fd[1]);
	if (console->child < 0) {
		console_reply("hvinit: console: start a child: %s\n", strerror(errno));
		close(fd[0]);
		console->child = 0;
		return COMMAND_REFUSED;
	}
	console->mode = CONSOLE_CHILD;
	if (loop_add(&console->output, fd[0], EPOLLIN, output_ready, console) == 0)
		return COMMAND_DONE;
	console_reply("hvinit: console: there is no room to read its answer\n");
	loop_close(&console->output);
	return COMMAND_DONE; /* it is over when the child is */
}

_Noreturn static void run_shell(const char *path)
{
	static char *const args[] = { "sh", "-i", NULL };
	static char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=vt100", "HOME=/",
				     "PS1=rescue# ", NULL };
	int tty;

	sys_unblock_signals();
	setsid();
	tty = sys_tty_open(path);
	if (tty < 0)
		_exit(1);
	fcntl(tty, F_SETFL, fcntl(tty, F_GETFL) & ~O_NONBLOCK);
	/* A terminal of its own gives the shell job control, and Ctrl-C something to hit. */
	ioctl(tty, TIOCSCTTY, 1);
	dup2(tty, 0);
	dup2(tty, 1);
	dup2(tty, 2);
	execve("/bin/busybox", args, env);
	_exit(127);
}

void console_shell(void)
{
	struct console *console = console_current;

	term_lend(&console->term);
	console->child = fork();
	if (console->child == 0)
		run_shell(console->path);
	if (console->child < 0) {
		console->child = 0;
		term_take_back(&console->term, -1);
		console_reply("hvinit: console: start a shell: %s\n", strerror(errno));
		return;
	}
	console->mode = CONSOLE_SHELL;
}

static void shell_ended(struct console *console, int status)
{
	term_take_back(&console->term, sys_tty_open(console->path));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		term_puts(&console->term,
			  "hvinit: shell: there is no /bin/busybox in this image\n");
	console_to_prompt(console);
}

bool console_reaped(pid_t pid, int status)
{
	for (struct console *console = NULL; (console = console_next(console));) {
		if (pid <= 0 || console->child != pid)
			continue;
		console->child = 0;
		console->status = status;
		if (console->mode == CONSOLE_SHELL)
			shell_ended(console, status);
		else if (console->mode == CONSOLE_CHECKING)
			console_password_checked(console, status);
		else if (console->output.fd < 0)
			end(console);
		return true;
	}
	return false;
}

bool console_has_child(void)
{
	for (struct console *console = NULL; (console = console_next(console));)
		if (console->child > 0)
			return true;
	return false;
}

void console_kill_children(void)
{
	for (struct console *console = NULL; (console = console_next(console));)
		if (console->child > 0)
			kill(console->child, SIGKILL);
}

void console_kill_child(struct console *console)
{
	/* A child of its own may hang, with the other end of the pipe open. */
	loop_close(&console->output);
	if (console->child > 0)
		kill(console->child, SIGKILL);
	else
		end(console);
}

/* Only a person's Ctrl-C is for the command, and ends what was typed ahead, too. */
size_t console_type_child(struct console *console, const char *data, size_t len)
{
	const char *stop = console->kind == CONSOLE_PERSON ? memchr(data, CTRL_C, len) : NULL;

	if (!stop)
		return console_type_ahead(console, data, len);
	console->ahead_used = 0;
	console_kill_child(console);
	return (size_t)(stop + 1 - data);
}
