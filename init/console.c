/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has the terminal: the prompt, a command's child, a guest, a shell. */
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "command.h"
#include "edit.h"
#include "log.h"
#include "loop.h"
#include "sys.h"
#include "term.h"
#include "text.h"
#include "util.h"
#include "vm.h"

/*
 * REPLAY: what an operator who comes to a guest's console sees of before. AHEAD: bytes that are
 * typed while a command runs, as when several lines are pasted.
 */
enum { REPLY = 1024, REPLAY = 4096, AHEAD = 4096 };

enum { CTRL_C = 0x03, CTRL_RBRACKET = 0x1d };

enum mode { PROMPT, COMMAND, CHILD, GUEST, SHELL };

static const struct config *config;
static enum mode mode;
static struct edit_past past;
static struct edit edit;
static char ahead[AHEAD];
static size_t ahead_used;
static unsigned guest; /* slot, in mode GUEST */
static pid_t child;
static struct source child_output = { .fd = -1 };
static unsigned held; /* lines not shown while somebody else had the terminal */

static void put(void *arg, const char *data, size_t len)
{
	(void)arg;
	term_write(data, len);
}

static void to_prompt(void)
{
	char note[80];

	mode = PROMPT;
	if (held) {
		str_format(note, sizeof(note), "%u lines came meanwhile: see 'log host'\n", held);
		held = 0;
		term_puts(note);
	}
	edit_show(&edit);
}

void console_line(const char *text)
{
	switch (mode) {
	case GUEST:
	case SHELL:
		held++;
		break;
	case COMMAND:
	case CHILD:
		term_puts(text);
		term_puts("\n");
		break;
	case PROMPT:
		edit_wipe(&edit);
		term_puts(text);
		term_puts("\n");
		edit_show(&edit);
		break;
	}
}

void console_reply(const char *fmt, ...)
{
	char text[REPLY];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	term_puts(text);
}

/* --- a guest has the terminal --- */

void console_attach(unsigned slot)
{
	const struct ring *ring = vm_console(slot);
	uint64_t at = ring->total > REPLAY ? ring->total - REPLAY : 0;
	struct text_filter filter = { 0 };
	char clean[1024 + TEXT_HELD];
	char data[1024];
	size_t n;

	console_reply("%s's console; leave with Ctrl-]\n", vm_look(slot).name);
	mode = GUEST;
	guest = slot;
	while ((n = ring_read(ring, &at, data, sizeof(data))) > 0) {
		/* What it printed before is to be read, not to clear the screen again. */
		n = text_filter(&filter, data, n, clean);
		term_text(clean, n);
	}
}

bool console_guest(unsigned slot, const char *data, size_t len)
{
	if (mode != GUEST || guest != slot)
		return false;
	term_write(data, len);
	return true;
}

static void detach(const char *why)
{
	/* The guest may have left colours or another character set behind (ECMA-48 SGR, SI). */
	term_puts("\033[0m\017\n");
	console_reply("%s: %s\n", vm_look(guest).name, why);
	to_prompt();
}

void console_guest_ended(unsigned slot)
{
	if (mode == GUEST && guest == slot)
		detach("its console is closed");
}

/* Returns how much of it was for the guest, or took the operator away from it. */
static size_t type_guest(const char *data, size_t len)
{
	const char *leave = memchr(data, CTRL_RBRACKET, len);
	size_t n = leave ? (size_t)(leave - data) : len;

	if (n && !vm_type(guest, data, n))
		term_puts("\a");
	if (!leave)
		return n;
	detach("left its console");
	return n + 1;
}

/* --- a child has the terminal --- */

static void on_room(void)
{
	loop_want(&child_output, EPOLLIN);
}

static void on_input(const char *data, size_t len);

/* The command has ended: what was typed meanwhile is the next ones. */
static void child_ended(void)
{
	char typed[AHEAD];
	size_t n = ahead_used;

	memcpy(typed, ahead, n);
	ahead_used = 0;
	to_prompt();
	on_input(typed, n);
}

static void child_ready(void *arg, uint32_t events)
{
	char data[2048];
	ssize_t n = read(child_output.fd, data, sizeof(data));

	(void)arg;
	(void)events;
	if (n > 0)
		term_text(data, (size_t)n);
	else if (n == 0 || errno != EAGAIN)
		loop_close(&child_output);
	/* The child can wait for the line; what it has to say must not be dropped. */
	if (term_is_behind())
		loop_want(&child_output, 0);
	if (child_output.fd < 0 && child == 0)
		child_ended();
}

_Noreturn static void run_child(int out, console_work *work, const struct command_call *call)
{
	sys_unblock_signals();
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	/* One that hangs in a driver must keep nothing of PID 1's open, least of all the watchdog. */
	sys_close_range(STDERR_FILENO + 1, ~0U);
	work(config, call);
	fflush(NULL);
	_exit(0);
}

