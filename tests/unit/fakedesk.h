/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is around the consoles in their tests: terminals of which one sees the screens, two VMs that
 * note what they are told, and rooms that say little.
 */
#ifndef HVINIT_FAKEDESK_H
#define HVINIT_FAKEDESK_H

#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "command.h"
#include "console.h"
#include "device.h"
#include "event.h"
#include "log.h"
#include "loop.h"
#include "machine.h"
#include "manifest.h"
#include "metrics.h"
#include "show.h"
#include "shutdown.h"
#include "standins.h"
#include "status.h"
#include "sys.h"
#include "term.h"
#include "vm.h"

enum { CTRL_C = 3, CTRL_D = 4, CTRL_U = 0x15, CTRL_W = 0x17, CTRL_RBRACKET = 0x1d };

/* The number that every terminal and socket has. */
enum { DESK_FD = 5, SCREENS = CONSOLES + CONSOLE_PROGRAMS + 1, SCREEN = 16384 };

extern struct config config;

/* What is on the screens, in the order of console_add…(); what is done, at the first unless said. */
extern struct term *terms[SCREENS];
extern char screens[SCREENS][SCREEN];
extern unsigned terminals;
extern char *screen;
extern size_t shown; /* on the first */
extern bool lent;
extern bool behind; /* the line is slow */

extern struct vm_view vms[2];
extern char commands[256]; /* what the VMs were told */
extern const char *refusal; /* what they say to it */
extern char guest_got[256];
extern bool guest_is_deaf;
extern struct ring guest_ring;
extern struct ring words_ring;
extern struct ring host_ring;
extern struct ring events;
extern int shutdowns;
extern unsigned safes;

extern struct source *child_output; /* of the last command's child */
extern uint32_t child_wanted; /* events of it that are waited for */

/* The first terminal's line has room again; the timer runs out. */
void room(void);
void run_out(void);

void type_bytes(const char *data, size_t len);
void type(const char *text);
void key(char c);
void type_at(unsigned terminal, const char *text);
/* All screens. */
void clear(void);
void assert_shows(const char *part);
void assert_shows_not(const char *part);
void assert_prompt(void);
/* The digit behind the last answer. */
char answered(unsigned terminal);
/* Lets the command's child end, and reads all that it printed. */
void finish_child(void);
/* A guest prints on its console. */
void guest_prints(const char *text);

/* One console with its prompt; config may be set before desk_open(). */
int setup(void **state);
void desk_open(void);
int group_setup(void **state);

#define CONSOLE_CASE(title, function, row) FIXTURE(title, function, setup, NULL, row)

#endif
