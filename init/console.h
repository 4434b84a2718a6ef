/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine's front panel: a prompt on the console, beside the lines that hvinit shows there. */
#ifndef HVINIT_CONSOLE_H
#define HVINIT_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "symbols.h"

struct command_call;

/* Shows the prompt on terminal fd, which it owns from now on; -1: there is no console. */
int console_init(const struct config *config, int fd);

/* Shows one line without disturbing what is being typed. */
void console_line(const char *line);

/* Output of a guest: true when its console is the one on the screen. */
bool console_guest(unsigned slot, const char *data, size_t len);
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
