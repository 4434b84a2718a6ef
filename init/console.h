/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine's front panel: a prompt on each console, beside the lines that hvinit shows there. Who
 * sits at one does not meet who sits at another; the lines and the past are everybody's.
 */
#ifndef HVINIT_CONSOLE_H
#define HVINIT_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "symbols.h"

struct command_call;

enum { CONSOLES = 4 };

/* config must stay. There is no console yet. */
void console_init(const struct config *config);
/*
 * Shows the prompt on terminal fd, which it owns from now on; path is the terminal's, baud its speed,
 * 0 to leave that as it is. 0 or a negative errno; -ENOSPC: there are CONSOLES of them already.
 */
int console_add(int fd, const char *path, unsigned baud);

/* Shows one line without disturbing what is being typed. */
void console_line(const char *line);
/* The same for a guest's line, which who has its console before him has seen. */
void console_echo(unsigned slot, const char *line);

/* A guest's console has more in its ring. It is closed. */
void console_guest(unsigned slot);
void console_guest_ended(unsigned slot);

/* A child was reaped: true when it was a command's. */
bool console_reaped(pid_t pid, int status);

/* For commands: what they print, and what takes the place of the prompt until it is over. */
void console_reply(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void console_attach(unsigned slot);
/* Runs work in a child whose output is shown; the prompt comes back when it has ended. */
typedef void console_work(const struct config *config, const struct command_call *call);
void console_child(console_work *work, const struct command_call *call);
/* Lends the terminal to a shell. */
void console_shell(void);

#endif