void console_child(console_work *work, const struct command_call *call)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC)) {
		console_reply("hvinit: console: make a pipe: %s\n", strerror(errno));
		return;
	}
	fcntl(fd[0], F_SETFL, O_NONBLOCK);
	child = fork();
	if (child == 0)
		run_child(fd[1], work, call);
	close(fd[1]);
	if (child < 0) {
		console_reply("hvinit: console: start a child: %s\n", strerror(errno));
		close(fd[0]);
		child = 0;
		return;
	}
	mode = CHILD;
	loop_add(&child_output, fd[0], EPOLLIN, child_ready, NULL);
}

_Noreturn static void run_shell(void)
{
	static char *const args[] = { "sh", "-i", NULL };
	static char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=vt100", "HOME=/",
				     "PS1=rescue# ", NULL };
	int tty;

	sys_unblock_signals();
	setsid();
	tty = sys_console_open();
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
	term_lend();
	child = fork();
	if (child == 0)
		run_shell();
	if (child < 0) {
		child = 0;
		term_take_back();
		console_reply("hvinit: console: start a shell: %s\n", strerror(errno));
		return;
	}
	mode = SHELL;
}

bool console_reaped(pid_t pid, int status)
{
	if (pid != child || child == 0)
		return false;
	child = 0;
	if (mode == SHELL) {
		term_take_back();
		if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
			console_reply("hvinit: shell: there is no /bin/busybox in this image\n");
		to_prompt();
		return true;
	}
	if (WIFSIGNALED(status))
		console_reply("\nhvinit: console: the command ended by signal %d\n",
			      WTERMSIG(status));
	if (child_output.fd < 0)
		child_ended();
	return true;
}

/* --- the prompt has the terminal --- */

static void enter_line(void)
{
	char text[EDIT_LINE];

	str_copy(text, sizeof(text), edit_take(&edit));
	term_puts("\n");
	mode = COMMAND;
	command_run(text);
	if (mode == COMMAND)
		to_prompt();
}

/* The words that the one before the cursor can become. */
struct choice {
	size_t count;
	size_t widest;
	size_t column; /* where the next one is printed */
	char common[EDIT_LINE]; /* what all of them begin with */
};

static void count_word(void *arg, const char *word)
{
	struct choice *choice = arg;
	size_t n = 0;

	if (strlen(word) > choice->widest)
		choice->widest = strlen(word);
	if (choice->count++ == 0) {
		str_copy(choice->common, sizeof(choice->common), word);
		return;
	}
	while (choice->common[n] && choice->common[n] == word[n])
		n++;
	choice->common[n] = '\0';
}

static void print_word(void *arg, const char *word)
{
	struct choice *choice = arg;
	size_t width = choice->widest + 2;

	if (choice->column && choice->column + width >= EDIT_COLUMNS) {
		term_puts("\n");
		choice->column = 0;
	}
	console_reply("%-*s", (int)width, word);
	choice->column += width;
}

/* Puts in what is sure; when nothing is, shows what there is to choose from. */
static void complete(void)
{
	struct choice choice = { 0 };
	char text[EDIT_LINE];
	size_t typed;
	size_t len;

	edit_before(&edit, text);
	typed = strlen(text);
	while (typed > 0 && text[typed - 1] != ' ')
		typed--;
	typed = strlen(text) - typed;
	command_complete(text, count_word, &choice);
	len = strlen(choice.common);
	if (choice.count == 0) {
		term_puts("\a");
	} else if (choice.count == 1 && choice.common[len - 1] != '=') {
		str_copy(choice.common + len, sizeof(choice.common) - len, " ");
		edit_insert(&edit, choice.common + typed);
	} else if (len > typed) {
		edit_insert(&edit, choice.common + typed);
	} else {
		term_puts("\n");
		command_complete(text, print_word, &choice);
		term_puts("\n");
		edit_show(&edit);
	}
}

static void type_prompt(char c)
{
	switch (edit_key(&edit, c)) {
	case EDIT_ENTER:
		enter_line();
		break;
	case EDIT_COMPLETE:
		complete();
		break;
	case EDIT_ABORT:
		term_puts("\n");
		edit_show(&edit);
		break;
	case EDIT_END:
		term_puts("\a");
		break;
	case EDIT_NOTHING:
		break;
	}
}

/* While a command runs only Ctrl-C is for it, and ends what was typed ahead, too. */
static void type_child(char c)
{
	if (c == CTRL_C && child > 0) {
		ahead_used = 0;
		kill(child, SIGKILL);
	} else if (ahead_used < sizeof(ahead)) {
		ahead[ahead_used++] = c;
	} else {
		term_puts("\a");
	}
}

static void on_input(const char *data, size_t len)
{
	while (len > 0) {
		size_t n = 1;

		if (mode == GUEST)
			n = type_guest(data, len);
		else if (mode == CHILD)
			type_child(*data);
		else if (mode == PROMPT)
			type_prompt(*data);
		else
			return;
		data += n;
		len -= n;
	}
}

int console_init(const struct config *all, int fd)
{
	int error;

	config = all;
	mode = PROMPT;
	edit = (struct edit){ .prompt = "hvinit> ", .past = &past, .put = put };
	edit_init(&edit);
	ahead_used = 0;
	if (fd < 0)
		return fd;
	error = term_init(fd, on_input);
	term_on_room(on_room);
	term_puts("\n");
	edit_show(&edit);
	return error;
}
