/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine's front panel: a prompt on each console, beside the lines that hvinit shows there, and
 * the same commands for programs. Who is at one does not meet who is at another; the lines and the
 * past are everybody's.
 */
#ifndef HVINIT_CONSOLE_H
#define HVINIT_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "command.h"
#include "ring.h"
#include "symbols.h"

struct command_call;

enum { CONSOLES = 4, CONSOLE_PROGRAMS = 4 };

/* config must stay. There is no console yet. */
void console_init(const struct config *config);
/*
 * Shows lines on terminal fd, which it owns from now on; path is the terminal's, baud its speed, 0 to
 * leave that as it is. 0 or a negative errno; -ENOSPC: there are CONSOLES of them already.
 */
int console_add(int fd, const char *path, unsigned baud);
/* config is complete: from now on they have a prompt, or ask for HOST_CONSOLE_PASSWORD. */
void console_ready(void);

/*
 * A program at the other end of the socket fd, which it owns from now on: it sends one line, gets what
 * the command prints, a NUL and the digit of an enum command_result, and that is the end. 0 or a
 * negative errno; -ENOSPC with fd still open: there are CONSOLE_PROGRAMS of them already.
 */
int console_add_program(int fd);

/*
 * Programs in the guest of a VM slot, over the socket fd, which it owns from now on: lines without an
 * end, answers in the same form, and only of commands that tell something. A line that comes ends
 * what the one before it has left running. console_lose_guest(): QEMU has ended.
 */
int console_add_guest(unsigned slot, int fd);
void console_lose_guest(unsigned slot);

/* Shows one line without disturbing what is being typed. */
void console_line(const char *line);
/* The same for a guest's line, which who has its console before him has seen. */
void console_echo(unsigned slot, const char *line);

/* The ring has more, for those who follow it. */
void console_more(const struct ring *ring);
/* A guest's console is closed. */
void console_guest_ended(unsigned slot);
/* Bytes of a guest's console that nobody was shown, though a console was attached: its line is slow. */
uint64_t console_dropped(unsigned slot);

/* A child was reaped: true when it was a command's. */
bool console_reaped(pid_t pid, int status);

/* Whether there is a command's child, or a shell; the end of all of them. */
bool console_has_child(void);
void console_kill_children(void);

/* Whether a person at some console is shown what is printed: its line takes all that it was sent. */
bool console_works(void);

/* For commands: what they print, and what takes the place of the prompt until it is over. */
void console_reply(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void console_attach(unsigned slot);
/* Shows what the ring gets from now on, and the last of what it has; is_json: lines of JSON. */
void console_follow(const struct ring *ring, bool is_json);
/*
 * Runs work in a child whose output is shown; the prompt comes back when it has ended. What work
 * returns is how the command went. COMMAND_REFUSED: there was no child to be had, which it has said.
 */
typedef enum command_result console_work(const struct config *config,
					 const struct command_call *call);
enum command_result console_child(console_work *work, const struct command_call *call);
/* Lends the terminal to a shell. */
void console_shell(void);
/* Asks for the password again; false: there is none. */
bool console_lock(void);
/* Whether the command comes from a person at a terminal; from a guest, which must change nothing. */
bool console_is_person(void);
bool console_is_guest(void);

#endif
