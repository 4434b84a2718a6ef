/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The door before the prompt. The password is looked at in a child, for a hash is made to be slow; who
 * was wrong waits, twice as long each time.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "console_private.h"
#include "log.h"
#include "password.h"
#include "sys.h"
#include "util.h"

/* 1 s, then twice as long each time, up to 32. */
enum { DELAY_S = 1, DELAY_DOUBLES = 5, CHECK_S = 30 };

static const char *hash(void)
{
	return console_config()->host.console_password;
}

bool console_is_locked(const struct console *console)
{
	return console->mode == CONSOLE_LOCKED || console->mode == CONSOLE_CHECKING ||
	       console->mode == CONSOLE_DELAYED;
}

static void ask(struct console *console)
{
	console->mode = CONSOLE_LOCKED;
	console->edit.prompt = "Password: ";
	console->edit.secret = true;
	edit_init(&console->edit);
	edit_show(&console->edit);
}

static void unlock(struct console *console)
{
	console->failures = 0;
	console->edit.prompt = "hvinit> ";
	console->edit.secret = false;
}

static void delay_over(void *arg, uint32_t events)
{
	struct console *console = arg;

	(void)events;
	if (!timer_fired(&console->delay))
		return;
	loop_close(&console->delay);
	ask(console);
}

static void refuse(struct console *console)
{
	unsigned doubles = console->failures < DELAY_DOUBLES ? console->failures : DELAY_DOUBLES;

	console->failures++;
	console->mode = CONSOLE_DELAYED;
	term_puts(&console->term, "hvinit: login: the password is wrong\n");
	log_msg(LOG_LEVEL_WARN, "login", "%s: wrong password, %u in a row", console->path,
		console->failures);
	/* Without a timer nobody could ever come in again. */
	if (timer_add(&console->delay, delay_over, console))
		ask(console);
	else
		timer_set(&console->delay, (uint64_t)(DELAY_S << doubles) * 1000);
}

void console_password_checked(struct console *console, int how)
{
	char status[] = "status";

	if (!WIFEXITED(how) || WEXITSTATUS(how)) {
		refuse(console);
		return;
	}
	log_msg(LOG_LEVEL_INFO, "login", "%s: somebody has logged in", console->path);
	unlock(console);
	/* What has happened so far was shown to nobody, or to somebody else. */
	console_run(console, status);
}

_Noreturn static void run_check(const char *typed)
{
	sys_unblock_signals();
	sys_close_range(0, ~0U);
	alarm(CHECK_S);
	_exit(password_fits(hash(), typed) ? 0 : 1);
}

static void check(struct console *console)
{
	char *typed = edit_take(&console->edit);

	term_puts(&console->term, "\n");
	console->mode = CONSOLE_CHECKING;
	console->child = fork();
	if (console->child == 0)
		run_check(typed);
	explicit_bzero(typed, EDIT_LINE);
	if (console->child < 0) {
		term_puts(&console->term, "hvinit: login: start a child: ");
		term_puts(&console->term, strerror(errno));
		term_puts(&console->term, "\n");
		console->child = 0;
		refuse(console);
	}
}

size_t console_type_login(struct console *console, const char *data, size_t len)
{
	(void)len;
	switch (edit_key(&console->edit, *data)) {
	case EDIT_ENTER:
		check(console);
		break;
	case EDIT_ABORT:
		term_puts(&console->term, "\n");
		edit_show(&console->edit);
		break;
	case EDIT_COMPLETE:
	case EDIT_END:
		term_puts(&console->term, "\a");
		break;
	case EDIT_NOTHING:
		break;
	}
	return 1;
}

void console_open(struct console *console, struct edit_past *past)
{
	console->edit.past = past;
	if (hash()[0]) {
		ask(console);
		return;
	}
	unlock(console);
	console_to_prompt(console);
}

bool console_lock(void)
{
	if (!hash()[0])
		return false;
	ask(console_current);
	return true;
}
